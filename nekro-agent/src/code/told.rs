//! What a model is shown of what came of a script.

use nekro_core::Image;
use nekro_sandbox::{Failure, Made, Outcome, Part, Problem, Report, Shown, Value};

use crate::agent::script::Ran;

/// How many of the calls of a script that failed are listed.
const MOST_CALLS: usize = 20;

/// Writes it down: what it came to first, for that must not be cut away by a long output.
pub(super) fn to_model(report: Report) -> Ran {
    let Report { outcome, output, calls, .. } = report;
    let failed = !matches!(outcome, Outcome::Done(_) | Outcome::Shown(_));
    let mut images = Vec::new();
    let mut text = match outcome {
        Outcome::Done(Some(Value { text, .. })) => text,
        Outcome::Done(None) if output.is_empty() => {
            "(The script ended. Its last expression has no value, and it printed nothing.)".to_owned()
        }
        Outcome::Done(None) => String::new(),
        Outcome::Shown(shown) => told_of_shown(shown, &mut images),
        Outcome::Refused(problems) => told_of_problems(&problems),
        Outcome::Failed(failure) => told_of_failure(&failure),
        Outcome::Limit(_, message) => format!("The script was ended: {message}."),
        Outcome::Crashed(message) => format!("The script was ended: {message}."),
        // What is added later has no better words.
        other => format!("The script ended: {other:?}"),
    };
    if !output.is_empty() {
        let between = if text.is_empty() { "" } else { "\n\n" };
        text.push_str(&format!("{between}Printed:\n{}", output.trim_end_matches('\n')));
    }
    // What was done is done, though its script failed.
    if failed && !calls.is_empty() {
        text.push_str(&format!("\n\nCalls that were made: {}", told_of_calls(&calls)));
    }
    Ran { text, images, failed }
}

fn told_of_shown(shown: Shown, images: &mut Vec<Image>) -> String {
    let Shown { function, value, content, .. } = shown;
    let mut texts = vec![format!("The script ended at `{function}`, for you to see:")];
    if content.is_empty() {
        let value = value.get();
        texts.push(serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned()));
    }
    for part in content {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Image { media_type, bytes } => images.push(Image { media_type, bytes }),
            _ => {}
        }
    }
    texts.join("\n")
}

/// Lists what is wrong with a script that was not run.
pub(crate) fn told_of_problems(problems: &[Problem]) -> String {
    let lines: String = problems.iter().map(|problem| format!("\n{problem}")).collect();
    format!("The script was not run:{lines}")
}

/// Tells of an exception, with its traceback.
pub(crate) fn told_of_failure(failure: &Failure) -> String {
    let mut text = failure.traceback.trim_end().to_owned();
    if text.is_empty() {
        text = format!("{}: {}", failure.kind, failure.message);
    }
    for (word, said) in [("Code", &failure.code), ("Hint", &failure.hint)] {
        if let Some(said) = said {
            text.push_str(&format!("\n{word}: {said}"));
        }
    }
    text
}

/// Lists calls in their order: `notes.save, dice.roll (failed: not_found) and 7 more`.
fn told_of_calls(calls: &[Made]) -> String {
    let one = |call: &Made| match (&call.error, call.took) {
        (Some(code), _) => format!("{} (failed: {code})", call.function),
        (None, None) => format!("{} (not answered)", call.function),
        (None, Some(_)) => call.function.clone(),
    };
    let listed: Vec<_> = calls.iter().take(MOST_CALLS).map(one).collect();
    let more = calls.len() - listed.len();
    if more == 0 { listed.join(", ") } else { format!("{} and {more} more", listed.join(", ")) }
}

//! How far a call has come.

use std::{fmt, sync::Arc};

use crate::{
    call::{Call, Input},
    caller::Caller,
    capability::{Ports, TaskRun},
    error::{Error, Result},
    lend::{Lend, LentKind, Loan},
    plugin::Plugin,
};

/// How many characters the text of a report has at most; what is longer is cut.
const MOST_CHARACTERS: usize = 200;

/// Tells whoever waits for a call how far it has come: the person at the terminal, those who follow the turn, the client that called.
///
/// Harmless: nobody is told but who gets the answer, too, so taking it is no permission. A report costs next to nothing, never waits and
/// never fails: of those that come faster than `limits.progress_per_second`, the newest is told. Nobody is told after the answer.
///
/// A tool and a command can take it, and so can a task, where it is the task's own progress, in percent. Elsewhere, and for a call that
/// another plugin makes, nobody is told.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Reads books.
/// #[plugin(id = "reader")]
/// pub struct Reader;
///
/// /// Counts the words of some books.
/// #[tool]
/// async fn words(files: &Files, progress: &Progress, /** The books. */ books: Vec<SandboxPath>) -> Result<usize> {
///     let mut words = 0;
///     for (done, book) in books.iter().enumerate() {
///         progress.done_of(done, books.len(), format!("reading {book}"));
///         words += files.exchange()?.read_text(book).await?.split_whitespace().count();
///     }
///     Ok(words)
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::of::<Reader>();
/// # host.run(host.files::<Reader>().exchange().unwrap().write("a.txt", "one two")).unwrap();
/// assert_eq!(host.call_as::<usize>("words", json!({ "books": ["a.txt"] })).unwrap(), 2);
/// assert_eq!(host.progress()[0].to_string(), "0 of 1, reading a.txt");
/// # }
/// ```
#[derive(Clone)]
pub struct Progress(Option<Arc<dyn ProgressFollower>>);

/// Who is told of progress. Implemented by the host.
pub trait ProgressPort: Send + Sync {
    /// Returns who follows the call that is being made; `None` if nobody does. Asked once, when a function begins that takes [`Progress`].
    fn follower(&self) -> Option<Arc<dyn ProgressFollower>>;
}

/// Follows one call. Implemented by the host, called by whatever the call does, for as long as somebody holds its [`Progress`].
pub trait ProgressFollower: Send + Sync {
    /// Takes up how far the call has come. It must not wait.
    fn report(&self, report: ProgressReport);
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressReport {
    // Invariant: both are finite and not negative.
    done: f64,
    total: Option<f64>,
    // Invariant: at most `MOST_CHARACTERS`.
    text: String,
}

impl ProgressReport {
    /// Describes how far a call has come, in whatever unit. Numbers that are none, or negative, count as 0, and as no total.
    pub fn new(done: f64, total: Option<f64>, text: impl AsRef<str>) -> Self {
        let is_amount = |number: &f64| number.is_finite() && *number >= 0.0;
        let mut text = text.as_ref().to_owned();
        if let Some((end, _)) = text.char_indices().nth(MOST_CHARACTERS) {
            text.truncate(end);
        }
        Self { done: Some(done).filter(is_amount).unwrap_or(0.0), total: total.filter(is_amount), text }
    }

    /// Returns how much is done: finite, and not negative.
    pub fn done(&self) -> f64 {
        self.done
    }

    /// Returns how much there is to do, if somebody knows: finite, and not negative.
    pub fn total(&self) -> Option<f64> {
        self.total
    }

    /// Returns what is being done; it may be empty, and has 200 characters at most.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how much is done in percent; `None` if nobody knows how much there is.
    pub fn percent(&self) -> Option<u8> {
        let total = self.total.filter(|total| *total > 0.0)?;
        // A cast ends at the bounds of the type.
        Some((self.done / total * 100.0).min(100.0) as u8)
    }
}

/// `3 of 10, reading`, `3, reading`, or without the text.
impl fmt::Display for ProgressReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.done.fmt(f)?;
        if let Some(total) = self.total {
            write!(f, " of {total}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, ", {}", self.text) }
    }
}

impl Progress {
    /// Makes a handle; without a follower, nobody is told.
    pub const fn new(follower: Option<Arc<dyn ProgressFollower>>) -> Self {
        Self(follower)
    }

    /// Tells that `done` of `total` is done, and what is being done now.
    pub fn done_of(&self, done: usize, total: usize, text: impl AsRef<str>) {
        if let Some(follower) = &self.0 {
            follower.report(ProgressReport::new(done as f64, Some(total as f64), text));
        }
    }

    /// Tells how much is done where nobody knows how much there is, and what is being done now.
    pub fn done(&self, done: usize, text: impl AsRef<str>) {
        if let Some(follower) = &self.0 {
            follower.report(ProgressReport::new(done as f64, None, text));
        }
    }

    /// Passes a report on, such as one of somebody else's.
    pub fn report(&self, report: ProgressReport) {
        if let Some(follower) = &self.0 {
            follower.report(report);
        }
    }

    /// Tells whether anybody is told: what is only made to be reported need not be made if not.
    pub fn is_followed(&self) -> bool {
        self.0.is_some()
    }

    /// Makes the handle of the call that is being made.
    pub(crate) fn of_call(ports: &Ports, caller: &Caller) -> Self {
        // What a plugin has others do is a part of its own call, and not all of that.
        let port = ports.get::<dyn ProgressPort>().ok().filter(|_| caller.depth == 0);
        Self(port.and_then(|port| port.follower()))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("is_followed", &self.is_followed()).finish()
    }
}

/// The progress of a task is that of its run.
struct OfTask(Arc<dyn TaskRun>);

impl ProgressFollower for OfTask {
    fn report(&self, report: ProgressReport) {
        self.0.progress(report.percent().unwrap_or(0), report.text());
    }
}

impl<P: Plugin> Lend<P> for Progress {
    const KIND: LentKind = LentKind::Progress;

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(match call.input {
            Input::Arguments(_) => Self::of_call(call.kernel.ports(), call.caller),
            Input::Task { run, .. } => Self(Some(Arc::new(OfTask(Arc::clone(run))))),
            Input::Nothing | Input::Event(_) | Input::Delivery(_) => Self(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_finite_whatever_is_reported() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let report = ProgressReport::new(odd, Some(odd), "");
            assert_eq!((report.done(), report.total(), report.percent()), (0.0, None, None), "{odd}");
        }
        assert_eq!(ProgressReport::new(0.0, Some(0.0), "").percent(), None);
        assert_eq!(ProgressReport::new(7.0, Some(3.0), "").percent(), Some(100));
        assert_eq!(ProgressReport::new(1.0, Some(3.0), "").percent(), Some(33));
        assert_eq!(ProgressReport::new(f64::MAX, Some(f64::MIN_POSITIVE), "").percent(), Some(100));
    }

    #[test]
    fn a_report_is_read_by_people() {
        assert_eq!(ProgressReport::new(3.0, Some(10.0), "reading").to_string(), "3 of 10, reading");
        assert_eq!(ProgressReport::new(0.5, None, "").to_string(), "0.5");
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let report = ProgressReport::new(0.0, None, "é".repeat(MOST_CHARACTERS + 1));
        assert_eq!(report.text(), "é".repeat(MOST_CHARACTERS));
    }
}

//! The part of a conversation that the model is sent: the newest messages that have room, and a summary of those before.

use std::collections::HashMap;

use nekro_core::{
    Image, Result, SessionId, TurnId,
    event::facts::{LlmUsage, SummaryUpdated},
};

use super::{Inner, tokens};
use crate::{
    history::{Body, File, Message, NewMessage, UsageRecord},
    model::{Answer, Chunk, Entry, Model, Request},
};

/// How many messages are read at once.
const PAGE: usize = 100;

/// The most tokens of one message that a summary is made of.
const QUOTE: u64 = 500;

/// The most tokens that a summary may have.
const SUMMARY: u32 = 1_000;

const INSTRUCTIONS: &str = "Sum up the conversation so far, for yourself to go on from. Keep what was asked, decided and found out, \
                            names, numbers and what is still to be done; leave out the rest. Write nothing but the summary.";

/// The messages of a conversation that the model has not had summed up.
#[derive(Debug, Default)]
pub(super) struct Window {
    summary: Option<String>,
    // Oldest first.
    messages: Vec<Message>,
}

impl Window {
    /// Returns the entries that the model is sent. In a group, it is told who says what.
    pub(super) fn entries(&self, is_group: bool) -> Vec<Entry> {
        let summary = self.summary.iter().map(|text| Entry::Notice { text: format!("What was said before, in short: {text}") });
        let mut entries: Vec<_> = summary.collect();
        // A result stands right behind its call, whatever came in between; one that never came is told to have failed.
        let mut results = HashMap::new();
        for message in &self.messages {
            if let Body::Result { call, .. } = &message.body {
                results.insert((message.turn.as_ref(), call.as_str()), &message.body);
            }
        }
        for message in &self.messages {
            match &message.body {
                Body::Person { user, text, files, .. } => {
                    let name = user.as_ref().filter(|_| is_group).map(ToString::to_string);
                    add_person(&mut entries, name, text, files);
                }
                Body::Notice { text, .. } => entries.push(Entry::Notice { text: text.clone() }),
                Body::Answer { text, calls, .. } => {
                    entries.push(Entry::Answer { text: text.clone(), calls: calls.clone() });
                    for call in calls {
                        entries.push(match results.get(&(message.turn.as_ref(), call.id.as_str())) {
                            Some(Body::Result { call, tool, text, files, failed }) => Entry::Result {
                                call: call.clone(),
                                tool: tool.clone(),
                                text: text.clone(),
                                images: images(files),
                                failed: *failed,
                            },
                            _ => Entry::Result {
                                call: call.id.clone(),
                                tool: call.tool.clone(),
                                text: "The call was cut off.".to_owned(),
                                images: Vec::new(),
                                failed: true,
                            },
                        });
                    }
                }
                Body::Result { .. } | Body::Summary { .. } => {}
            }
        }
        entries
    }

    fn tokens(&self) -> u64 {
        self.entries(true).iter().map(tokens::of_entry).sum()
    }

    /// Takes out messages by their numbers, and returns them.
    pub(super) fn take(&mut self, numbers: impl Fn(&Message) -> bool) -> Self {
        let (taken, kept) = std::mem::take(&mut self.messages).into_iter().partition(numbers);
        self.messages = kept;
        Self { summary: None, messages: taken }
    }

    /// Takes out the oldest messages, so that the others have at most so many tokens.
    fn cut(&mut self, budget: u64) -> Vec<Message> {
        let mut left = budget;
        let mut keep = 0;
        for message in self.messages.iter().rev() {
            let one = Self { summary: None, messages: vec![message.clone()] };
            let tokens = match &message.body {
                Body::Result { text, files, .. } => tokens::of_text(text) + 1_000 * files.len() as u64,
                _ => one.tokens(),
            };
            let Some(rest) = left.checked_sub(tokens) else { break };
            left = rest;
            keep += 1;
        }
        let mut cut = self.messages.len() - keep;
        // Results go with their calls.
        while self.messages.get(cut).is_some_and(|message| matches!(message.body, Body::Result { .. })) {
            cut += 1;
        }
        self.messages.drain(..cut).collect()
    }
}

/// Adds what a person said. Files that came with it are written after it, and belong to it.
fn add_person(entries: &mut Vec<Entry>, name: Option<String>, text: &str, files: &[File]) {
    let others = files.iter().filter(|file| !is_image(file));
    let others: String =
        others.map(|file| format!("\n[file {}, {}, {} bytes]", file.name, file.media_type, file.bytes.len())).collect();
    if text.is_empty()
        && let Some(Entry::Person { text, images: pictures, .. }) = entries.last_mut()
    {
        text.push_str(&others);
        pictures.extend(images(files));
        return;
    }
    entries.push(Entry::Person { name, text: format!("{text}{others}"), images: images(files) });
}

fn is_image(file: &File) -> bool {
    file.media_type.starts_with("image/")
}

fn images(files: &[File]) -> Vec<Image> {
    let images = files.iter().filter(|file| is_image(file));
    images.map(|file| Image { media_type: file.media_type.clone(), bytes: file.bytes.clone() }).collect()
}

impl Inner {
    /// Reads the messages since the last summary, and that. `waiting` are the numbers of messages that are not for this turn.
    pub(super) async fn load(&self, session: &SessionId, waiting: &[u64]) -> Result<Window> {
        let mut window = Window::default();
        let (mut before, mut through, mut read) = (None, 0, 0);
        // What is far too much for the model need not be read to be cut.
        let most = self.settings.context_tokens.saturating_mul(4);
        'pages: loop {
            let page = self.history.messages(session, before, PAGE, false).await?;
            let is_last = page.len() < PAGE;
            for message in page {
                before = Some(message.number);
                if message.number <= through || read > most {
                    break 'pages;
                }
                match message.body {
                    Body::Summary { through: up_to, text } if window.summary.is_none() => {
                        window.summary = Some(text);
                        through = up_to;
                    }
                    Body::Summary { .. } => {}
                    _ if waiting.contains(&message.number) => {}
                    _ => {
                        read += Window { summary: None, messages: vec![message.clone()] }.tokens();
                        window.messages.push(message);
                    }
                }
            }
            if is_last {
                break;
            }
        }
        window.messages.reverse();
        Ok(window)
    }

    /// Makes room: what has more tokens than it may is cut to half of that, and the model is asked to sum up the rest.
    pub(super) async fn make_room(
        &self,
        session: &SessionId,
        turn: &TurnId,
        mut window: Window,
        budget: u64,
        model: &dyn Model,
    ) -> Result<Window> {
        if window.tokens() <= budget {
            return Ok(window);
        }
        let cut = window.cut(budget / 2);
        let Some(last) = cut.last() else { return Ok(window) };
        let through = last.number;
        let request = summary_request(window.summary.as_deref(), &cut, self.settings.context_tokens / 2);
        let mut nobody = |_: Chunk<'_>| {};
        let answer = match model.ask(&request, &mut nobody).await {
            Ok(answer) if !answer.text.trim().is_empty() => answer,
            // The turn goes on without; the next one tries again.
            Ok(_) => {
                tracing::warn!(%session, "the model gave no summary: {} messages are left out", cut.len());
                return Ok(window);
            }
            Err(error) => {
                tracing::warn!(%session, "the summary failed, and {} messages are left out: {error}", cut.len());
                return Ok(window);
            }
        };
        self.count(session, turn, &answer).await;
        let text = answer.text.trim().to_owned();
        let body = Body::Summary { through, text: text.clone() };
        self.history.append(session, vec![NewMessage { turn: Some(turn.clone()), hidden: false, body }]).await?;
        self.kernel.emit(SummaryUpdated { session: session.clone(), summary: text.clone() });
        window.summary = Some(text);
        Ok(window)
    }

    /// Writes down and tells what an answer cost.
    pub(super) async fn count(&self, session: &SessionId, turn: &TurnId, answer: &Answer) {
        let usage = answer.usage;
        self.kernel.emit(LlmUsage {
            session: session.clone(),
            turn: turn.clone(),
            plugin: None,
            model: answer.model.clone(),
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cached_tokens: usage.cached_tokens,
        });
        let record = UsageRecord {
            plugin: None,
            session: Some(session.clone()),
            turn: Some(turn.clone()),
            at: self.now(),
            model: answer.model.clone(),
            usage,
            cost_micros: self.models.cost(&answer.model, usage),
        };
        if let Err(error) = self.history.record_usage(record).await {
            tracing::warn!(%session, "what the answer cost could not be written: {error}");
        }
    }
}

fn summary_request(before: Option<&str>, cut: &[Message], most: u64) -> Request {
    let mut lines: Vec<_> = before.map(|text| format!("Before: {text}")).into_iter().collect();
    for message in cut {
        let (who, text) = match &message.body {
            Body::Person { user, text, .. } => (user.as_ref().map_or_else(|| "Person".to_owned(), ToString::to_string), text),
            Body::Notice { text, .. } => ("Notice".to_owned(), text),
            Body::Answer { text, .. } => ("You".to_owned(), text),
            Body::Result { tool, text, .. } => (format!("Result of {tool}"), text),
            Body::Summary { .. } => continue,
        };
        if !text.is_empty() {
            let mut line = format!("{who}: {text}");
            tokens::cut(&mut line, QUOTE, " […]");
            lines.push(line);
        }
    }
    // The newest count most.
    let mut left = most;
    let fits = |line: &&String| {
        let rest = left.checked_sub(tokens::of_text(line) + 1);
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let mut kept: Vec<_> = lines.iter().rev().take_while(fits).cloned().collect();
    kept.reverse();
    Request {
        system: vec![INSTRUCTIONS.to_owned()],
        entries: vec![Entry::Person { name: None, text: kept.join("\n"), images: Vec::new() }],
        max_output_tokens: Some(SUMMARY),
        ..Request::default()
    }
}

/// What stands where the result of a call was.
const LEFT_OUT: &str = "[The result was left out to make room.]";

/// Makes room within a turn: the oldest results are left out, until the entries have at most so many tokens.
pub(super) fn leave_out_results(entries: &mut [Entry], budget: u64) {
    let mut all: u64 = entries.iter().map(tokens::of_entry).sum();
    let newest = entries.iter().rposition(|entry| matches!(entry, Entry::Answer { .. })).unwrap_or(0);
    for entry in &mut entries[..newest] {
        if all <= budget {
            return;
        }
        let before = tokens::of_entry(entry);
        if let Entry::Result { text, images, .. } = entry
            && tokens::of_text(text) > tokens::of_text(LEFT_OUT)
        {
            LEFT_OUT.clone_into(text);
            images.clear();
        }
        all = all - before + tokens::of_entry(entry);
    }
}

/// Cuts what one person said to what the model can read at all.
pub(super) fn cut_long(entries: &mut [Entry], budget: u64) {
    for entry in entries {
        if let Entry::Person { text, .. } | Entry::Notice { text } = entry {
            tokens::cut(text, budget, " [cut: longer than `agent.context_tokens` allows]");
        }
    }
}

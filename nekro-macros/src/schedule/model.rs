//! What a `#[schedule]` says, checked.

use std::time::Duration;

use proc_macro2::Ident;
use quote::format_ident;
use syn::LitStr;

use crate::{
    shared::{Diagnostics, Function, Keys, Parameter, Parameters, check_name},
    task::model::{BACKOFF, Task},
};

/// A schedule, and the task that it runs.
pub(crate) struct Schedule {
    pub(crate) task: Task,
    pub(crate) when: When,
    /// The variant of `Workdays`.
    pub(crate) workdays: Ident,
    /// The variant of `Misfire`.
    pub(crate) misfire: Ident,
    /// The variant of `Overlap`.
    pub(crate) overlap: Ident,
    pub(crate) grace: Option<Duration>,
    pub(crate) jitter: Option<Duration>,
    pub(crate) pause_after: Option<u32>,
}

/// When it is due.
pub(crate) enum When {
    Cron(LitStr, String),
    Every(Duration),
    AfterEach(Duration),
    At(LitStr),
}

/// The least time between two runs.
const LEAST: Duration = Duration::from_secs(1);

/// Tells whether a text could be the name of a time zone. Which there are, the agent knows.
fn is_zone(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '/' | '_' | '-' | '+'))
}

impl Schedule {
    pub(crate) fn read(function: &Function, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let ident = &function.signature.ident;
        let cron = keys.text("cron", "0 9 * * 1-5", diagnostics);
        let zone = keys.text("zone", "Europe/Berlin", diagnostics);
        let every = keys.duration("every", diagnostics);
        let after_each = keys.duration("after_each", diagnostics);
        let at = keys.text("at", "2026-12-31T09:00:00Z", diagnostics);
        let workdays = [("all", "All"), ("only", "Only"), ("off", "Off"), ("next", "Next"), ("previous", "Previous")];
        let workdays = keys.word("workdays", &workdays, diagnostics).unwrap_or("All");
        let misfire = keys.word("misfire", &[("once", "Once"), ("skip", "Skip"), ("all", "All")], diagnostics).unwrap_or("Once");
        let overlap = [("skip", "Skip"), ("queue", "Queue"), ("parallel", "Parallel")];
        let overlap = keys.word("overlap", &overlap, diagnostics).unwrap_or("Skip");
        let grace = keys.duration("grace", diagnostics);
        let jitter = keys.duration("jitter", diagnostics);
        let pause_after = keys.number("pause_after", "3", diagnostics);
        let retries = keys.number("retries", "3", diagnostics);
        let backoff = keys.duration("backoff", diagnostics);
        let deadline = keys.duration("deadline", diagnostics);
        keys.finish(diagnostics);
        if let (Some(zone), None) = (&zone, &cron) {
            diagnostics.report(zone, "`zone` says in which time zone `cron` is read: add `cron`, or remove it");
        }
        if let Some(cron) = &cron
            && let Some(problem) = super::cron::problem(&cron.value())
        {
            diagnostics.report(cron, problem);
        }
        if let Some(zone) = &zone
            && !is_zone(&zone.value())
        {
            diagnostics.report(zone, "`zone` is the name of a time zone, such as `\"Europe/Berlin\"` or `\"UTC\"`");
        }
        if every.is_some_and(|every| every < LEAST) || after_each.is_some_and(|pause| pause < LEAST) {
            diagnostics.report(ident, "the time between two runs is at least one second");
        }
        let zone = zone.map_or_else(|| "UTC".to_owned(), |zone| zone.value());
        let given =
            [cron.map(|cron| When::Cron(cron, zone)), every.map(When::Every), after_each.map(When::AfterEach), at.map(When::At)];
        let mut given = given.into_iter().flatten();
        let when = given.next();
        if when.is_none() || given.next().is_some() {
            diagnostics.report(ident, "a schedule says once when it is due: by `cron`, `every`, `after_each` or `at`");
        }
        let name = syn::ext::IdentExt::unraw(ident).to_string();
        check_name("the name of a schedule", &name, ident, diagnostics);
        if !function.is_async() {
            diagnostics
                .report(ident, "a schedule's function is `async`: it goes on beside others, and is cancelled where it waits");
        }
        let docs = function.docs();
        if docs.is_empty() {
            diagnostics.report(ident, "a schedule needs a doc comment: `nekro schedules` shows it");
        }
        let parameters = Parameters::read(&function.signature.inputs, "schedule", diagnostics);
        for parameter in &parameters.0 {
            if let Parameter::Argument(argument) = parameter {
                diagnostics
                    .report(&argument.ident, "nobody is there to give a schedule an argument: take what the host lends, by `&`");
            }
        }
        let task = Task {
            name,
            docs,
            is_tool: false,
            retries: retries.unwrap_or(0),
            backoff: backoff.unwrap_or(BACKOFF),
            deadline,
            concurrency: None,
            when_disabled: format_ident!("Pause"),
            on_terminal: None,
            parameters,
        };
        let (workdays, misfire, overlap) = (format_ident!("{workdays}"), format_ident!("{misfire}"), format_ident!("{overlap}"));
        Some(Self { task, when: when?, workdays, misfire, overlap, grace, jitter, pause_after })
    }
}

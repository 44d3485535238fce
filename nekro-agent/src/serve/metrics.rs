//! What is counted of requests, and all counts as Prometheus reads them: <https://prometheus.io/docs/instrumenting/exposition_formats>.

use std::{
    fmt::{Display, Write},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use nekro_core::kernel::Stage;

use super::server::Server;

/// The upper bounds of how long requests took, in milliseconds.
const BOUNDS: [u64; 8] = [1, 5, 25, 100, 500, 2_500, 10_000, 60_000];

/// What is counted of requests.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    under_way: AtomicU64,
    // By the first digit of the status, from 1.
    statuses: [AtomicU64; 5],
    took: [AtomicU64; BOUNDS.len()],
    micros: AtomicU64,
}

impl Metrics {
    pub(super) fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self, status: u16, took: Duration) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.statuses[usize::from(status / 100).clamp(1, 5) - 1].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(at) = BOUNDS.iter().position(|bound| micros <= bound * 1_000) {
            self.took[at].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes all counts.
pub(super) fn text(server: &Server) -> String {
    let mut out = Text(String::new());
    let metrics = &server.kept.metrics;
    let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
    out.head("nekro_http_requests_total", "counter", "Requests that were answered, by the class of their status.");
    let mut all = 0;
    for (class, count) in (1..).zip(&metrics.statuses) {
        all += load(count);
        out.value("nekro_http_requests_total", &[("status", &format!("{class}xx"))], load(count));
    }
    out.head("nekro_http_requests_under_way", "gauge", "Requests that are being answered.");
    out.value("nekro_http_requests_under_way", &[], load(&metrics.under_way));
    out.head("nekro_http_request_seconds", "histogram", "How long it took until an answer began.");
    let mut within = 0;
    for (bound, count) in BOUNDS.iter().zip(&metrics.took) {
        within += load(count);
        let bound = *bound as f64 / 1_000.0;
        out.value("nekro_http_request_seconds_bucket", &[("le", &bound.to_string())], within);
    }
    out.value("nekro_http_request_seconds_bucket", &[("le", "+Inf")], all);
    out.value("nekro_http_request_seconds_sum", &[], load(&metrics.micros) as f64 / 1_000_000.0);
    out.value("nekro_http_request_seconds_count", &[], all);
    let counts = &server.feed.counts;
    out.head("nekro_turns_total", "counter", "Turns that ended, by how.");
    for (outcome, count) in ["answered", "silent", "cancelled", "failed", "limit"].iter().zip(&counts.turns) {
        out.value("nekro_turns_total", &[("outcome", outcome)], load(count));
    }
    out.head("nekro_tool_calls_total", "counter", "Calls of tools that ended, by how.");
    for (outcome, count) in ["ok", "failed", "denied"].iter().zip(&counts.calls) {
        out.value("nekro_tool_calls_total", &[("outcome", outcome)], load(count));
    }
    out.head("nekro_facts_total", "counter", "Facts that were emitted.");
    out.value("nekro_facts_total", &[], load(&counts.facts));
    let status = server.kernel.status();
    out.head("nekro_plugin_running", "gauge", "Whether a plugin runs.");
    for plugin in &status {
        out.value("nekro_plugin_running", &[("plugin", plugin.id)], u8::from(plugin.stage == Stage::Running));
    }
    out.head("nekro_plugin_events_waiting", "gauge", "Events that wait for a plugin.");
    for plugin in &status {
        out.value("nekro_plugin_events_waiting", &[("plugin", plugin.id)], plugin.waiting);
    }
    out.head("nekro_plugin_events_dropped_total", "counter", "Events that were dropped because a plugin's mailbox was full.");
    for plugin in &status {
        out.value("nekro_plugin_events_dropped_total", &[("plugin", plugin.id)], plugin.dropped);
    }
    out.0
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, text)| format!("{label}=\"{text}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

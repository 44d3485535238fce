//! From an event of `tracing` to an entry. What the spans around it say, it says too.

use std::{fmt, sync::atomic::Ordering};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{
    IS_KEPT, Keeper, keeper,
    listen::{listener, written},
};

/// The most characters of one text in an entry.
const MOST_TEXT: usize = 16 * 1024;

/// Writes entries to the disk.
pub(super) struct Keep;

/// The fields of a span or of an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Keep {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let (is_kept, listener) = (IS_KEPT.load(Ordering::Relaxed), listener(*metadata.level()));
        if !is_kept && listener.is_none() {
            return;
        }
        // Whoever is asked for its text may itself write to the log: the keeper is not held yet.
        let mut own = Fields::default();
        event.record(&mut own);
        if let Some(listener) = listener {
            let entry = written(&keeper(), own.0.clone(), *metadata.level(), metadata.target());
            entry.into_iter().for_each(|entry| listener.hear(entry));
        }
        if !is_kept {
            return;
        }
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flatten().collect::<Vec<_>>().iter().rev() {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        fields.0.extend(own.0);
        let mut keeper = keeper();
        let line = entry(&keeper, fields, metadata.level().as_str(), metadata.target());
        if let Some(file) = &mut keeper.file {
            // A log that cannot be written is no reason to end anything, and there is nobody to tell: telling would be logging.
            let _ = file.append(&line);
        }
    }
}

/// Makes a line of an entry: what is known of every one first, and the rest under `fields`.
fn entry(keeper: &Keeper, fields: Fields, level: &str, target: &str) -> String {
    let mut rest = fields.0;
    for value in rest.values_mut() {
        if let Value::String(text) = value {
            *text = keeper.clean(std::mem::take(text));
        }
    }
    let mut line = Map::new();
    line.insert("at".to_owned(), Timestamp::now().to_string().into());
    line.insert("level".to_owned(), level.to_lowercase().into());
    let plugin = rest.remove("plugin").or_else(|| keeper.plugin_of(target).map(Value::from));
    line.extend(plugin.map(|plugin| ("plugin".to_owned(), plugin)));
    for name in ["session", "turn"] {
        line.extend(rest.remove(name).map(|value| (name.to_owned(), value)));
    }
    line.insert("target".to_owned(), target.into());
    line.insert("message".to_owned(), rest.remove("message").unwrap_or_else(|| "".into()));
    if !rest.is_empty() {
        line.insert("fields".to_owned(), rest.into());
    }
    Value::Object(line).to_string()
}

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, cut(value.to_owned()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, cut(format!("{value:?}")));
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_whose_it_is_and_no_secret() {
        let keeper = Keeper {
            file: None,
            secrets: vec!["s3cret and more".to_owned(), "s3cret".to_owned()],
            plugins: vec![("nekro_plugin_dice".to_owned(), "dice")],
        };
        let made = |fields: Value, target: &str| -> Value {
            let Value::Object(fields) = fields else { panic!("fields are an object") };
            let line = entry(&keeper, Fields(fields), "WARN", target);
            assert!(!line.contains("s3cret"), "{line}");
            serde_json::from_str(&line).expect("a line of JSON")
        };
        let one =
            made(serde_json::json!({ "message": "a s3cret and more\nb", "plugin": "notes", "url": "?s3cret&", "n": 1 }), "x");
        assert_eq!((&one["plugin"], &one["level"]), (&"notes".into(), &"warn".into()));
        assert_eq!((&one["message"], &one["fields"]["url"]), (&"a •••\nb".into(), &"?•••&".into()));
        let other = made(serde_json::json!({ "message": "m", "session": "s", "turn": "t" }), "nekro_plugin_dice::notation");
        assert_eq!((&other["plugin"], &other["session"], &other["turn"]), (&"dice".into(), &"s".into(), &"t".into()));
        assert_eq!(made(serde_json::json!({}), "nekro_plugin_dicer")["plugin"], Value::Null);
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(cut("é".repeat(MOST_TEXT)).chars().count(), MOST_TEXT);
        assert!(cut("é".repeat(MOST_TEXT + 1)).ends_with("é…"));
    }
}

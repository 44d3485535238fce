//! Reading `nekro.policy.toml`: every mistake at once, each with its place.

use std::{collections::BTreeMap, fmt, ops::Range, time::Duration};

use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::{Allowance, Cap, CapabilityCaps, Caps, Entry, FILE, List, OriginKind, Policy, Rate, Rule, allowance::LIMITED, scope};
use crate::{argument::suggest, caller::Role, duration};

/// The most mistakes in the syntax that are told: one of them tends to bring others.
const MOST_MISTAKES: usize = 10;

/// Why a text is no policy: every mistake at once. Read by whoever builds the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The mistakes, in the order of their places.
    pub mistakes: Vec<Mistake>,
}

/// One mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: u32,
    /// The character in it, counted from 1.
    pub column: u32,
    /// The key, such as `plugins.notes.capabilities`; empty for the whole.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FILE}:{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy cannot be read")?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
    }
}

impl std::error::Error for PolicyError {}

type Value<'t> = Spanned<DeValue<'t>>;

const ROLES: [(&str, Role); 4] =
    [("guest", Role::Guest), ("user", Role::User), ("manager", Role::Manager), ("admin", Role::Admin)];

const ORIGINS: [OriginKind; 8] = [
    OriginKind::Model,
    OriginKind::Person,
    OriginKind::Schedule,
    OriginKind::Webhook,
    OriginKind::McpClient,
    OriginKind::HttpClient,
    OriginKind::Plugin,
    OriginKind::Host,
];

impl Policy {
    /// Reads the text of a policy.
    ///
    /// # Errors
    ///
    /// Names every mistake, with its place.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut reader = Reader { text, lines, mistakes: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors.iter().take(MOST_MISTAKES) {
            reader.wrong(error.span().unwrap_or(text.len()..text.len()), "", error.message().trim());
        }
        let policy = if errors.is_empty() { reader.policy(table.get_ref()) } else { Self::default() };
        if reader.mistakes.is_empty() {
            return Ok(policy);
        }
        reader.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        Err(PolicyError { mistakes: reader.mistakes })
    }
}

/// Reads values; what is wrong with one is noted, and the rest is read all the same.
struct Reader<'t> {
    text: &'t str,
    // Where each line begins.
    lines: Vec<usize>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Range<usize>, key: &str, problem: impl Into<String>) {
        let at = self.line_index(&span);
        let before = self.text.get(self.lines[at]..span.start).unwrap_or_default();
        let (line, column) = (number_from_1(at), number_from_1(before.chars().count()));
        self.mistakes.push(Mistake { line, column, key: key.to_owned(), problem: problem.into() });
    }

    fn line(&self, span: &Range<usize>) -> u32 {
        number_from_1(self.line_index(span))
    }

    fn line_index(&self, span: &Range<usize>) -> usize {
        // The first line begins at 0, so there is always one.
        self.lines.partition_point(|begin| *begin <= span.start).saturating_sub(1)
    }

    fn policy(&mut self, root: &DeTable<'_>) -> Policy {
        let mut policy = Policy::default();
        self.keys(root, "", &["default", "plugins", "rules"], |reader, name, span, value| match name {
            "default" => policy.default = reader.allowance(value, name, &span),
            "plugins" => {
                let Some(table) = reader.table(value, name) else { return };
                for (id, value) in table {
                    let key = format!("plugins.{}", id.get_ref());
                    let allowance = reader.allowance(value, &key, &id.span());
                    policy.plugins.insert(id.get_ref().to_string(), allowance);
                }
            }
            _ => {
                let Some(rules) = reader.array(value, name, "write each rule under `[[rules]]`") else { return };
                policy.rules = rules.iter().enumerate().filter_map(|(at, value)| reader.rule(value, at)).collect();
            }
        });
        policy
    }

    fn allowance(&mut self, value: &Value<'_>, key: &str, span: &Range<usize>) -> Allowance {
        let mut allowance = Allowance { line: self.line(span), ..Allowance::default() };
        let Some(table) = self.table(value, key) else { return allowance };
        let mut known = vec!["capabilities", "deny", "limits"];
        known.extend(scope::KINDS.iter().map(|kind| kind.capability));
        self.keys(table, key, &known, |reader, name, span, value| {
            let key = format!("{key}.{name}");
            match (name, scope::kind(name)) {
                ("capabilities", _) => allowance.capabilities = reader.list(value, &key, &span),
                ("deny", _) => allowance.deny = reader.list(value, &key, &span),
                ("limits", _) => (allowance.limits, allowance.capability_limits) = reader.caps(value, &key),
                (_, Some(kind)) => {
                    let Some(list) = reader.list_of(value, &key, &span, |entry| kind.problem(entry)) else { return };
                    allowance.scopes.insert(name.to_owned(), list);
                }
                (_, None) => {}
            }
        });
        allowance
    }

    fn caps(&mut self, value: &Value<'_>, key: &str) -> (Caps, BTreeMap<String, CapabilityCaps>) {
        let (mut caps, mut of_capabilities) = (Caps::default(), BTreeMap::new());
        let Some(table) = self.table(value, key) else { return (caps, of_capabilities) };
        let mut known = vec!["call_deadline", "calls_at_once", "mailbox", "concurrency"];
        known.extend(LIMITED);
        self.keys(table, key, &known, |reader, name, span, value| {
            let key = format!("{key}.{name}");
            let line = reader.line(&span);
            match name {
                "call_deadline" => caps.call_deadline = reader.duration(value, &key).map(|most| Cap { most, line }),
                "calls_at_once" => caps.calls_at_once = reader.number(value, &key).map(|most| Cap { most, line }),
                "mailbox" => caps.mailbox = reader.number(value, &key).map(|most| Cap { most, line }),
                "concurrency" => caps.concurrency = reader.number(value, &key).map(|most| Cap { most, line }),
                capability => {
                    of_capabilities.insert(capability.to_owned(), reader.capability_caps(value, &key));
                }
            }
        });
        (caps, of_capabilities)
    }

    fn capability_caps(&mut self, value: &Value<'_>, key: &str) -> CapabilityCaps {
        let mut caps = CapabilityCaps::default();
        let Some(table) = self.table(value, key) else { return caps };
        self.keys(table, key, &["at_once", "rate", "deadline"], |reader, name, span, value| {
            let key = format!("{key}.{name}");
            let line = reader.line(&span);
            match name {
                "at_once" => caps.at_once = reader.number(value, &key).map(|most| Cap { most, line }),
                "rate" => caps.rate = reader.rate(value, &key).map(|most| Cap { most, line }),
                _ => caps.deadline = reader.duration(value, &key).map(|most| Cap { most, line }),
            }
        });
        caps
    }

    fn rule(&mut self, value: &Value<'_>, at: usize) -> Option<Rule> {
        let key = format!("rules[{at}]");
        let table = self.table(value, &key)?;
        let line = self.line(&value.span());
        let mut rule = Rule {
            name: None,
            tools: Vec::new(),
            commands: Vec::new(),
            routes: Vec::new(),
            deny: false,
            role: None,
            origins: None,
            rate: None,
            ask: false,
            line,
        };
        let known = ["name", "tools", "commands", "routes", "deny", "role", "origins", "rate", "ask"];
        let before = self.mistakes.len();
        self.keys(table, &key, &known, |reader, name, _, value| {
            let key = format!("{key}.{name}");
            match name {
                "name" => rule.name = reader.text(value, &key),
                "tools" => rule.tools = reader.names(value, &key, "notes.*"),
                "commands" => rule.commands = reader.names(value, &key, "reset"),
                "routes" => rule.routes = reader.routes(value, &key),
                "deny" => rule.deny = reader.yes(value, &key),
                "role" => rule.role = reader.role(value, &key),
                "origins" => rule.origins = reader.origins(value, &key),
                "rate" => rule.rate = reader.rate(value, &key),
                _ => rule.ask = reader.yes(value, &key),
            }
        });
        if self.mistakes.len() == before {
            if rule.tools.is_empty() && rule.commands.is_empty() && rule.routes.is_empty() {
                self.wrong(
                    value.span(),
                    &key,
                    "a rule is about something: add `tools`, `commands` or `routes`, such as `tools = \"notes.*\"`",
                );
            }
            if rule.role.is_none() && rule.origins.is_none() && rule.rate.is_none() && !rule.ask && !rule.deny {
                self.wrong(value.span(), &key, "this rule forbids nothing: add `role`, `origins`, `rate`, `ask` or `deny`");
            }
            if rule.ask && !rule.commands.is_empty() {
                self.wrong(
                    value.span(),
                    &key,
                    "`ask` is for tools, and a command was typed by a person already: remove one of the two",
                );
            }
            if rule.ask && !rule.routes.is_empty() {
                self.wrong(
                    value.span(),
                    &key,
                    "`ask` is for tools, and whoever asks for a route cannot be asked: use `role` or `deny`",
                );
            }
        }
        Some(rule)
    }

    /// Reads the keys of a table; one that is not known is a mistake.
    fn keys<'v, 't: 'v>(
        &mut self,
        table: &'v DeTable<'t>,
        of: &str,
        known: &[&str],
        mut read: impl FnMut(&mut Self, &str, Range<usize>, &'v Value<'t>),
    ) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                read(self, name, key.span(), value);
                continue;
            }
            let full = if of.is_empty() { name.to_owned() } else { format!("{of}.{name}") };
            let problem = match suggest(name, known.iter().copied()) {
                Some(meant) => format!("unknown key: did you mean `{meant}`?"),
                None => format!("unknown key: there are {}", quoted(known)),
            };
            self.wrong(key.span(), &full, problem);
        }
    }

    fn table<'v, 't>(&mut self, value: &'v Value<'t>, key: &str) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.expected(value, key, &format!("a table: write `[{key}]`")),
        }
    }

    fn array<'v, 't>(&mut self, value: &'v Value<'t>, key: &str, hint: &str) -> Option<&'v [Value<'t>]> {
        match value.get_ref() {
            DeValue::Array(items) => Some(items),
            _ => self.expected(value, key, &format!("a list: {hint}")),
        }
    }

    fn expected<T>(&mut self, value: &Value<'_>, key: &str, what: &str) -> Option<T> {
        self.wrong(value.span(), key, format!("expected {what}"));
        None
    }

    fn text(&mut self, value: &Value<'_>, key: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => self.expected(value, key, "a text"),
        }
    }

    fn list(&mut self, value: &Value<'_>, key: &str, span: &Range<usize>) -> Option<List> {
        self.list_of(value, key, span, |_| None)
    }

    fn list_of(
        &mut self,
        value: &Value<'_>,
        key: &str,
        span: &Range<usize>,
        problem: impl Fn(&str) -> Option<String>,
    ) -> Option<List> {
        let items = self.array(value, key, "write `[\"…\"]`")?;
        let mut list = List { entries: Vec::new(), line: self.line(span) };
        for (at, item) in items.iter().enumerate() {
            let key = format!("{key}[{at}]");
            let Some(text) = self.text(item, &key) else { continue };
            match problem(&text) {
                Some(problem) => self.wrong(item.span(), &key, problem),
                None => list.entries.push(Entry { text, line: self.line(&item.span()) }),
            }
        }
        Some(list)
    }

    /// Reads one pattern of names, or a list of these.
    fn names(&mut self, value: &Value<'_>, key: &str, example: &str) -> Vec<Entry> {
        let items = match value.get_ref() {
            DeValue::String(_) => std::slice::from_ref(value),
            DeValue::Array(items) if !items.is_empty() => &items[..],
            _ => {
                return self
                    .expected(value, key, &format!("a name or a list of names, such as \"{example}\""))
                    .unwrap_or_default();
            }
        };
        let mut names = Vec::new();
        for item in items {
            let Some(text) = self.text(item, key) else { continue };
            // A command in a group has two words.
            let has_groups = key.ends_with("commands");
            let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'*') || has_groups && byte == b' ';
            if text.is_empty() || !text.bytes().all(fits) {
                self.wrong(
                    item.span(),
                    key,
                    format!(
                        "`{text}` is the name of nothing: write lower case letters, digits, `_`, `.` and `*`, such as `{example}`"
                    ),
                );
            } else {
                names.push(Entry { text, line: self.line(&item.span()) });
            }
        }
        names
    }

    fn routes(&mut self, value: &Value<'_>, key: &str) -> Vec<Entry> {
        const EXAMPLE: &str = "POST /p/board/*";
        let items = match value.get_ref() {
            DeValue::String(_) => std::slice::from_ref(value),
            DeValue::Array(items) if !items.is_empty() => &items[..],
            _ => {
                return self
                    .expected(value, key, &format!("a route or a list of routes, such as \"{EXAMPLE}\""))
                    .unwrap_or_default();
            }
        };
        let mut routes = Vec::new();
        for item in items {
            let Some(text) = self.text(item, key) else { continue };
            let (method, path) = text.split_once(' ').unwrap_or(("*", &text));
            let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'*');
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.~{}*".contains(&byte);
            let is_path = path.starts_with(['/', '*']) && path.bytes().all(fits);
            if is_method && is_path {
                routes.push(Entry { text, line: self.line(&item.span()) });
            } else {
                let problem = format!(
                    "`{text}` is no route: write its path as `nekro plugins show` does, alone or after its method, such as `{EXAMPLE}`"
                );
                self.wrong(item.span(), key, problem);
            }
        }
        routes
    }

    fn number(&mut self, value: &Value<'_>, key: &str) -> Option<usize> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => whole(number),
            _ => None,
        };
        match number.filter(|number| *number > 0) {
            Some(number) => Some(number),
            None => self.expected(value, key, "a whole number from 1 on"),
        }
    }

    fn duration(&mut self, value: &Value<'_>, key: &str) -> Option<Duration> {
        let duration = match value.get_ref() {
            DeValue::String(text) => duration::parse(text),
            _ => None,
        };
        match duration.filter(|duration| !duration.is_zero()) {
            Some(duration) => Some(duration),
            None => self.expected(value, key, "a duration above 0, such as \"30s\" or \"2m\""),
        }
    }

    fn rate(&mut self, value: &Value<'_>, key: &str) -> Option<Rate> {
        let text = self.text(value, key)?;
        text.parse().map_err(|error: super::rule::RateError| self.wrong(value.span(), key, error.to_string())).ok()
    }

    fn yes(&mut self, value: &Value<'_>, key: &str) -> bool {
        match value.get_ref() {
            DeValue::Boolean(yes) => *yes,
            _ => self.expected(value, key, "`true` or `false`").unwrap_or_default(),
        }
    }

    fn role(&mut self, value: &Value<'_>, key: &str) -> Option<Role> {
        self.word(value, key, &ROLES)
    }

    fn origins(&mut self, value: &Value<'_>, key: &str) -> Option<Vec<OriginKind>> {
        let items = self.array(value, key, "write `[\"person\"]`")?;
        if items.is_empty() {
            return self.expected(value, key, "at least one origin: to allow no call at all, leave the plugin out of the bundle");
        }
        let words: BTreeMap<_, _> = ORIGINS.into_iter().map(|origin| (origin.name(), origin)).collect();
        let words: Vec<_> = words.into_iter().collect();
        let mut origins: Vec<_> = items.iter().filter_map(|item| self.word(item, key, &words)).collect();
        origins.sort();
        origins.dedup();
        Some(origins)
    }

    fn word<T: Copy>(&mut self, value: &Value<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(value, key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let help = match suggest(&text, names.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", quoted(&names)),
            };
            self.wrong(value.span(), key, format!("`{text}` is not known here: {help}"));
        }
        found
    }
}

fn number_from_1(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

fn whole(number: &DeInteger<'_>) -> Option<usize> {
    usize::from_str_radix(number.as_str(), number.radix()).ok()
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([\\[\\]{}='\",.#\n é0-9a-z]|rules|default|plugins|limits|tools|= ?'){0,60}") {
            // Right or wrong: it is told.
            let _ = Policy::parse(&text);
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&Policy::parse(text).expect_err("it is wrong").to_string());
    }

    #[test]
    fn every_part_knows_its_line() {
        let text =
            "[default]\ndeny = [\n  'http',\n]\n\n[plugins.a]\nenv = ['LANG']\nlimits = { mailbox = 3 }\n\n[plugins.a.limits2]\n";
        let policy = Policy::parse(&text.replace("\n[plugins.a.limits2]\n", "\n[[rules]]\ntools = 'a.b'\nrate = '1/1s'\n"))
            .expect("it is right");
        assert_eq!(policy.default.deny.as_ref().map(|list| (list.line, list.entries[0].line)), Some((2, 3)));
        let a = &policy.plugins["a"];
        assert_eq!((policy.default.line, a.line, a.scopes["env"].line, policy.rules[0].line), (1, 6, 7, 10));
        assert_eq!(a.limits.mailbox, Some(Cap { most: 3, line: 8 }));
        let json = serde_json::to_string(&policy).expect("plain data");
        assert_eq!(serde_json::from_str::<Policy>(&json).expect("it was written so"), policy);
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_place() {
        check(
            "[defualt]\n[plugins.notes]\ncapabilites = []\nenv = ['$HOME', 3]\nhttp = 'a.org'\nlimits.mailbox = 0\nlimits.call_deadline = 5\n\
             [[rules]]\ntools = []\nrole = 'admn'\norigins = ['modle', 'person']\nrate = '10 a minute'\nask = 'yes'\ncolour = 1\n\
             [[rules]]\nrole = 'admin'\n[[rules]]\ntools = 'Notes.*'\n[[rules]]\ntools = 'a.b'\n[[rules]]\ncommands = 'b'\nask = true\n[[rules]]\ncommands = 'x'\norigins = []\n",
            expect![[r#"
                the policy cannot be read
                  - nekro.policy.toml:1:2: `defualt`: unknown key: did you mean `default`?
                  - nekro.policy.toml:3:1: `plugins.notes.capabilites`: unknown key: did you mean `capabilities`?
                  - nekro.policy.toml:4:8: `plugins.notes.env[0]`: `$HOME` allows nothing: write an environment variable, such as `LANG` or `LC_*`
                  - nekro.policy.toml:4:17: `plugins.notes.env[1]`: expected a text
                  - nekro.policy.toml:5:8: `plugins.notes.http`: expected a list: write `["…"]`
                  - nekro.policy.toml:6:18: `plugins.notes.limits.mailbox`: expected a whole number from 1 on
                  - nekro.policy.toml:7:24: `plugins.notes.limits.call_deadline`: expected a duration above 0, such as "30s" or "2m"
                  - nekro.policy.toml:9:9: `rules[0].tools`: expected a name or a list of names, such as "notes.*"
                  - nekro.policy.toml:10:8: `rules[0].role`: `admn` is not known here: did you mean `admin`?
                  - nekro.policy.toml:11:12: `rules[0].origins`: `modle` is not known here: did you mean `model`?
                  - nekro.policy.toml:12:8: `rules[0].rate`: expected a rate such as "10/1m": from 1 to 1000000 calls, `/`, and a time from 1ms to 10000h
                  - nekro.policy.toml:13:7: `rules[0].ask`: expected `true` or `false`
                  - nekro.policy.toml:14:1: `rules[0].colour`: unknown key: there are `name`, `tools`, `commands`, `routes`, `deny`, `role`, `origins`, `rate`, `ask`
                  - nekro.policy.toml:15:1: `rules[1]`: a rule is about something: add `tools`, `commands` or `routes`, such as `tools = "notes.*"`
                  - nekro.policy.toml:18:9: `rules[2].tools`: `Notes.*` is the name of nothing: write lower case letters, digits, `_`, `.` and `*`, such as `notes.*`
                  - nekro.policy.toml:19:1: `rules[3]`: this rule forbids nothing: add `role`, `origins`, `rate`, `ask` or `deny`
                  - nekro.policy.toml:21:1: `rules[4]`: `ask` is for tools, and a command was typed by a person already: remove one of the two
                  - nekro.policy.toml:26:11: `rules[5].origins`: expected at least one origin: to allow no call at all, leave the plugin out of the bundle"#]],
        );
        check(
            "rules = 3\ndefault = 1\n[plugins]\na = 2\n",
            expect![[r#"
            the policy cannot be read
              - nekro.policy.toml:1:9: `rules`: expected a list: write each rule under `[[rules]]`
              - nekro.policy.toml:2:11: `default`: expected a table: write `[default]`
              - nekro.policy.toml:4:5: `plugins.a`: expected a table: write `[plugins.a]`"#]],
        );
        check(
            "[default\ndeny = [,\n",
            expect![[r#"
            the policy cannot be read
              - nekro.policy.toml:1:9: unclosed table, expected `]`
              - nekro.policy.toml:2:9: extra comma in array, expected value
              - nekro.policy.toml:2:10: unclosed array, expected `]`"#]],
        );
    }

    #[test]
    fn hostile_texts_are_refused_in_a_moment() {
        for text in ["[".repeat(200_000), format!("a = {}", "[".repeat(200_000)), "[a]\n".repeat(100_000), "\"".repeat(100_000)] {
            assert!(Policy::parse(&text).is_err());
        }
    }
}

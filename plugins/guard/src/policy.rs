//! Rules about tools, and which of them decides.
//!
//! **The first rule that fits decides**, as in a firewall: an exception stands before what it is an exception from. A tool that no rule
//! fits is judged by `default`, and a destructive one by the stricter of `destructive` and `default`.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    asker::{Origin, Role},
    pattern::Pattern,
};

/// What becomes of a call, from the least strict to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// It may be made.
    Allow,
    /// A person has to say.
    Ask,
    /// It may not be made.
    Deny,
}

/// A rule. It fits a call that meets all of its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// The names of the tools, in which `*` stands for any characters, such as `"files.*"`; or a list of these.
    tools: Patterns,
    /// What becomes of the call.
    action: Action,
    /// Why: told to whoever is asked or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Only for people with one of these roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roles: Option<Set<Role>>,
    /// Only for calls that came through one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origins: Option<Set<Origin>>,
    /// Only for tools that may destroy something (`true`), or only for the others (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destructive: Option<bool>,
    /// Only for tools that change nothing (`true`), or only for the others (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
}

/// One pattern or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "OneOrMany", into = "OneOrMany")]
#[schemars(inline)]
// Invariant: at least one.
struct Patterns(Vec<Pattern>);

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a pattern of tool names such as \"files.*\", or a list of these")]
#[schemars(inline)]
enum OneOrMany {
    One(#[schemars(with = "Pattern")] String),
    Many(#[schemars(with = "Vec<Pattern>", length(min = 1))] Vec<String>),
}

/// The values that a condition accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeSet<T>", into = "BTreeSet<T>", bound(deserialize = "T: Ord + Deserialize<'de>"))]
#[schemars(inline, extend("minItems" = 1))]
// Invariant: at least one.
struct Set<T: Ord + Clone + Serialize>(BTreeSet<T>);

/// A list is empty: its rule would fit nothing and pass for protection, or fit everything and be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EmptyList;

/// A call, as far as rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// The tool's name.
    pub(crate) tool: &'a str,
    /// Whether it may destroy something.
    pub(crate) destructive: bool,
    /// Whether it changes nothing.
    pub(crate) read_only: bool,
    /// What the person behind it may do.
    pub(crate) role: Role,
    /// Through what it came; `None` for a way that this plugin does not know yet.
    pub(crate) origin: Option<Origin>,
}

/// Rules, and what holds where none fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy<'a> {
    /// The rules; the first that fits decides.
    pub(crate) rules: &'a [Rule],
    /// What becomes of a call that no rule fits.
    pub(crate) default: Action,
    /// What becomes of it, at least, if the tool may destroy something.
    pub(crate) destructive: Action,
}

/// What is decided, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision<'a> {
    /// What becomes of the call.
    pub(crate) action: Action,
    /// What decided so.
    pub(crate) by: By<'a>,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By<'a> {
    /// A rule, counted from 1.
    Rule(usize, &'a Rule),
    /// What holds for a tool that may destroy something.
    Destructive,
    /// What holds for everything else.
    Default,
}

impl<'a> Policy<'a> {
    /// Decides about a call.
    pub(crate) fn decide(&self, question: &Question<'_>) -> Decision<'a> {
        match self.rules.iter().enumerate().find(|(_, rule)| rule.fits(question)) {
            Some((at, rule)) => Decision { action: rule.action, by: By::Rule(at + 1, rule) },
            None if question.destructive && self.destructive > self.default => {
                Decision { action: self.destructive, by: By::Destructive }
            }
            None => Decision { action: self.default, by: By::Default },
        }
    }
}

impl Rule {
    fn fits(&self, question: &Question<'_>) -> bool {
        let origin = |set: &Set<Origin>| match question.origin {
            Some(origin) => set.0.contains(&origin),
            // It may be one of those that are meant: that must not allow anything, and may well refuse.
            None => self.action != Action::Allow,
        };
        self.tools.0.iter().any(|pattern| pattern.matches(question.tool))
            && self.roles.as_ref().is_none_or(|set| set.0.contains(&question.role))
            && self.origins.as_ref().is_none_or(origin)
            && self.destructive.is_none_or(|wanted| wanted == question.destructive)
            && self.read_only.is_none_or(|wanted| wanted == question.read_only)
    }
}

impl Decision<'_> {
    /// Returns what whoever is asked or refused is told.
    pub(crate) fn reason(&self, tool: &str) -> String {
        match self.by {
            By::Rule(_, Rule { reason: Some(reason), .. }) => reason.clone(),
            By::Rule(number, _) => format!("rule {number} of the guard says `{}`", self.action),
            By::Destructive => format!("`{tool}` may destroy something"),
            By::Default => format!("no rule of the guard allows `{tool}`"),
        }
    }
}

impl TryFrom<OneOrMany> for Patterns {
    type Error = String;

    fn try_from(patterns: OneOrMany) -> Result<Self, String> {
        let patterns = match patterns {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) if many.is_empty() => return Err(EmptyList.to_string()),
            OneOrMany::Many(many) => many,
        };
        let read = |text: String| Pattern::try_from(text.clone()).map_err(|error| format!("`{text}`: {error}"));
        patterns.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Patterns> for OneOrMany {
    fn from(patterns: Patterns) -> Self {
        Self::Many(patterns.0.into_iter().map(String::from).collect())
    }
}

impl<T: Ord + Clone + Serialize> TryFrom<BTreeSet<T>> for Set<T> {
    type Error = EmptyList;

    fn try_from(set: BTreeSet<T>) -> Result<Self, EmptyList> {
        if set.is_empty() { Err(EmptyList) } else { Ok(Self(set)) }
    }
}

impl<T: Ord + Clone + Serialize> From<Set<T>> for BTreeSet<T> {
    fn from(set: Set<T>) -> Self {
        set.0
    }
}

impl fmt::Display for EmptyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list is empty: leave the key out if anything will do")
    }
}

/// The word of the configuration.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The rule on one line, such as `deny files.*, shell.run, from model: not from the model`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tools, action, reason, roles, origins, destructive, read_only } = self;
        write!(f, "{action} {}", comma(&tools.0))?;
        for (wanted, yes, no) in [(destructive, "destructive", "not destructive"), (read_only, "read-only", "not read-only")] {
            match wanted {
                Some(true) => write!(f, ", if {yes}")?,
                Some(false) => write!(f, ", if {no}")?,
                None => {}
            }
        }
        if let Some(roles) = roles {
            write!(f, ", for {}", comma(&roles.0))?;
        }
        if let Some(origins) = origins {
            write!(f, ", from {}", comma(&origins.0))?;
        }
        reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

fn comma(items: impl IntoIterator<Item: fmt::Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// The whole policy, a line to a rule.
impl fmt::Display for Policy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rule) in self.rules.iter().enumerate() {
            writeln!(f, "{}. {rule}", at + 1)?;
        }
        if self.destructive > self.default {
            writeln!(f, "else, if destructive: {}", self.destructive)?;
        }
        write!(f, "else: {}", self.default)
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, by ", self.action)?;
        match self.by {
            By::Rule(number, rule) => write!(f, "rule {number}: {rule}"),
            By::Destructive => f.write_str("the key `destructive`: no rule fits"),
            By::Default => f.write_str("the key `default`: no rule fits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tools: &[&str], action: Action) -> Rule {
        let tools = OneOrMany::Many(tools.iter().map(|tool| (*tool).to_owned()).collect());
        let tools = Patterns::try_from(tools).expect("patterns");
        Rule { tools, action, reason: None, roles: None, origins: None, destructive: None, read_only: None }
    }

    const QUESTION: Question<'_> =
        Question { tool: "files.delete", destructive: true, read_only: false, role: Role::User, origin: Some(Origin::Model) };

    #[track_caller]
    fn check(rules: &[Rule], question: &Question<'_>, expected: &str) {
        let policy = Policy { rules, default: Action::Allow, destructive: Action::Ask };
        let decision = policy.decide(question);
        let by = match decision.by {
            By::Rule(number, _) => format!("rule {number}"),
            other => format!("{other:?}"),
        };
        assert_eq!(format!("{} by {by}", decision.action), expected);
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = [rule(&["shell.*"], Action::Deny), rule(&["files.delete"], Action::Allow), rule(&["files.*"], Action::Deny)];
        check(&rules, &QUESTION, "allow by rule 2");
        check(&rules, &Question { tool: "files.write", ..QUESTION }, "deny by rule 3");
        check(&rules, &Question { tool: "notes.remove", ..QUESTION }, "ask by Destructive");
        check(&rules, &Question { tool: "notes.save", destructive: false, ..QUESTION }, "allow by Default");
    }

    #[test]
    fn a_rule_fits_when_all_of_its_conditions_do() {
        let all = Rule {
            roles: Some(Set(BTreeSet::from([Role::User, Role::Guest]))),
            origins: Some(Set(BTreeSet::from([Origin::Model]))),
            destructive: Some(true),
            read_only: Some(false),
            ..rule(&["web.*", "files.*"], Action::Deny)
        };
        assert!(all.fits(&QUESTION));
        for other in [
            Question { tool: "notes.save", ..QUESTION },
            Question { role: Role::Admin, ..QUESTION },
            Question { origin: Some(Origin::Person), ..QUESTION },
            Question { destructive: false, ..QUESTION },
            Question { read_only: true, ..QUESTION },
        ] {
            assert!(!all.fits(&other), "{other:?}");
        }
    }

    #[test]
    fn an_origin_that_is_not_known_yet_is_allowed_nothing() {
        let unknown = Question { origin: None, ..QUESTION };
        let from_a_person = |action| Rule { origins: Some(Set(BTreeSet::from([Origin::Person]))), ..rule(&["*"], action) };
        assert!(!from_a_person(Action::Allow).fits(&unknown));
        assert!(from_a_person(Action::Ask).fits(&unknown) && from_a_person(Action::Deny).fits(&unknown));
    }

    #[test]
    fn a_destructive_tool_is_never_judged_more_leniently_than_others() {
        for (default, destructive, expected) in [
            (Action::Allow, Action::Ask, Action::Ask),
            (Action::Allow, Action::Allow, Action::Allow),
            (Action::Deny, Action::Ask, Action::Deny),
        ] {
            assert_eq!(Policy { rules: &[], default, destructive }.decide(&QUESTION).action, expected);
        }
    }
}

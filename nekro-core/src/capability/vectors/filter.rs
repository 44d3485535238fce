//! What has to be true of what is found: conditions on the fields of what is kept beside a text.
//!
//! No more than every store can do by itself, and the same in all of them.

use serde_json::Value;

/// What has to be true of what is found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// All of these are true.
    pub must: Vec<FieldCondition>,
    /// None of these is.
    pub must_not: Vec<FieldCondition>,
}

/// A condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldCondition {
    /// The field; of one within another, both with a dot between them.
    pub field: String,
    /// What it is compared with. A field that is a list fits if one of its values does, and one that is not there never.
    pub test: FieldTest,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldTest {
    /// It is one of these.
    OneOf(Vec<Value>),
    /// It is a number within these bounds, both included.
    Between(Option<f64>, Option<f64>),
}

impl Filter {
    /// Makes one that is true of everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds that a field has a value.
    #[must_use]
    pub fn eq(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.and(field, FieldTest::OneOf(vec![value.into()]))
    }

    /// Adds that a field has one of several values.
    #[must_use]
    pub fn one_of<V: Into<Value>>(self, field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        self.and(field, FieldTest::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Adds that a field is a number, and not less than this.
    #[must_use]
    pub fn at_least(self, field: impl Into<String>, least: impl Into<f64>) -> Self {
        self.and(field, FieldTest::Between(Some(least.into()), None))
    }

    /// Adds that a field is a number, and not more than this.
    #[must_use]
    pub fn at_most(self, field: impl Into<String>, most: impl Into<f64>) -> Self {
        self.and(field, FieldTest::Between(None, Some(most.into())))
    }

    /// Adds that a field does not have a value, or is not there.
    #[must_use]
    pub fn not(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.must_not.push(FieldCondition { field: field.into(), test: FieldTest::OneOf(vec![value.into()]) });
        self
    }

    fn and(mut self, field: impl Into<String>, test: FieldTest) -> Self {
        self.must.push(FieldCondition { field: field.into(), test });
        self
    }

    /// Tells whether it is true of everything.
    pub fn is_empty(&self) -> bool {
        self.must.is_empty() && self.must_not.is_empty()
    }

    /// Tells whether it is true of what is kept beside a text.
    pub fn matches(&self, payload: &Value) -> bool {
        self.must.iter().all(|condition| condition.matches(payload))
            && !self.must_not.iter().any(|condition| condition.matches(payload))
    }
}

impl FieldCondition {
    fn matches(&self, payload: &Value) -> bool {
        let found = self.field.split('.').try_fold(payload, |value, key| value.get(key));
        match found {
            None => false,
            Some(Value::Array(values)) => values.iter().any(|value| self.test.matches(value)),
            Some(value) => self.test.matches(value),
        }
    }
}

impl FieldTest {
    fn matches(&self, value: &Value) -> bool {
        match self {
            Self::OneOf(values) => values.iter().any(|one| match (one.as_f64(), value.as_f64()) {
                // 1 and 1.0 are the same number.
                (Some(one), Some(other)) => one == other,
                _ => one == value,
            }),
            Self::Between(least, most) => value
                .as_f64()
                .is_some_and(|number| least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_compares_fields() {
        let payload = json!({ "kind": "note", "year": 2030, "tags": ["tea", "cake"], "of": { "name": "Ada" }, "empty": null });
        for (filter, expected) in [
            (Filter::new(), true),
            (Filter::new().eq("kind", "note"), true),
            (Filter::new().eq("kind", "page"), false),
            (Filter::new().eq("year", 2030.0), true),
            (Filter::new().eq("year", "2030"), false),
            (Filter::new().one_of("kind", ["page", "note"]), true),
            (Filter::new().one_of("kind", Vec::<String>::new()), false),
            (Filter::new().eq("tags", "cake"), true),
            (Filter::new().eq("of.name", "Ada"), true),
            (Filter::new().eq("of.age", 3), false),
            (Filter::new().at_least("year", 2030).at_most("year", 2030), true),
            (Filter::new().at_least("year", 2031), false),
            (Filter::new().at_most("kind", 1), false),
            (Filter::new().not("tags", "tea"), false),
            (Filter::new().not("absent", "tea"), true),
            (Filter::new().eq("absent", Value::Null), false),
            (Filter::new().eq("empty", Value::Null), true),
        ] {
            assert_eq!(filter.matches(&payload), expected, "{filter:?}");
        }
    }
}

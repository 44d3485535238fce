//! The names things go by: sessions, turns, messages, calls, users and plugins.
//!
//! Each is its own type, so that one cannot be passed where another is meant. All are cheap to clone.

use std::{borrow::Borrow, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! id {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a text. Any text is an id; only equality counts.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    };
}

id! {
    /// A conversation: a private chat, a group, a terminal.
    SessionId
}
id! {
    /// One turn of a session: a message in, an answer out.
    TurnId
}
id! {
    /// A message of a session.
    MessageId
}
id! {
    /// One call of a tool.
    CallId
}
id! {
    /// A person, as the channel knows them.
    UserId
}
id! {
    /// A task, such as `t12`.
    TaskId
}
id! {
    /// A plugin, such as `weather`.
    PluginId
}

impl SessionId {
    /// Returns the name of the channel that the session lives in: what stands before the first `:`, such as `telegram` in
    /// `telegram:-100123`. An id without one is a channel of its own.
    pub fn channel(&self) -> &str {
        self.as_str().split_once(':').map_or(self.as_str(), |(channel, _)| channel)
    }
}

/// A field of an event that says where it happened: an id, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say where an event happened",
    label = "not an id",
    note = "a field `session` is a `SessionId` or an `Option<SessionId>`, and a field `turn` a `TurnId` or an `Option<TurnId>`; call it otherwise if it is something else"
)]
pub trait MaybeId<I> {
    /// Returns the id, if there is one.
    fn id(&self) -> Option<&I>;
}

macro_rules! maybe {
    ($($id:ty)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl MaybeId<$id> for $id {
                fn id(&self) -> Option<&$id> {
                    Some(self)
                }
            }

            #[diagnostic::do_not_recommend]
            impl MaybeId<$id> for Option<$id> {
                fn id(&self) -> Option<&$id> {
                    self.as_ref()
                }
            }
        )*
    };
}

maybe!(SessionId TurnId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lives_in_the_channel_that_its_id_begins_with() {
        for (session, channel) in
            [("telegram:-100123", "telegram"), ("mail:a:b", "mail"), ("terminal", "terminal"), ("", ""), (":x", ""), ("x:", "x")]
        {
            assert_eq!(SessionId::from(session).channel(), channel, "{session}");
        }
    }
}

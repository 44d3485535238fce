//! The module `files` of scripts: the files of the session, through calls.
//!
//! They are those that tools and people exchange in a conversation, with its quotas. A script has no file system; what it gets of a path is
//! what [`SandboxPath`] lets through.

use base64::{Engine, prelude::BASE64_STANDARD};
use nekro_core::{
    Effect, Error, FileEntry, FileKind, FilePlace, FilesPort, IntoReply, Reply, Result, SandboxPath, WriteHow,
    event::facts::ToolOutcome, kernel::Kernel,
};
use nekro_sandbox::{Function, Parameter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::script::Own;

/// Their names.
pub(super) const NAMES: &[&str] = &["files.read", "files.write", "files.list", "files.remove"];

/// Describes them.
pub(super) fn functions() -> Vec<Function> {
    let path = |description| parameter("path", description, json!({ "type": "string" }));
    let flag = |description| {
        let flag = parameter("base64", description, json!({ "type": "boolean", "default": false }));
        Parameter { optional: true, ..flag }
    };
    let entry = |fields: Value, required: Value| json!({ "type": "object", "properties": fields, "required": required });
    let listed =
        json!({ "path": { "type": "string" }, "kind": { "enum": ["file", "directory"] }, "bytes": { "type": "integer" } });
    vec![
        function(
            "files.list",
            "Lists the files of this conversation.",
            vec![Parameter {
                optional: true,
                schema: json!({ "type": ["string", "null"], "default": null }),
                ..path("A directory; without it, the uppermost one.")
            }],
            json!({ "type": "array", "items": entry(listed, json!(["path", "kind", "bytes"])) }),
        ),
        function(
            "files.read",
            "Reads a file of this conversation.",
            vec![
                path("Its path, such as notes/today.txt."),
                flag("Whether to return its bytes as base64, for a file that is no text."),
            ],
            json!({ "type": "string" }),
        ),
        function(
            "files.remove",
            "Removes a file, or a directory with nothing in it. Returns whether it was there.",
            vec![path("Its path.")],
            json!({ "type": "boolean" }),
        ),
        function(
            "files.write",
            "Writes a file of this conversation, in place of what was there.",
            vec![
                path("Its path, such as notes/today.txt. Directories are made."),
                parameter("text", "What it holds.", json!({ "type": "string" })),
                flag("Whether that is base64, of a file that is no text."),
            ],
            entry(json!({ "path": { "type": "string" }, "bytes": { "type": "integer" } }), json!(["path", "bytes"])),
        ),
    ]
}

fn function(name: &str, description: &str, parameters: Vec<Parameter>, returns: Value) -> Function {
    Function { name: name.to_owned(), description: description.to_owned(), parameters, returns: Some(returns) }
}

fn parameter(name: &str, description: &str, schema: Value) -> Parameter {
    Parameter { name: name.to_owned(), description: description.to_owned(), schema, optional: false }
}

/// A call of one of them.
#[derive(Debug)]
enum Do {
    Read(Read),
    Write(Write),
    List(List),
    Remove(Remove),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    path: SandboxPath,
    #[serde(default)]
    base64: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    path: SandboxPath,
    text: String,
    #[serde(default)]
    base64: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    path: Option<SandboxPath>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    path: SandboxPath,
}

/// A file or a directory, as a script is told of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    path: String,
    kind: &'static str,
    bytes: u64,
}

/// A file that was written.
#[derive(Debug, Serialize, JsonSchema)]
struct Written {
    path: String,
    bytes: u64,
}

impl Do {
    fn read(function: &str, arguments: &Value) -> Result<Self> {
        let read = match function {
            "files.read" => Read::deserialize(arguments).map(Self::Read),
            "files.write" => Write::deserialize(arguments).map(Self::Write),
            "files.list" => List::deserialize(arguments).map(Self::List),
            _ => Remove::deserialize(arguments).map(Self::Remove),
        };
        read.map_err(|error| {
            Error::new(format!("the arguments of `{function}` are wrong: {error}")).with_code("invalid_arguments")
        })
    }

    fn effect(&self) -> Effect {
        match self {
            Self::Read(_) | Self::List(_) => Effect::new(true, false, true),
            Self::Write(_) => Effect::new(false, false, true),
            Self::Remove(_) => Effect::new(false, true, true),
        }
    }

    async fn carry_out(self, port: &dyn FilesPort, place: &FilePlace) -> Result<Reply> {
        match self {
            Self::Read(Read { path, base64 }) => {
                let bytes = port.read(place, &path).await?;
                if base64 {
                    return BASE64_STANDARD.encode(bytes).into_reply();
                }
                let no_text = |_| {
                    Error::new(format!("`{path}` is no text"))
                        .with_code("not_text")
                        .with_hint("read it with `base64=True`, and decode it with `base64.b64decode`")
                };
                String::from_utf8(bytes).map_err(no_text)?.into_reply()
            }
            Self::Write(Write { path, text, base64 }) => {
                let bytes = if base64 {
                    BASE64_STANDARD
                        .decode(text.trim())
                        .map_err(|error| Error::new(format!("`text` is no base64: {error}")).with_code("invalid_arguments"))?
                } else {
                    text.into_bytes()
                };
                let FileEntry { path, bytes, .. } = port.write(place, &path, bytes, WriteHow::Replace).await?;
                Written { path: path.to_string(), bytes }.into_reply()
            }
            Self::List(List { path }) => {
                let listed = |entry: FileEntry| Listed {
                    path: entry.path.to_string(),
                    kind: if entry.kind == FileKind::Directory { "directory" } else { "file" },
                    bytes: entry.bytes,
                };
                port.list(place, path.as_ref()).await?.into_iter().map(listed).collect::<Vec<_>>().into_reply()
            }
            Self::Remove(Remove { path }) => port.remove(place, &path).await?.into_reply(),
        }
    }
}

/// Makes a call, with the guards and the facts that a tool's call has.
pub(super) async fn call(port: &dyn FilesPort, kernel: &Kernel, call: Own<'_>) -> (Result<Reply>, ToolOutcome) {
    let Some(session) = &call.caller.session else {
        return (Err(Error::new(format!("`{}` needs a session", call.function))), ToolOutcome::Failed);
    };
    let read = serde_json::from_str(call.arguments)
        .map_err(Error::from)
        .and_then(|arguments: Value| Ok((Do::read(call.function, &arguments)?, arguments)));
    let (what, arguments) = match read {
        Ok(read) => read,
        Err(error) => return (Err(error), ToolOutcome::Failed),
    };
    let place = FilePlace::Exchange(session.clone());
    let called = kernel.call_own(call.as_call(&arguments, what.effect()), Box::pin(what.carry_out(port, &place))).await;
    (called.result, called.outcome)
}

#[cfg(test)]
mod tests {
    use nekro_core::{
        Caller, ClockPort, MemoryFiles, Ports,
        event::facts::{ToolCallStarted, ToolExecuted},
        kernel::ObserverPort,
        testing::{FakeClock, Recorder},
    };

    use super::*;

    struct World {
        kernel: Kernel,
        files: MemoryFiles,
        facts: std::sync::Arc<Recorder>,
    }

    async fn world() -> World {
        let facts = std::sync::Arc::new(Recorder::default());
        let ports = Ports::new()
            .with::<dyn ClockPort>(std::sync::Arc::new(FakeClock::default()))
            .with::<dyn ObserverPort>(std::sync::Arc::clone(&facts) as _);
        let kernel = Kernel::builder(crate::registry_of(|_| false)).ports(ports).start_all().await.expect("it starts");
        World { kernel, files: MemoryFiles::default(), facts }
    }

    impl World {
        async fn call(&self, function: &str, arguments: Value) -> std::result::Result<Value, String> {
            let caller = Caller::operator().in_session("s");
            let arguments = arguments.to_string();
            let own = Own { id: &"c1".into(), function, arguments: &arguments, caller: &caller };
            let (result, _) = call(&self.files, &self.kernel, own).await;
            result.map(|reply| serde_json::from_str(&reply.json).expect("JSON")).map_err(|error| error.code().to_owned())
        }
    }

    #[tokio::test]
    async fn a_file_is_written_read_listed_and_removed() {
        let world = world().await;
        let written = world.call("files.write", json!({ "path": "a/b.txt", "text": "hi" })).await;
        assert_eq!(written, Ok(json!({ "path": "a/b.txt", "bytes": 2 })));
        assert_eq!(world.call("files.read", json!({ "path": "a/b.txt" })).await, Ok(json!("hi")));
        let listed = world.call("files.list", json!({})).await;
        assert_eq!(listed, Ok(json!([{ "path": "a", "kind": "directory", "bytes": 0 }])));
        let listed = world.call("files.list", json!({ "path": "a" })).await;
        assert_eq!(listed, Ok(json!([{ "path": "a/b.txt", "kind": "file", "bytes": 2 }])));
        assert_eq!(world.call("files.remove", json!({ "path": "a/b.txt" })).await, Ok(json!(true)));
        assert_eq!(world.call("files.read", json!({ "path": "a/b.txt" })).await, Err("not_found".into()));
        let told = (world.facts.facts::<ToolCallStarted>().len(), world.facts.facts::<ToolExecuted>().len());
        assert_eq!(told, (6, 6), "each call is told of as a tool's is");
    }

    #[tokio::test]
    async fn bytes_go_as_base64() {
        let world = world().await;
        let write = |text: &str, base64: bool| json!({ "path": "x", "text": text, "base64": base64 });
        world.call("files.write", write("/wD+", true)).await.expect("it is written");
        assert_eq!(world.call("files.read", json!({ "path": "x" })).await, Err("not_text".into()));
        assert_eq!(world.call("files.read", json!({ "path": "x", "base64": true })).await, Ok(json!("/wD+")));
        assert_eq!(world.call("files.write", write("?", true)).await, Err("invalid_arguments".into()));
    }

    #[tokio::test]
    async fn a_path_that_leads_out_and_wrong_arguments_are_refused() {
        let world = world().await;
        for path in ["../x", "/etc/passwd", "a/../../b", "", "a\0b"] {
            assert_eq!(world.call("files.read", json!({ "path": path })).await, Err("invalid_arguments".into()), "{path}");
        }
        for arguments in [json!({}), json!([1]), json!({ "path": "x", "mode": 7 }), json!({ "path": 7 })] {
            assert_eq!(world.call("files.remove", arguments).await, Err("invalid_arguments".into()));
        }
    }
}

//! What the attributes cost to compile: a plugin of 50 tools and 50 handlers, against the same by hand.
//!
//! Both crates are generated into a temporary folder, with the workspace's own lock file and no network. By hand means: the same
//! functions; for each tool a params struct with serde's and schemars's derives, and a function from JSON to JSON; for each handler a
//! function from `dyn Any`; and a table of all of them. Their dependencies are built first. Then the two crates are built in turn,
//! and the processor time of each build counts, less that of a build with nothing to do.

mod measure;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use measure::Table;

const COUNT: usize = 50;
const ROUNDS: usize = 5;

fn main() {
    let mut table = Table::new("macro_cost", &["Building 50 tools and 50 handlers", "by hand", "nekro", "ratio", "goal"]);
    if table.is_trial() || !["dev", "release"].iter().any(|profile| table.wants(profile)) {
        return;
    }
    if processor_time().is_none() {
        return eprintln!("macro_cost: the processor time of a build is read from /proc, and there is none");
    }
    let folder = Folder::generate();
    for (profile, each) in [("dev", "45 ms"), ("release", "75 ms")] {
        if !table.wants(profile) {
            continue;
        }
        for package in ["by-hand", "attributes"] {
            folder.build(package, profile);
        }
        let nothing = (0..ROUNDS).map(|_| folder.build("by-hand", profile)).fold(f64::MAX, f64::min);
        let mut best = [f64::MAX; 2];
        for _ in 0..ROUNDS {
            for (best, package) in best.iter_mut().zip(["by-hand", "attributes"]) {
                folder.change(package);
                *best = (folder.build(package, profile) - nothing).min(*best);
            }
        }
        let [by_hand, attributes] = best;
        table.ratio(&format!("{profile}, processor time"), by_hand, attributes, "1.3 ×");
        table.ratio(&format!("{profile}, for each tool and handler"), by_hand / COUNT as f64, attributes / COUNT as f64, each);
    }
    table.finish();
}

/// A temporary workspace with both crates. Dropping it removes it.
struct Folder(PathBuf);

impl Folder {
    fn generate() -> Self {
        let folder = Self(std::env::temp_dir().join(format!("nekro-macro-cost-{}", std::process::id())));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package stands in the workspace");
        let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"by-hand\", \"attributes\"]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n";
        folder.write("Cargo.toml", workspace);
        fs::copy(root.join("Cargo.lock"), folder.0.join("Cargo.lock")).expect("the workspace has a lock file");
        for (package, source) in [("by-hand", by_hand()), ("attributes", attributes())] {
            let manifest = format!(
                "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
                 nekro-core = {{ path = {core:?} }}\nschemars = \"1\"\nserde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n",
                core = root.join("nekro-core"),
            );
            folder.write(&format!("{package}/Cargo.toml"), &manifest);
            folder.write(&format!("{package}/src/lib.rs"), &source);
        }
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("it stands in the folder")).expect("the temporary folder can be written");
        fs::write(path, text).expect("the temporary folder can be written");
    }

    /// Makes a package look changed.
    fn change(&self, package: &str) {
        let path = format!("{package}/src/lib.rs");
        let source = fs::read_to_string(self.0.join(&path)).expect("it was written before");
        self.write(&path, &format!("{source}\n"));
    }

    /// Builds a package, and returns the seconds of processor time that it took.
    fn build(&self, package: &str, profile: &str) -> f64 {
        let before = processor_time().expect("it could be read before");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .current_dir(&self.0)
            .args(["build", "--offline", "--package", package, "--profile", profile, "--target-dir", "target"])
            .env("CARGO_INCREMENTAL", "0")
            .stdin(Stdio::null())
            .output()
            .expect("cargo can be started");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        processor_time().expect("it could be read before") - before
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the seconds of processor time that the processes took which this one has waited for: `cutime` and `cstime` in proc(5), in
/// hundredths of a second.
fn processor_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u32 = fields.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    Some(f64::from(ticks) / 100.0)
}

const TYPES: &str = "
/// A place.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The name.
    pub name: String,
    /// How high it lies, in metres.
    pub height: Option<i32>,
}

/// How to travel.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = \"snake_case\")]
pub enum Travel {
    /// By train.
    Train,
    /// By plane.
    Plane,
}
";

/// A tool: the arguments with their types and documentation, the return type and the body.
struct Tool {
    arguments: &'static [(&'static str, &'static str, &'static str)],
    output: &'static str,
    body: &'static str,
    is_async: bool,
}

// Each kind stands ten times.
const TOOLS: [Tool; 5] = [
    Tool {
        arguments: &[("text", "String", "What to repeat."), ("count", "u32", "How often.")],
        output: "String",
        body: "text.repeat(count as usize)",
        is_async: false,
    },
    Tool {
        arguments: &[
            ("query", "String", "What to look for."),
            ("limit", "Option<u32>", "How many to find."),
            ("exact", "bool", "Whether the case counts."),
        ],
        output: "Result<Vec<String>, std::fmt::Error>",
        body: "if exact && limit.is_none() { Err(std::fmt::Error) } else { Ok(vec![query]) }",
        is_async: true,
    },
    Tool {
        arguments: &[("numbers", "Vec<u64>", "What to add up.")],
        output: "u64",
        body: "numbers.into_iter().sum()",
        is_async: false,
    },
    Tool {
        arguments: &[("place", "Place", "Where to go."), ("by", "Travel", "How to travel.")],
        output: "Place",
        body: "drop(by); place",
        is_async: true,
    },
    Tool { arguments: &[], output: "bool", body: "true", is_async: false },
];

/// A handler: the event, the answer and the body.
const HANDLERS: [(&str, &str, &str, bool); 4] = [
    ("TurnBegin", "()", "std::hint::black_box(event);", false),
    ("MessageReceived", "()", "std::hint::black_box(event);", true),
    ("ToolCall", "Approval", "if event.approved { Approval::Allow } else { Approval::ask(\"sure?\") }", false),
    ("UserMessage", "Incoming", "Incoming::rewrite(event.text.to_uppercase())", true),
];

fn tools() -> impl Iterator<Item = (usize, &'static Tool)> {
    TOOLS.iter().cycle().take(COUNT).enumerate()
}

fn handlers() -> impl Iterator<Item = (usize, &'static (&'static str, &'static str, &'static str, bool))> {
    HANDLERS.iter().cycle().take(COUNT).enumerate()
}

fn asynchronous(is_async: bool) -> &'static str {
    if is_async { "async " } else { "" }
}

fn attributes() -> String {
    let mut source = format!("use nekro_core::prelude::*;\n\n/// Generated.\n#[plugin]\npub struct Generated;\n{TYPES}");
    for (at, Tool { arguments, output, body, is_async }) in tools() {
        let list: String = arguments.iter().map(|(name, of, docs)| format!("    /// {docs}\n    {name}: {of},\n")).collect();
        let word = asynchronous(*is_async);
        let _ = write!(source, "\n/// Tool number {at}.\n#[tool]\n{word}fn tool_{at}(\n{list}) -> {output} {{\n    {body}\n}}\n");
    }
    for (at, (event, answer, body, is_async)) in handlers() {
        let word = asynchronous(*is_async);
        let _ = write!(source, "\n#[on_event]\n{word}fn handler_{at}(event: &{event}) -> {answer} {{\n    {body}\n}}\n");
    }
    source
}

const BY_HAND: &str = "
use std::{any::{Any, TypeId}, future::Future, pin::Pin};

use nekro_core::event::{Approval, Incoming, decisions::{ToolCall, UserMessage}, facts::{MessageReceived, TurnBegin}};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub enum Body<I: ?Sized + 'static, O: 'static> {
    Sync(fn(&I) -> Result<O, String>),
    Async(for<'a> fn(&'a I) -> BoxFuture<'a, Result<O, String>>),
}

pub struct Tool {
    pub name: &'static str,
    pub docs: &'static str,
    pub arguments: fn(&mut SchemaGenerator) -> Schema,
    pub output: fn(&mut SchemaGenerator) -> Schema,
    pub body: Body<str, String>,
}

pub struct Handler {
    pub name: &'static str,
    pub event: fn() -> TypeId,
    pub body: Body<dyn Any + Send + Sync, Box<dyn Any + Send>>,
}
";

fn by_hand() -> String {
    let mut source = format!("{BY_HAND}{TYPES}");
    let (mut tool_table, mut handler_table) = (String::new(), String::new());
    for (at, Tool { arguments, output, body, is_async }) in tools() {
        let list: String = arguments.iter().map(|(name, of, _)| format!("{name}: {of}, ")).collect();
        let fields: String = arguments.iter().map(|(name, of, docs)| format!("    /// {docs}\n    {name}: {of},\n")).collect();
        let names: String = arguments.iter().map(|(name, ..)| format!("{name}, ")).collect();
        let word = asynchronous(*is_async);
        let value_type = output.strip_prefix("Result<").map_or(*output, |output| output.trim_end_matches(", std::fmt::Error>"));
        let wait = if *is_async { ".await" } else { "" };
        let outcome = if output.starts_with("Result") { ".map_err(|error| error.to_string())?" } else { "" };
        let call = format!(
            "let Params{at} {{ {names} }} = serde_json::from_str(json).map_err(|error| error.to_string())?;\n    \
             let value = tool_{at}({names}){wait}{outcome};\n    serde_json::to_string(&value).map_err(|error| error.to_string())"
        );
        let (variant, adapter) = adapter(&format!("call_tool_{at}"), "json: &'a str", "String", &call, *is_async);
        let _ = write!(
            source,
            "\n{word}fn tool_{at}({list}) -> {output} {{\n    {body}\n}}\n\n#[derive(Deserialize, JsonSchema)]\n\
             #[serde(deny_unknown_fields)]\nstruct Params{at} {{\n{fields}}}\n\n{adapter}"
        );
        let _ = writeln!(
            tool_table,
            "    Tool {{ name: \"tool_{at}\", docs: \"Tool number {at}.\", arguments: <Params{at} as JsonSchema>::json_schema, \
             output: <{value_type} as JsonSchema>::json_schema, body: Body::{variant}(call_tool_{at}) }},"
        );
    }
    for (at, (event, answer, body, is_async)) in handlers() {
        let word = asynchronous(*is_async);
        let wait = if *is_async { ".await" } else { "" };
        let call = format!(
            "let event = event.downcast_ref::<{event}>().ok_or(\"another event\")?;\n    \
             let answer = handler_{at}(event){wait};\n    Ok(Box::new(answer) as Box<dyn Any + Send>)"
        );
        let input = "event: &'a (dyn Any + Send + Sync)";
        let (variant, adapter) = adapter(&format!("call_handler_{at}"), input, "Box<dyn Any + Send>", &call, *is_async);
        let _ = write!(source, "\n{word}fn handler_{at}(event: &{event}) -> {answer} {{\n    {body}\n}}\n\n{adapter}");
        let _ = writeln!(
            handler_table,
            "    Handler {{ name: \"handler_{at}\", event: TypeId::of::<{event}>, body: Body::{variant}(call_handler_{at}) }},"
        );
    }
    let _ = write!(
        source,
        "\npub static TOOLS: &[Tool] = &[\n{tool_table}];\n\npub static HANDLERS: &[Handler] = &[\n{handler_table}];\n"
    );
    source
}

/// A function without the types of the one that it calls.
fn adapter(name: &str, input: &str, output: &str, call: &str, is_async: bool) -> (&'static str, String) {
    if is_async {
        let adapter = format!(
            "fn {name}<'a>({input}) -> BoxFuture<'a, Result<{output}, String>> {{\n    Box::pin(async move {{\n    {call}\n    }})\n}}\n"
        );
        ("Async", adapter)
    } else {
        ("Sync", format!("fn {name}<'a>({input}) -> Result<{output}, String> {{\n    {call}\n}}\n"))
    }
}

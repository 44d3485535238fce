//! The attributes of `nekro-core`. Their documentation stands here and shows on the re-exports there.
//!
//! Each attribute is a folder: `model.rs` turns the syntax into a checked value and finds every mistake, `expand.rs` turns that value
//! into code and cannot fail. What they share is `shared`.

mod command;
mod event;
mod hook;
mod on_event;
mod plugin;
mod prompt;
mod route;
mod schedule;
mod shared;
mod task;
mod tool;
mod webhook;

use proc_macro::TokenStream;

/// Makes a struct the plugin of its crate.
///
/// It stands on one `pub struct` at the root of the crate. The doc comment is the plugin's description, the fields are its
/// configuration (serde and schemars attributes count; both derives are added), `Cargo.toml` gives version, authors and licence.
///
/// | key | meaning |
/// |---|---|
/// | `id = "weather"` | the id; by default the package's name without `nekro-plugin-` |
/// | `title = "Weather"` | a name for people |
/// | `category = "world"` | a word to group plugins by |
/// | `requires = ["notes ^1"]` | plugins that must be linked, and start first |
/// | `http = ["api.example.org", "*.example.org:8443"]` | the hosts that it reaches; without a port, by the protocol's own |
/// | `process = ["git"]` | the programs that it runs, by name or absolute path |
/// | `env = ["LANG"]` | the environment variables that it reads |
/// | `files = ["/srv/data"]` | the directories that it reads and writes |
/// | `messages = ["telegram:*"]` | the conversations, beside that of a call, to which it sends messages |
/// | `sessions = ["telegram:*"]` | the conversations, beside that of a call, in which it reads what was said |
/// | `resources = ["digests/*.md"]` | the files of its own that MCP clients are shown: a file, or a directory with all that is below it; `{session}` as a part is a directory of the caller's conversation, `SandboxPath::of_session` |
/// | `secrets = ["github_token"]` | the secrets that the operator gives it |
/// | `migrations = [notes_have_titles]` | what brings the values in its store from each version to the next, as functions `fn(&mut Migration) -> Result<()>` |
/// | `crate = nk` | what `nekro-core` is called in this crate, if it was renamed |
#[proc_macro_attribute]
pub fn plugin(keys: TokenStream, item: TokenStream) -> TokenStream {
    plugin::attribute(keys.into(), item.into()).into()
}

/// Makes a function a tool: something that the model, a person or a program can call.
///
/// References are lent by the host, every other parameter is an argument and needs a doc comment. `#[arg(default = 3)]`,
/// `#[arg(range = 1..=6)]` and `#[arg(name = "type")]` on a parameter say more about it.
///
/// | key | meaning |
/// |---|---|
/// | `name = "roll"` | the name; by default the function's |
/// | `category = "games"`, `tags = ["dice"]` | words to group and find it by |
/// | `read_only`, `destructive`, `idempotent` | what it does to the world |
/// | `when = is_private` | a function `fn(&Ctx) -> bool`: whether the tool is there |
/// | `deadline = "5s"` | how long it may take; a function that is not `async` cannot be ended before it returns |
#[proc_macro_attribute]
pub fn tool(keys: TokenStream, item: TokenStream) -> TokenStream {
    tool::attribute(keys.into(), item.into()).into()
}

/// Makes a function a handler of an event.
///
/// The first parameter is the event, by reference; the others are lent. A handler of a fact returns nothing, a handler of a decision
/// its verdict.
///
/// | key | meaning |
/// |---|---|
/// | `phase = early` | `early`, `normal` or `late`: when a decision's handler is called |
/// | `priority = 10` | within a phase, a higher priority comes first |
/// | `deadline = "5s"` | how long it may take |
#[proc_macro_attribute]
pub fn on_event(keys: TokenStream, item: TokenStream) -> TokenStream {
    on_event::attribute(keys.into(), item.into()).into()
}

/// Makes a function a command that a person calls with a slash.
///
/// Parameters are as for [`macro@tool`]; words are given to the arguments in order, options by name.
///
/// | key | meaning |
/// |---|---|
/// | `name = "roll"` | the name; by default the function's |
/// | `group = "note"` | the group that it is in: `fn add` is then called as `/note add` |
/// | `aliases = ["r"]` | other names, in the same group |
/// | `role = admin` | the least that a caller must be: `guest`, `user`, `manager` or `admin`; by default `user` |
/// | `deadline = "5s"` | how long it may take |
#[proc_macro_attribute]
pub fn command(keys: TokenStream, item: TokenStream) -> TokenStream {
    command::attribute(keys.into(), item.into()).into()
}

/// Makes a function a section of the text that the model reads first.
///
/// All parameters are lent. It returns `String`, `&'static str`, an `Option` of one of these, or a `Result`.
///
/// | key | meaning |
/// |---|---|
/// | `name = "rules"` | the section's name; by default the function's |
/// | `priority = 10` | a higher priority comes first |
/// | `budget = 500` | how many characters it may have |
#[proc_macro_attribute]
pub fn prompt(keys: TokenStream, item: TokenStream) -> TokenStream {
    prompt::attribute(keys.into(), item.into()).into()
}

/// Makes a function something that is asked for over HTTP, below `/p/<plugin>`.
///
/// The method and the path stand first: `#[route(GET, "/boards/{id}", auth = user)]`. References are lent by the host; every other
/// parameter is an argument, from the path if its name stands there, otherwise from the query, a form, or the JSON body.
///
/// It returns any type with `Serialize` and `JsonSchema`, or what `nekro_core::web` has, such as `Html`, `Redirect` or `Sse`.
///
/// | key | meaning |
/// |---|---|
/// | `auth = user` | the least that a caller must be: `user`, `manager` or `admin`; or `public`, for everybody |
/// | `nav = "Boards"` | what the navigation calls it, if it is there: a page that is asked for by `GET` and without arguments |
/// | `card = "Open cards"` | what stands above its card, if the dashboard has one |
/// | `icon = "📋"` | a sign to know it by, beside `nav` or `card` |
/// | `resource` | with `GET`: MCP clients read the answer, too, as the resource `nekro://board/boards/{id}` |
/// | `changed_by = BoardChanged` | with `resource`: a fact after which the answer may be another. Clients that have subscribed to the resource are told. A field of the event that is called as an argument of the path says which |
/// | `deadline = "5s"` | how long it may take |
#[proc_macro_attribute]
pub fn route(keys: TokenStream, item: TokenStream) -> TokenStream {
    route::attribute(keys.into(), item.into()).into()
}

/// Makes a function what another system tells the plugin, at `/hooks/<plugin>/<name>`.
///
/// The name stands first: `#[webhook("github", signature = github)]`. The first parameter is what came, a `&Hook<T>`; the others are
/// lent. What came is stored before the sender is answered, and handled afterwards; an error is tried again.
///
/// | key | meaning |
/// |---|---|
/// | `signature = github` | how the sender proves itself: `github`, `gitlab`, `stripe`, `slack` or `hmac` |
/// | `secret = webhook_secret` | the field of the plugin's struct with the secret; by default `webhook_secret` |
/// | `deadline = "5s"` | how long handling it may take |
#[proc_macro_attribute]
pub fn webhook(keys: TokenStream, item: TokenStream) -> TokenStream {
    webhook::attribute(keys.into(), item.into()).into()
}

/// Makes a function the one that prepares the plugin. What it returns is the plugin's state: other functions borrow it.
///
/// All parameters are lent. Spell a fallible return type `Result<…>`.
#[proc_macro_attribute]
pub fn init(keys: TokenStream, item: TokenStream) -> TokenStream {
    hook::attribute(hook::When::Init, keys.into(), item.into()).into()
}

/// Makes a function the one that ends the plugin's work, also after a failed start.
///
/// All parameters are lent. It returns nothing, or `Result<()>`.
#[proc_macro_attribute]
pub fn cleanup(keys: TokenStream, item: TokenStream) -> TokenStream {
    hook::attribute(hook::When::Cleanup, keys.into(), item.into()).into()
}

/// Makes an `async` function a task: work that goes on in the background, and survives the end of the process.
///
/// References are lent by the host, `&Task` among them: the task itself. Every other parameter is an argument and needs a doc comment.
/// Beside the function `build` there is a struct `build` with its arguments as fields: `tasks.start(build { path })` starts the task.
///
/// A task may be begun several times: after a failure, or after the end of the process. Whatever it does twice must do no harm.
///
/// | key | meaning |
/// |---|---|
/// | `name = "build"` | the name; by default the function's |
/// | `tool` | the model can start it: it is given the task's id at once, and told the end |
/// | `retries = 3` | how often it is tried again after a failure; by default never |
/// | `backoff = "1s"` | how long it waits before that, and after each further failure twice as long |
/// | `deadline = "10m"` | how long it may run, without the time that it waits |
/// | `concurrency = 1` | how many of it may run at the same time |
/// | `when_disabled = cancel` | `pause` or `cancel`: what becomes of it when its plugin is disabled |
/// | `on_terminal = told` | another task with one argument, `end: TaskEnd`: started once when this one has ended, however that was |
#[proc_macro_attribute]
pub fn task(keys: TokenStream, item: TokenStream) -> TokenStream {
    task::attribute(keys.into(), item.into()).into()
}

/// Makes an `async` function one that is called at a time, or again and again.
///
/// All parameters are lent. Each run is a background task of the function's name, which survives the end of the process.
///
/// | key | meaning |
/// |---|---|
/// | `cron = "0 9 * * 1-5"` | when: minute, hour, day of the month, month, day of the week; six fields have seconds first |
/// | `zone = "Europe/Berlin"` | in which time zone that is read; by default UTC |
/// | `every = "15m"` | or: again and again, counted from the last time |
/// | `after_each = "15m"` | or: again and again, counted from the end of the last run |
/// | `at = "2026-12-31T09:00:00Z"` | or: once |
/// | `workdays = only` | `all`, `only`, `off`, `next` or `previous`: on which days of the operator's calendar |
/// | `misfire = once` | `once`, `skip` or `all`: what becomes of runs whose time has passed |
/// | `grace = "5m"` | how long after its time a run still counts as in time |
/// | `overlap = skip` | `skip`, `queue` or `parallel`: what becomes of a run while the last one has not ended |
/// | `jitter = "1m"` | by how much a run is put off at most, by chance |
/// | `pause_after = 3` | after how many failures in a row it rests |
/// | `retries`, `backoff`, `deadline` | of each run, as for [`macro@task`] |
#[proc_macro_attribute]
pub fn schedule(keys: TokenStream, item: TokenStream) -> TokenStream {
    schedule::attribute(keys.into(), item.into()).into()
}

/// Makes a struct an event: a fact, or with `decision` a decision.
///
/// Fields called `session` (a `SessionId`) and `turn` (a `TurnId`), or an `Option` of these, say where it happened: facts of one session
/// are handled in order. `Clone`, `Serialize`, `Deserialize` and `JsonSchema` are derived.
///
/// | key | meaning |
/// |---|---|
/// | `name = "note_saved"` | the name; by default the struct's, in `snake_case` |
/// | `decision = Approval` | the verdict with which its handlers answer |
/// | `revise = apply` | a function `fn(&mut Event, &Verdict)`: what a verdict changes for the handlers that follow |
#[proc_macro_attribute]
pub fn event(keys: TokenStream, item: TokenStream) -> TokenStream {
    event::attribute(keys.into(), item.into()).into()
}

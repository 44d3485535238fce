//! Scripts: Python that a model or a person wrote, in the sandbox, with the tools as its functions.
//!
//! The sandbox knows names, schemas and calls; the turns know [`Scripts`]. This is what stands between them: `functions` describes tools as
//! the sandbox has them, `bridge` makes its calls ours, `files` is what scripts have beside the tools, `told` is what a model is shown.

mod bridge;
mod files;
mod functions;
mod guide;
mod kept;
mod settings;
mod told;

use std::sync::Arc;

use nekro_core::{
    BoxFuture, Error, FilesPort, Reply, Result, SessionId,
    event::facts::ToolOutcome,
    kernel::{Kernel, Tool},
};
use nekro_sandbox::{Function, Report, Sandbox, SandboxError};
use tokio::sync::OnceCell;

use self::{bridge::Bridge, functions::functions, kept::Kept};
pub(crate) use self::{
    settings::SandboxSettings,
    told::{told_of_failure, told_of_problems},
};
use crate::agent::script::{Calls, Own, Ran, Script, Scripts};

/// Runs scripts. The sandbox is started with the first one.
pub(crate) struct Code {
    settings: SandboxSettings,
    files: Option<Arc<dyn FilesPort>>,
    sandbox: OnceCell<Sandbox>,
    kept: Kept,
}

impl Code {
    /// Makes it, and starts nothing. `files` is where the files of conversations are.
    pub(crate) fn new(settings: &SandboxSettings, files: Arc<dyn FilesPort>) -> Self {
        Self {
            kept: Kept::new(settings.kept_sessions),
            files: settings.files.then_some(files),
            settings: settings.clone(),
            sandbox: OnceCell::new(),
        }
    }

    /// Returns what the operator set.
    pub(crate) fn settings(&self) -> &SandboxSettings {
        &self.settings
    }

    /// Returns the sandbox; starts it if nobody has.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or this machine confines it less than is required. The next one who asks tries again.
    pub(crate) async fn sandbox(&self) -> Result<&Sandbox, SandboxError> {
        self.sandbox.get_or_try_init(|| Sandbox::start(self.settings.to_sandbox())).await
    }

    /// Runs a script, and tells all that came of it.
    ///
    /// # Errors
    ///
    /// If the script was not run: what happened to one that was is in its report.
    pub(crate) async fn run_to_report(&self, script: Script<'_>, calls: &dyn Calls) -> Result<Report, SandboxError> {
        let sandbox = self.sandbox().await?;
        let functions = Arc::new(functions(script.tools, self.own(script.own)));
        let mut given = nekro_sandbox::Script::new(script.source, functions);
        given.limits = self.settings.limits.clone();
        given.limits.shown_output = given.limits.shown_output.min(script.shown_bytes);
        given.limits.shown_value = given.limits.shown_value.min(script.shown_bytes);
        let session = script.session.filter(|_| self.settings.keep_state);
        given.state = session.map(|session| self.kept.get(session));
        let mut report = sandbox.run(&given, &Bridge(calls)).await?;
        if let (Some(session), Some(state)) = (session, report.state.take()) {
            self.kept.put(session, state);
        }
        Ok(report)
    }

    /// Writes what a model is shown of the functions.
    pub(crate) fn stubs(&self, tools: &[Tool<'_>]) -> String {
        functions(tools, self.own(&|_| true)).stubs(self.settings.stub_tokens)
    }

    fn own(&self, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Function> {
        let all = if self.files.is_some() { files::functions() } else { Vec::new() };
        all.into_iter().filter(|function| is_wanted(&function.name)).collect()
    }

    /// Returns the names of the functions that scripts have beside the tools.
    pub(crate) fn own_names(&self) -> &'static [&'static str] {
        if self.files.is_some() { files::NAMES } else { &[] }
    }
}

impl Scripts for Code {
    fn guide(&self, tools: &[Tool<'_>]) -> String {
        guide::text(&self.stubs(tools), self.settings.keep_state)
    }

    fn run<'a>(&'a self, script: Script<'a>, calls: &'a dyn Calls) -> BoxFuture<'a, Result<Ran>> {
        Box::pin(async move { Ok(told::to_model(self.run_to_report(script, calls).await.map_err(|error| as_error(&error))?)) })
    }

    fn call_own<'a>(&'a self, kernel: &'a Kernel, call: Own<'a>) -> Option<BoxFuture<'a, (Result<Reply>, ToolOutcome)>> {
        let port = self.files.as_deref()?;
        // A plugin's own comes first, for scripts too.
        if kernel.tool(call.function).is_some() || !files::NAMES.contains(&call.function) {
            return None;
        }
        Some(Box::pin(files::call(port, kernel, call)))
    }

    fn forget(&self, session: &SessionId) {
        self.kept.forget(session);
    }
}

/// Returns why a script was not run, for whoever wanted it to.
pub(crate) fn as_error(error: &SandboxError) -> Error {
    let code = match error {
        SandboxError::Busy { .. } => "busy",
        _ => "unavailable",
    };
    let told = Error::new(error.to_string()).with_code(code);
    let told = if matches!(error, SandboxError::Busy { .. }) { told.retryable() } else { told };
    match error.hint() {
        Some(hint) => told.with_hint(hint),
        None => told,
    }
}

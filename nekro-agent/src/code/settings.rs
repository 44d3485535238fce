//! The section `[sandbox]` of the settings.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_sandbox::{Limits, Require, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

/// Scripts in Python: those of models that act by them, and of `nekro run`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SandboxSettings {
    /// What of the confinement must be in force for a script to be run; `nekro doctor` shows what is.
    pub(crate) require: Require,
    /// How many scripts may run at the same time, each in a process of its own.
    #[schemars(range(min = 1, max = 1024))]
    pub(crate) workers: usize,
    /// How many of these processes wait for a script, ready to begin.
    #[schemars(range(max = 1024))]
    pub(crate) warm: usize,
    /// How many scripts may wait for a process; one more is refused.
    pub(crate) queue: usize,
    /// After how many scripts a process is replaced.
    #[schemars(range(min = 1))]
    pub(crate) worker_scripts: u32,
    /// After what time a process is replaced.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) worker_age: Duration,
    /// What one script may use.
    pub(crate) limits: Limits,
    /// Whether the variables, functions and classes of a script are there again for the next one of its session, until the agent ends.
    pub(crate) keep_state: bool,
    /// For how many sessions they are kept: those that were used last.
    #[schemars(range(min = 1))]
    pub(crate) kept_sessions: usize,
    /// How many tokens a model is shown of the functions that scripts may call. With less, descriptions are left out first.
    #[schemars(range(min = 64))]
    pub(crate) stub_tokens: usize,
    /// Whether scripts have a module `files`: the files of the session, with the quotas of `[files]`.
    pub(crate) files: bool,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        let Settings { require, warm, queue, worker_scripts, worker_age, limits, .. } = Settings::default();
        Self {
            require,
            // The same on every machine, as every default is.
            workers: 4,
            warm,
            queue,
            worker_scripts,
            worker_age,
            limits,
            keep_state: false,
            kept_sessions: 64,
            stub_tokens: 4_000,
            files: false,
        }
    }
}

impl SandboxSettings {
    /// Returns what of it is the sandbox's own.
    pub(super) fn to_sandbox(&self) -> Settings {
        let mut settings = Settings::default();
        settings.require = self.require;
        settings.workers = self.workers;
        settings.warm = self.warm;
        settings.queue = self.queue;
        settings.worker_scripts = self.worker_scripts;
        settings.worker_age = self.worker_age;
        settings.limits = self.limits.clone();
        settings
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn read(json: &str) -> Result<SandboxSettings, String> {
        nekro_core::read_settings(json).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn everything_has_a_default_and_reaches_the_sandbox() {
        let settings = read(r#"{"require":"full","workers":3,"worker_age":"5m","limits":{"calls":7}}"#).expect("settings");
        let sandbox = settings.to_sandbox();
        assert_eq!((sandbox.require, sandbox.workers, sandbox.worker_age), (Require::Full, 3, Duration::from_secs(300)));
        assert_eq!(sandbox.limits.calls, 7);
        assert_eq!((sandbox.queue, settings.stub_tokens, settings.files, settings.keep_state), (64, 4_000, false, false));
    }

    #[track_caller]
    fn wrong(json: &str, expected: Expect) {
        expected.assert_eq(&read(json).expect_err("a mistake"));
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_with_its_key() {
        wrong(r#"{"workers":0}"#, expect!["`workers`: expected a number from 1 to 1024, but 0 came"]);
        wrong(r#"{"require":"all"}"#, expect!["`require`: unknown variant `all`, expected `full` or `best-effort`"]);
        wrong(r#"{"limits":{"cals":1}}"#, expect!["`limits.cals`: unknown key: did you mean `calls`?"]);
        wrong(r#"{"limits":{"memory":1000}}"#, expect!["`limits.memory`: expected a number from 67108864, but 1000 came"]);
        wrong(
            r#"{"limits":{"calls_at_once":0}}"#,
            expect!["`limits.calls_at_once`: expected a number from 1 to 4096, but 0 came"],
        );
    }
}

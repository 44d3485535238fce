//! The sections of `nekro.toml` that are the host's own, such as `[limits]`.
//!
//! A section is one struct, in the room that it belongs to, and one row in the list below. The struct is `Default`, `Deserialize` and
//! `JsonSchema`, with `#[serde(default, deny_unknown_fields)]`; its doc comments explain it, `Secret` hides a value, and a map of structs
//! is a table to each name. Everything else follows from the row: the schema, `nekro config`, the environment, secrets that are kept
//! elsewhere, and that every mistake is told. The value that was read is in [`Host`].

use nekro_core::{ConfigMistake, StoreLimits, kernel::Limits, read_settings, settings_schema};
use serde_json::Value;

use crate::{
    agent::AgentSettings,
    model::settings::ModelsSettings,
    reach::{FilesSettings, HttpSettings, PluginModelSettings, ProcessSettings, SecretsSettings},
    schedules::SchedulesSettings,
    tasks::TasksSettings,
};

/// A section, without its type.
pub(crate) struct SectionDecl {
    /// Its key in `nekro.toml`.
    pub(crate) name: &'static str,
    /// Describes it.
    pub(super) schema: fn() -> Value,
    /// Reads it into its place.
    pub(super) read: fn(&str, &mut Host) -> Result<(), ConfigMistake>,
}

macro_rules! sections {
    ($($(#[$attribute:meta])* $name:ident: $section:ty,)*) => {
        /// What the operator set for the host itself, and the default of everything else.
        #[derive(Default)]
        pub(crate) struct Host {
            $($(#[$attribute])* pub(crate) $name: $section,)*
        }

        /// Every section, in the order in which they are shown.
        pub(crate) const SECTIONS: &[SectionDecl] = &[
            $($(#[$attribute])* SectionDecl {
                name: stringify!($name),
                schema: settings_schema::<$section>,
                read: |json, host| {
                    host.$name = read_settings(json)?;
                    Ok(())
                },
            },)*
        ];
    };
}

sections! {
    limits: Limits,
    agent: AgentSettings,
    models: ModelsSettings,
    plugin_models: PluginModelSettings,
    http: HttpSettings,
    files: FilesSettings,
    store: StoreLimits,
    secrets: SecretsSettings,
    process: ProcessSettings,
    #[cfg(feature = "sandbox")]
    sandbox: crate::code::SandboxSettings,
    tasks: TasksSettings,
    #[cfg(feature = "http")]
    serve: crate::serve::ServeSettings,
    vectors: crate::vectors::VectorsSettings,
    schedules: SchedulesSettings,
    #[cfg(feature = "mcp")]
    mcp: crate::mcp::Limits,
    #[cfg(feature = "mcp")]
    mcp_servers: crate::mcp::McpServersSettings,
    #[cfg(test)]
    trial: super::testing::Trial,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;
    use crate::settings::{
        Key, Node,
        check::check,
        environment,
        testing::{catalogue, problems},
        view,
    };

    fn host(text: &str) -> Host {
        let node = crate::settings::file::parse(text, Path::new("nekro.toml")).map_err(|mistakes| mistakes.to_string());
        let checked = check(&node.expect("TOML"), &catalogue(), Path::new(""));
        // What is wrong with the plugin is another matter.
        let of_host: Vec<_> = checked.mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(of_host, [""; 0]);
        checked.host
    }

    #[test]
    fn a_section_is_read_into_its_type() {
        let host = host("[trial]\npace = 3\nkey = 's3cret'\n[trial.lanes.fast]\nlength = 7\n[limits]\nmailbox = 5\n");
        assert_eq!(host.limits.mailbox, 5);
        assert_eq!(host.trial.pace, 3);
        assert_eq!(host.trial.key.as_ref().map(|key| key.expose().as_str()), Some("s3cret"));
        assert_eq!(host.trial.lanes["fast"].length, 7);
        assert_eq!(host.trial.lanes["fast"].surface, "sand", "what nobody set has its default");
    }

    #[test]
    fn a_section_that_nobody_set_has_its_defaults() {
        let host = host("");
        assert_eq!((host.limits, host.trial.pace), (Limits::default(), 1));
    }

    #[test]
    fn a_secret_of_a_section_may_be_kept_elsewhere() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("key");
        crate::settings::write::create(&file, "s3cret\n").expect("a file");
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
        let host = host(&format!("[trial.lanes.slow]\nlength = 1\ntoll = {{ file = '{}' }}\n", file.display()));
        assert_eq!(host.trial.lanes["slow"].toll.as_ref().map(|toll| toll.expose().as_str()), Some("s3cret"));
    }

    #[track_caller]
    fn wrong(text: &str, expected: Expect) {
        expected.assert_eq(&problems(&format!("disabled = ['weather']\n{text}")).join("\n"));
    }

    #[test]
    fn every_mistake_of_every_section_is_told() {
        wrong(
            "[trial]\npase = 3\nkey = ['s3cret']\n[trial.lanes.fast]\nlenght = 7\ntoll = { env = 'NOBODY_SETS_THIS' }\n[limits]\nmailbox = -1\n[trail]\n",
            expect![[r#"
                nekro.toml:3:1: `trial.pase`: unknown key: did you mean `pace`?
                nekro.toml:4:7: `trial.key`: the secret has the wrong type (its value is not shown)
                nekro.toml:5:1: `trial.lanes.fast.length`: this must be set, and is not
                nekro.toml:6:1: `trial.lanes.fast.lenght`: unknown key: did you mean `length`?
                nekro.toml:7:8: `trial.lanes.fast.toll`: the environment variable `NOBODY_SETS_THIS` is not set
                nekro.toml:9:11: `limits.mailbox`: invalid value: integer `-1`, expected usize
                nekro.toml:10:2: `trail`: unknown key: did you mean `trial`?"#]],
        );
        wrong("trial = []\n", expect!["nekro.toml:2:9: `trial`: expected a table"]);
    }

    #[test]
    fn a_name_of_the_agent_that_stands_for_nothing_is_told() {
        wrong(
            "[agent]\npreset = 'pirat'\nmodel = 'mian'\n[agent.presets.pirate.plugins]\nwether = false\n[agent.plugins.wether]\nsleep = true\n[agent.channels.terminal]\nmodel = 'offlin'\n[models.main]\nprovider = 'offline'\n",
            expect![[r#"
                nekro.toml:3:10: `agent.preset`: there is no preset `pirat`: did you mean `pirate`?
                nekro.toml:4:9: `agent.model`: there is no model `mian`: did you mean `main`?
                nekro.toml:6:10: `agent.presets.pirate.plugins.wether`: no plugin of this name is linked: did you mean `weather`?
                nekro.toml:7:1: `agent.plugins.wether`: no plugin of this name is linked: did you mean `weather`?
                nekro.toml:10:9: `agent.channels.terminal.model`: there is no model `offlin`: did you mean `offline`?"#]],
        );
    }

    #[test]
    fn a_name_in_what_plugins_may_spend_that_stands_for_nothing_is_told() {
        wrong(
            "[plugin_models]\nmodel = 'mian'\n[plugin_models.plugins.wether]\nmodel = 'offlin'\n[models.main]\nprovider = 'offline'\n",
            expect![[r#"
                nekro.toml:3:9: `plugin_models.model`: there is no model `mian`: did you mean `main`?
                nekro.toml:4:1: `plugin_models.plugins.wether`: no plugin of this name is linked: did you mean `weather`?
                nekro.toml:5:9: `plugin_models.plugins.wether.model`: there is no model `offlin`: did you mean `offline`?"#]],
        );
    }

    #[test]
    fn the_environment_reaches_a_table_by_its_name() {
        let catalogue = catalogue();
        let all = [("NEKRO_TRIAL__LANES__FAST__LENGTH", "9"), ("NEKRO_TRIAL__KEY", "7")];
        let variables = environment::variables(all.into_iter().map(|(name, value)| (name.into(), value.into())));
        let (node, mistakes) = environment::layer(&variables, &catalogue.form());
        assert_eq!(mistakes, []);
        assert_eq!(node.to_json(), json!({ "trial": { "lanes": { "fast": { "length": 9 } }, "key": "7" } }));
    }

    #[test]
    fn each_setting_of_a_table_with_a_name_is_shown_with_its_origin() {
        let catalogue = catalogue();
        let text = "[trial.lanes.fast]\nlength = 7\ntoll = 's3cret'\n";
        let node = crate::settings::file::parse(text, Path::new("nekro.toml")).map_err(|mistakes| mistakes.to_string());
        let (node, key) = (node.expect("TOML"), Key::of(["trial"]));
        let (node, form): (Option<&Node>, _) = (node.get(&key), catalogue.form().at(&key));
        let shown: Vec<_> = view::settings(&key, node, form.as_ref())
            .iter()
            .map(|one| format!("{} = {} ({})", one.key, one.value.clone().unwrap_or_default(), one.origin))
            .collect();
        expect![[r#"
            trial.key = null (default)
            trial.lanes.fast.length = 7 (nekro.toml:2:10)
            trial.lanes.fast.surface = "sand" (default)
            trial.lanes.fast.toll = "•••" (nekro.toml:3:8)
            trial.pace = 1 (default)"#]]
        .assert_eq(&shown.join("\n"));
        let effective = view::value(&key, node, &form.expect("a form"));
        assert_eq!(effective, Some(json!({ "lanes": { "fast": { "length": 7, "surface": "sand", "toll": "•••" } }, "pace": 1 })));
    }

    #[test]
    fn no_section_is_called_as_a_variable_that_is_no_setting() {
        for taken in ["config", "data", "home", "disabled", "plugins", "channels"] {
            assert!(SECTIONS.iter().all(|section| section.name != taken), "{taken}");
        }
    }
}

//! What the policy allows, compared with what is linked; and that the build and the program stand by it.

use expect_test::{Expect, expect};
use nekro_core::{
    kernel::Registry,
    manifest::Manifest,
    policy::{Finding, Policy},
};
use serde_json::Value;

use crate::project::{Project, core};

fn manifest() -> Manifest {
    let mut manifest = Registry::linked().expect("the bundle fits together").manifest();
    // Whatever else is bundled asks for something too, which is not what is tested here.
    manifest.plugins.retain(|plugin| ["dice", "greeter", "guard", "notes"].contains(&&*plugin.id));
    // As if `greeter` also took variables.
    let greeter = manifest.plugins.iter_mut().find(|plugin| plugin.id == "greeter").expect("it is bundled");
    let mut env = greeter.capabilities[0].clone();
    (env.name, env.scope) = ("env".to_owned(), vec!["HOME".to_owned(), "LANG".to_owned()]);
    greeter.capabilities.insert(0, env);
    manifest
}

#[track_caller]
fn check(policy: &str, expected: Expect) {
    let findings = Policy::parse(policy).unwrap_or_else(|error| panic!("{error}")).check(&manifest());
    let text: Vec<_> = findings.iter().map(|finding: &Finding| format!("{finding}\n  {}\n", finding.hint)).collect();
    expected.assert_eq(&without_lines(&text.concat()));
}

/// Takes out on which lines of the bundled plugins their functions stand: those move with every edit.
fn without_lines(text: &str) -> String {
    let mut parts = text.split(".rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + ".rs:…" + part.trim_start_matches(|one: char| one.is_ascii_digit()))
}

#[test]
fn what_the_policy_allows_passes() {
    for policy in [
        "",
        "[default]\n",
        "[default]\ndeny = ['http', 'process']\n",
        "[default]\ncapabilities = ['clock', 'events', 'store', 'random', 'messages', 'env', 'http']\nenv = ['LANG', 'HO*']\n",
        // A table of its own counts in place of the default.
        "[default]\ncapabilities = []\nenv = []\n[plugins.dice]\ncapabilities = ['random']\n[plugins.notes]\ncapabilities = ['clock', 'events', 'store']\n\
         [plugins.greeter]\ncapabilities = ['env', 'messages']\nenv = ['LANG', 'HOME']\n",
        "[[rules]]\ntools = ['dice.*', 'notes.save']\ncommands = 'ro*'\nrole = 'user'\n",
    ] {
        check(policy, expect![""]);
    }
}

#[test]
fn a_plugin_that_asks_for_more_is_told_with_its_functions_and_the_line() {
    check(
        "[default]\ncapabilities = ['messages', 'env', 'clock']\nenv = ['LANG']\n\n[plugins.notes]\ncapabilities = ['clock',\n  'events']\n",
        expect![[r#"
            nekro.policy.toml:2: the plugin `dice` takes `random`, which `[default]` does not allow: the tool `roll` at plugins/dice/src/lib.rs:…, the command `roll` at plugins/dice/src/lib.rs:…
              leave the plugin out of the bundle, or add "random" to `capabilities` under `[plugins.dice]`
            nekro.policy.toml:3: the plugin `greeter` (plugins/greeter/src/lib.rs:…) reaches `HOME` with `env`, which `[default]` does not allow: the handler `greet` at plugins/greeter/src/lib.rs:…
              leave the plugin out of the bundle, take "HOME" out of its `#[plugin]`, or add it to `env` under `[plugins.greeter]`
            nekro.policy.toml:6: the plugin `notes` takes `store`, which `[plugins.notes]` does not allow: the tool `find` at plugins/notes/src/lib.rs:…, the tool `list` at plugins/notes/src/lib.rs:…, the tool `remove` at plugins/notes/src/lib.rs:…, the tool `save` at plugins/notes/src/lib.rs:…, the command `notes` at plugins/notes/src/lib.rs:…, the prompt `remembered` at plugins/notes/src/lib.rs:…
              leave the plugin out of the bundle, or add "store" to `capabilities` under `[plugins.notes]`
        "#]],
    );
    check(
        "[default]\ndeny = [\n 'random',\n 'env' ]\n[plugins.dice]\ncapabilities = ['random']\n[plugins.greeter]\nenv = []\n",
        expect![[r#"
            nekro.policy.toml:3: the plugin `dice` takes `random`, which is denied: the tool `roll` at plugins/dice/src/lib.rs:…, the command `roll` at plugins/dice/src/lib.rs:…
              leave the plugin out of the bundle, or take "random" out of `deny`
            nekro.policy.toml:4: the plugin `greeter` takes `env`, which is denied: the handler `greet` at plugins/greeter/src/lib.rs:…
              leave the plugin out of the bundle, or take "env" out of `deny`
            nekro.policy.toml:8: the plugin `greeter` (plugins/greeter/src/lib.rs:…) reaches `HOME` with `env`, which `[plugins.greeter]` does not allow: the handler `greet` at plugins/greeter/src/lib.rs:…
              leave the plugin out of the bundle, take "HOME" out of its `#[plugin]`, or add it to `env` under `[plugins.greeter]`
            nekro.policy.toml:8: the plugin `greeter` (plugins/greeter/src/lib.rs:…) reaches `LANG` with `env`, which `[plugins.greeter]` does not allow: the handler `greet` at plugins/greeter/src/lib.rs:…
              leave the plugin out of the bundle, take "LANG" out of its `#[plugin]`, or add it to `env` under `[plugins.greeter]`
        "#]],
    );
}

#[test]
fn a_name_that_nothing_has_is_told() {
    check(
        "[default]\ncapabilities = ['clock', 'events', 'messages', 'random', 'env',\n 'stoer']\ndeny = ['telepathy']\n[plugins.dise]\n\
         [plugins.notes]\ncapabilities = ['store', 'clock', 'events']\n\
         [[rules]]\ntools = ['notes.sav', 'notes.*',\n 'files.*']\ncommands = ['rol', 'roll']\nrole = 'user'\n",
        expect![[r#"
            nekro.policy.toml:3: there is no capability `stoer`: did you mean `store`?
              `nekro plugins show` tells which a plugin takes
            nekro.policy.toml:4: there is no capability `telepathy`
              `nekro plugins show` tells which a plugin takes
            nekro.policy.toml:5: no plugin `dise` is linked: did you mean `dice`?
              remove its table, or add the plugin to the bundle
            nekro.policy.toml:9: no tool `notes.sav` is linked: did you mean `notes.save`?
              a rule about nothing protects nothing: correct or remove it
            nekro.policy.toml:10: no tool `files.*` is linked
              a rule about nothing protects nothing: correct or remove it
            nekro.policy.toml:11: no command `rol` is linked: did you mean `roll`?
              a rule about nothing protects nothing: correct or remove it
        "#]],
    );
}

#[test]
fn the_example_in_the_documentation_can_be_read() {
    let text = include_str!("../../docs/policy.md");
    let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("there is one");
    let policy = Policy::parse(example).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((policy.plugins.len(), policy.rules.len()), (1, 5));
}

/// The reader of the file and a validator of its schema that is not ours.
#[track_caller]
fn judge(policy: &str, good: bool) {
    assert_eq!(Policy::parse(policy).is_ok(), good, "{policy}");
    let value: Value = toml::from_str(policy).expect("TOML");
    let schema = Registry::linked().expect("the bundle fits together").manifest().policy_schema();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors.is_empty(), good, "{policy}: {errors:?}");
}

#[test]
fn the_schema_and_the_reader_agree() {
    for good in [
        "",
        "[default]\ncapabilities = []\ndeny = ['http']\nhttp = ['*.example.org']\nprocess = ['git']\nenv = ['LC_*']\nfiles = ['/']\n",
        "[plugins.notes.limits]\ncall_deadline = '30s'\ncalls_at_once = 4\nmailbox = 10\nconcurrency = 1\n",
        "[[rules]]\nname = 'x'\ntools = 'notes.*'\nrole = 'user'\norigins = ['model', 'mcp_client']\nrate = '10/1m'\nask = true\n",
        "[[rules]]\ncommands = ['roll']\nrate = '10/1m'\nask = false\n",
        include_str!("../../nekro-agent/nekro.policy.toml"),
    ] {
        judge(good, true);
    }
    for wrong in [
        "[defaults]\n",
        "[default]\ncapability = []\n",
        "[default]\ncapabilities = 'store'\n",
        "[default]\nenv = ['']\n",
        "[default]\nenv = [3]\n",
        "[default.limits]\nmailbox = 0\n",
        "[default.limits]\nmailbox = -1\n",
        "[default.limits]\ncall_deadline = 5\n",
        "[default.limits]\nmemory = 5\n",
        "[[rules]]\n",
        "[[rules]]\ntools = 'a.b'\n",
        "[[rules]]\ntools = 'a.b'\nask = false\n",
        "[[rules]]\ntools = []\nrole = 'user'\n",
        "[[rules]]\ntools = 'a b'\nrole = 'user'\n",
        "[[rules]]\nrole = 'user'\n",
        "[[rules]]\ntools = 'a.b'\nrole = 'root'\n",
        "[[rules]]\ntools = 'a.b'\norigins = []\n",
        "[[rules]]\ntools = 'a.b'\norigins = ['moon']\n",
        "[[rules]]\ntools = 'a.b'\nrate = 'often'\n",
        "[[rules]]\ntools = 'a.b'\ncommands = 'c'\nask = true\n",
        "[rules]\ntools = 'a.b'\nrole = 'user'\n",
    ] {
        judge(wrong, false);
    }
}

#[test]
fn a_build_fails_when_the_policy_is_exceeded_and_says_everything_at_once() {
    let project =
        Project::new("exceeds").plugin("alpha", "alpha").plugin("beta", "beta").bundle(&["alpha", "beta"], "alpha, beta");
    project.edit("alpha/src/lib.rs", "id = \"alpha\"", "id = \"alpha\", env = [\"HOME\", \"LANG\"]");
    project.edit("alpha/src/lib.rs", "fn act(", "fn act(_: &Env, _: &Clock, ");
    // At the root of the workspace that the agent is in.
    project.write("nekro.policy.toml", "[default]\ncapabilities = ['env']\nenv = ['LANG']\n\n[plugins.betta]\n");
    project.fails(&[
        "nekro.policy.toml:2: the plugin `alpha` takes `clock`, which `[default]` does not allow: the tool `act` at alpha/src/lib.rs:7",
        "leave the plugin out of the bundle, or add \"clock\" to `capabilities` under `[plugins.alpha]`",
        "nekro.policy.toml:3: the plugin `alpha` (alpha/src/lib.rs:4) reaches `HOME` with `env`, which `[default]` does not allow: the tool `act`",
        "nekro.policy.toml:5: no plugin `betta` is linked: did you mean `beta`?",
    ]);
    project.write("nekro.policy.toml", "[default]\nenvv = ['LANG']\n[[rules]]\ntools = 3\n");
    project.fails(&[
        "nekro.policy.toml:2:1: `default.envv`: unknown key: did you mean `env`?",
        "nekro.policy.toml:4:9: `rules[0].tools`: expected a name or a list of names",
    ]);
}

const TELLS_ITS_RATES: &str = "\
    nekro_core::embed_manifest!();
    fn main() {
        let policy = nekro_core::policy::embedded().expect(\"it was just built\");
        let rates: Vec<_> = policy.iter().flat_map(|policy| &policy.rules).filter_map(|rule| rule.rate).map(|rate| rate.to_string()).collect();
        println!(\"{} {rates:?}\", policy.is_some());
    }
";

#[test]
fn a_policy_that_is_added_or_changed_is_part_of_the_next_build() {
    let project = Project::new("added").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    project.write("src/main.rs", TELLS_ITS_RATES);
    assert_eq!(project.runs(), "false []\n");
    project.write("nekro.policy.toml", "[[rules]]\ntools = 'alpha.*'\nrate = '1/1h'\n");
    assert_eq!(project.runs(), "true [\"1/1h\"]\n");
    project.edit("nekro.policy.toml", "1/1h", "2/1h");
    assert_eq!(project.runs(), "true [\"2/1h\"]\n");
}

#[test]
fn the_nearest_policy_counts_from_the_next_build_on() {
    let manifest = ["dependencies", "build-dependencies"]
        .map(|of| format!("[{of}]\nbundle = {{ path = '../bundle' }}\n{}\n", core("features = ['build'], ")));
    let project =
        Project::new("nearest").plugin("alpha", "alpha").bundle(&["alpha"], "alpha").package("agent", &manifest.concat(), "");
    project.edit("Cargo.toml", "members = ['*']", "members = ['*']\ndefault-members = ['agent']");
    project.write("agent/build.rs", "fn main() { nekro_core::build::write(bundle::PLUGINS) }\n");
    project.write("agent/src/main.rs", TELLS_ITS_RATES);
    project.write("nekro.policy.toml", "[[rules]]\ntools = 'alpha.*'\nrate = '1/1h'\n");
    assert_eq!(project.runs(), "true [\"1/1h\"]\n", "the one of the workspace");
    project.write("agent/nekro.policy.toml", "[[rules]]\ntools = 'alpha.*'\nrate = '2/1h'\n");
    assert_eq!(project.runs(), "true [\"2/1h\"]\n");
    #[cfg(unix)]
    {
        // Such as one that comes from elsewhere, and was not fetched.
        project.link("agent/nekro.policy.toml", "nowhere");
        project.fails(&["nekro.policy.toml cannot be read"]);
    }
}

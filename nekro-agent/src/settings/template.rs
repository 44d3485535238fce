//! A settings file for a beginning: every setting of exactly the linked plugins, explained, with its default.
//!
//! The lines are comments, so that a default that changes in a later version is not held back by the file.

use std::fmt::Write;

use super::{
    edit,
    form::Form,
    key::{Key, quoted},
    schema::Catalogue,
    section::SECTIONS,
};

/// Returns the text of the file.
pub(crate) fn text(catalogue: &Catalogue) -> String {
    let form = catalogue.form();
    let mut text = "\
# The settings of this agent. Every line that sets something is a comment, with its default: remove the `#` to change it.
#
# `nekro config check` tells every mistake. For an editor that completes and checks as you type, run
# `nekro config schema > nekro.schema.json` and make this the first line: #:schema ./nekro.schema.json
"
    .to_owned();
    setting(&mut text, "disabled", &form, "# ");
    for decl in SECTIONS {
        section(&mut text, &Key::of([decl.name]), &form);
    }
    for id in catalogue.ids() {
        section(&mut text, &Key::of(["plugins", id]), &form);
    }
    text.push_str(
        "\n# What is different in one channel, such as `terminal`; of a plugin's configuration, any part.\n\
         # [channels.NAME]\n#   disabled = []\n# [channels.NAME.plugins.PLUGIN]\n",
    );
    text
}

fn section(text: &mut String, key: &Key, root: &Form<'_>) {
    let Some(form) = root.at(key) else { return };
    text.push('\n');
    comment(text, form.description().unwrap_or_default());
    if form.is_map_of_sections() || form.key("").is_some_and(|inside| is_map_of_secrets(&inside)) {
        named_table(text, key, &form);
        return;
    }
    let names = form.names();
    if names.is_empty() {
        let _ = writeln!(text, "# [{key}] has no settings.");
        return;
    }
    let _ = writeln!(text, "[{key}]");
    // Tables come last: what follows one of them is in it.
    let of = |name: &&str| form.key(name).is_some_and(|form| form.is_map_of_sections());
    let (tables, values): (Vec<_>, Vec<_>) = names.into_iter().partition(of);
    for name in values {
        setting(text, name, &form, "# ");
    }
    for (name, inside) in tables.into_iter().filter_map(|name| Some((name, form.key(name)?))) {
        text.push('\n');
        comment(text, inside.description().unwrap_or_default());
        named_table(text, &key.join(name), &inside);
    }
    // Beside what has a name of its own, there may be tables with any.
    if form.key("").is_some_and(|inside| inside.is_section()) {
        text.push('\n');
        named_table(text, key, &form);
    }
}

/// Explains a table that there may be several of, each with a name.
fn named_table(text: &mut String, key: &Key, form: &Form<'_>) {
    let Some(inside) = form.key("") else { return };
    let _ = writeln!(text, "# [{key}.NAME]   # for each NAME");
    if is_map_of_secrets(&inside) {
        let _ = writeln!(text, "#   SECRET = {{ env = \"NAME\" }}   # or {{ file = \"PATH\" }}, {{ keyring = \"NAME\" }}");
    }
    for name in inside.names() {
        setting(text, name, &inside, "#   ");
    }
}

/// Tells whether this is a table of secrets whose names the settings do not know.
fn is_map_of_secrets(form: &Form<'_>) -> bool {
    form.names().is_empty() && form.key("").is_some_and(|secret| secret.is_secret())
}

fn setting(text: &mut String, name: &str, parent: &Form<'_>, start: &str) {
    let Some(form) = parent.key(name) else { return };
    text.push('\n');
    comment(text, form.description().unwrap_or_default());
    let words = form.words();
    if !words.is_empty() {
        comment(text, &format!("One of: {}.", words.join(", ")));
    }
    let name = quoted(name);
    // A default that TOML cannot write, such as nothing at all, is the same as no line.
    let default = form.default().filter(|_| !form.is_secret()).and_then(edit::written);
    let _ = match default {
        Some(default) => writeln!(text, "{start}{name} = {default}"),
        None if form.is_secret() => {
            writeln!(
                text,
                "{start}{name} = {{ env = \"NAME\" }}   # {}, secret; or {{ file = \"PATH\" }}, {{ keyring = \"NAME\" }}",
                need(parent, &name)
            )
        }
        None => {
            let types = form.types().into_iter().collect::<Vec<_>>().join(" or ");
            writeln!(text, "{start}{name} = …   # {}{}{types}", need(parent, &name), if types.is_empty() { "" } else { ", " })
        }
    };
}

fn need(parent: &Form<'_>, name: &str) -> &'static str {
    if parent.requires(name) { "required" } else { "optional" }
}

fn comment(text: &mut String, words: &str) {
    for line in words.lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::{
        check::check,
        file,
        testing::{catalogue, problems},
    };

    #[test]
    fn the_file_is_right_and_so_is_every_default_in_it() {
        let catalogue = catalogue();
        let text = text(&catalogue);
        let line = 1 + text.lines().position(|line| line == "[plugins.weather]").expect("the plugin has a table");
        assert_eq!(problems(&text), [format!("nekro.toml:{line}:1: `plugins.weather.token`: this must be set, and is not")]);
        // What a person gets who takes the comment signs away.
        // What is set further in is that of a table that has no name yet.
        let is_ours = |rest: &str| rest.contains(" = ") && !rest.contains('…') && !rest.starts_with(' ');
        let is_setting = |line: &&str| line.strip_prefix("# ").is_some_and(is_ours);
        let awake = text.lines().map(|line| if is_setting(&line) { &line[2..] } else { line }).collect::<Vec<_>>().join("\n");
        let node = file::parse(&awake, Path::new("nekro.toml")).map_err(|mistakes| mistakes.to_string());
        let mistakes = check(&node.expect("TOML"), &catalogue, Path::new("")).all_mistakes();
        let texts: Vec<_> = mistakes.iter().map(|mistake| mistake.problem.as_str()).collect();
        // Those of the three secrets.
        assert_eq!(texts, ["the environment variable `NAME` is not set"; 3], "{awake}");
    }
}

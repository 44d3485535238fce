//! `[channels.<name>]`: what is different in one channel. A layer above all others, for the sessions that live there.
//!
//! A channel is named by the beginning of a session's id, such as `telegram`, or by the whole id, such as `telegram:-100123`; the whole id
//! lies over its beginning. It may have other configurations of plugins, and plugins that are off.

use nekro_core::SessionId;

use super::{
    form::Form,
    key::Key,
    node::{Content, Node},
};

/// The key under which channels stand.
pub(crate) const CHANNELS: &str = "channels";

/// Returns the layers that lie over the settings in a channel, the more specific ones later.
pub(super) fn layers<'n>(root: &'n Node, channel: &str) -> impl DoubleEndedIterator<Item = &'n Node> {
    let session = SessionId::from(channel);
    let beginning = Some(session.channel()).filter(|beginning| *beginning != channel);
    let names = [beginning, Some(channel)].map(|name| name.map(|name| Key::of([CHANNELS, name])));
    let layers = names.map(|key| key.and_then(|key| root.get(&key)));
    layers.into_iter().flatten()
}

/// Returns the settings as they are in a channel.
pub(crate) fn settings_in(root: &Node, channel: &str, form: &Form<'_>) -> Node {
    let mut merged = root.clone();
    merged.remove(&Key::of([CHANNELS]));
    let plugins = Key::of(["plugins"]);
    for layer in layers(root, channel) {
        let Some(over) = layer.get(&plugins) else { continue };
        let mut one = Node::empty();
        one.insert(&plugins, over.clone());
        merged.overlay(one, Some(form));
    }
    let disabled = Key::of(["disabled"]);
    // What is off everywhere is off here too.
    if let Some(Node { content: Content::List(here), origin, .. }) =
        layers(root, channel).rev().find_map(|layer| layer.get(&disabled))
    {
        let mut items = match root.get(&disabled) {
            Some(Node { content: Content::List(everywhere), .. }) => everywhere.clone(),
            _ => Vec::new(),
        };
        for item in here {
            if items.iter().all(|known| known.to_json() != item.to_json()) {
                items.push(item.clone());
            }
        }
        merged.insert(&disabled, Node::new(origin.clone(), Content::List(items)));
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;
    use crate::settings::{
        check::{Checked, check},
        file,
        testing::{catalogue, problems},
    };

    const SETTINGS: &str = "\
        [plugins.weather]\ntoken = 's3cret'\nunits = 'metric'\nlogin = { user = 'ada', key = 'k' }\n\
        [channels.chat]\ndisabled = ['weather']\n[channels.chat.plugins.weather]\nmaxStops = 3\nlogin.user = 'eve'\n\
        [channels.'chat:1']\ndisabled = []\n[channels.'chat:1'.plugins.weather]\nunits = 'nautical'\n\
        [channels.mail.plugins.weather]\nunits = 'nautical'\n";

    fn tree(text: &str) -> Node {
        let node = file::parse(text, Path::new("nekro.toml")).map_err(|mistakes| mistakes.to_string());
        node.expect("TOML")
    }

    fn checked(text: &str) -> Checked {
        check(&tree(text), &catalogue(), Path::new(""))
    }

    #[test]
    fn a_layer_lies_over_what_holds_everywhere_and_the_more_specific_over_the_less() {
        let catalogue = catalogue();
        for (channel, expected, disabled) in [
            ("chat", json!(["metric", 3, "eve", "k"]), json!(["weather"])),
            ("chat:2", json!(["metric", 3, "eve", "k"]), json!(["weather"])),
            ("chat:1", json!(["nautical", 3, "eve", "k"]), json!([])),
            ("mail:a:b", json!(["nautical", null, "ada", "k"]), json!(null)),
            ("chats", json!(["metric", null, "ada", "k"]), json!(null)),
        ] {
            let json = settings_in(&tree(SETTINGS), channel, &catalogue.form()).to_json();
            let weather = &json["plugins"]["weather"];
            let found = json!([weather["units"], weather["maxStops"], weather["login"]["user"], weather["login"]["key"]]);
            assert_eq!((found, json["disabled"].clone()), (expected, disabled), "{channel}");
            assert_eq!(json.get("channels"), None);
        }
    }

    #[test]
    fn each_channel_has_a_whole_configuration() {
        let checked = checked(SETTINGS);
        assert_eq!(checked.all_mistakes(), []);
        let names: Vec<_> = checked.disabled_in.iter().map(|(name, off)| (name.as_str(), off.len())).collect();
        assert_eq!(names, [("chat", 1), ("chat:1", 0)]);
        let expected = nekro_core::kernel::Configuration::new(json!({
            "token": "s3cret", "units": "metric", "login": { "user": "ada", "key": "k" },
        }));
        let with = |units: &str, stops: Value, user: &str| {
            let mut config = json!({ "token": "s3cret", "units": units, "login": { "user": user, "key": "k" } });
            if !stops.is_null() {
                config["maxStops"] = stops;
            }
            config
        };
        let expected = expected
            .in_channel("chat", with("metric", json!(3), "eve"))
            .in_channel("chat:1", with("nautical", json!(3), "eve"))
            .in_channel("mail", with("nautical", json!(null), "ada"));
        assert!(checked.plugins["weather"] == Ok(expected));
    }

    #[track_caller]
    fn wrong(text: &str, expected: Expect) {
        expected.assert_eq(&problems(&format!("[plugins.weather]\ntoken = 'x'\n{text}")).join("\n"));
    }

    #[test]
    fn every_mistake_of_every_channel_is_told_once() {
        wrong(
            "units = 'imperial'\n\
             [channels.chat]\ndisabeld = []\ndisabled = ['wether', 3]\n\
             [channels.chat.plugins.weather]\nmax_stops = 1\ntoken = { env = 'NOBODY_SETS_THIS' }\nlogin = { user = 'x' }\n\
             [channels.'chat:1'.plugins]\nwether = {}\nweather = { maxStops = -1 }\n",
            expect![[r#"
                nekro.toml:3:9: `plugins.weather.units`: unknown variant `imperial`, expected `metric` or `nautical`
                nekro.toml:5:1: `channels.chat.disabeld`: unknown key: did you mean `disabled`?
                nekro.toml:6:13: `channels.chat.disabled[0]`: no plugin of this name is linked: did you mean `weather`?
                nekro.toml:6:23: `channels.chat.disabled[1]`: expected the name of a plugin
                nekro.toml:8:1: `channels.chat.plugins.weather.max_stops`: unknown key: did you mean `maxStops`?
                nekro.toml:9:9: `channels.chat.plugins.weather.token`: the environment variable `NOBODY_SETS_THIS` is not set
                nekro.toml:10:9: `channels.chat.plugins.weather.login.key`: this must be set, and is not
                nekro.toml:12:1: `channels."chat:1".plugins.wether`: no plugin of this name is linked: did you mean `weather`?
                nekro.toml:13:24: `channels."chat:1".plugins.weather.maxStops`: invalid value: integer `-1`, expected u16"#]],
        );
        wrong(
            "[channels]\nchat = 3\nmail = { plugins = [] }\n",
            expect![[r#"
                nekro.toml:4:8: `channels.chat`: expected a table
                nekro.toml:5:20: `channels.mail.plugins`: expected a table"#]],
        );
        wrong(
            "[channels.chat.plugins]\nweather = 's3cret'\n",
            expect![[r#"
            nekro.toml:4:11: `channels.chat.plugins.weather`: the value does not fit: expected object; it is not shown, for it may be a secret"#]],
        );
        assert_eq!(problems("channels = 3\ndisabled = ['weather']\n"), ["nekro.toml:1:12: `channels`: expected a table"]);
    }

    #[test]
    fn what_a_plugin_lacks_everywhere_is_told_once() {
        assert_eq!(
            problems("[channels.chat.plugins.weather]\nunits = 'metric'\n"),
            ["`plugins.weather.token`: this must be set, and is not"]
        );
    }
}

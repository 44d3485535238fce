//! Sentences, and what becomes of them: with the tools of the bundled plugins, and with some that have every sort of argument.

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

/// The tools of the bundled plugins, as a model is offered them.
fn bundled() -> Vec<ToolSpec> {
    let registry = crate::registry_of(|id| nekro_plugins::PLUGINS.iter().any(|plugin| plugin.id == id));
    let spec = |tool: &nekro_core::kernel::ToolEntry| ToolSpec {
        name: tool.name.to_string(),
        description: tool.decl.docs.to_owned(),
        arguments: tool.arguments().clone(),
    };
    registry.tools().iter().map(spec).collect()
}

fn person(text: &str) -> Entry {
    Entry::Person { name: None, text: text.to_owned(), images: Vec::new() }
}

fn ask(tools: &[ToolSpec], entries: Vec<Entry>) -> Answer {
    Offline::new("offline").answer(&Request { tools: tools.to_vec(), entries, ..Request::default() })
}

/// Returns the calls, or what is said.
fn told(answer: &Answer) -> String {
    if answer.calls.is_empty() {
        return answer.text.clone();
    }
    answer.calls.iter().map(|call| format!("{} {}", call.tool, call.arguments)).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check_all(tools: &[ToolSpec], sentences: &[&str], expected: Expect) {
    let line = |sentence: &&str| {
        let told = told(&ask(tools, vec![person(sentence)]));
        format!("{sentence} => {}\n", told.lines().next().unwrap_or_default())
    };
    expected.assert_eq(&sentences.iter().map(line).collect::<String>());
}

#[test]
fn a_plain_sentence_becomes_a_call_of_a_bundled_tool() {
    check_all(
        &bundled(),
        &[
            "roll two d6",
            "roll 2d6+1",
            "Please roll a d20.",
            "roll a die",
            "roll two dice",
            "roll three six-sided dice",
            "could you throw 4d8 for me?",
            "roll two d6 plus three",
            "toss a d4",
            "2d10",
            "I need 1d100",
            "note that the milk is empty",
            "Note: the milk is empty",
            "please remember that Ada likes tea.",
            "remember to buy milk",
            "write down that the door code is 4711",
            "save a note: call Bob at 12:30",
            "save \"feed the cat\"",
            "make a note of the new address",
            "keep in mind that lunch is at noon",
            "remember that the birthday is on May 3, called birthday",
            "save a note called shopping: bread and butter",
            "save a pinned note: never forget the keys",
            "what notes do I have about milk",
            "What notes do I have about milk?",
            "find notes about the milk",
            "find milk",
            "search my notes for milk",
            "look for \"door code\" in my notes",
            "do I have a note about Bob?",
            "is there a note on the address?",
            "what notes do I have?",
            "list my notes",
            "show all notes",
            "show me the first 5 notes",
            "list 3 notes",
            "forget the note birthday",
            "delete note 3",
            "remove the note called shopping",
            "delete the note \"door code\"",
        ],
        expect![[r#"
            roll two d6 => dice.roll {"notation":"2d6"}
            roll 2d6+1 => dice.roll {"notation":"2d6+1"}
            Please roll a d20. => dice.roll {"notation":"d20"}
            roll a die => dice.roll {"notation":"d6"}
            roll two dice => dice.roll {"notation":"2d6"}
            roll three six-sided dice => dice.roll {"notation":"3d6"}
            could you throw 4d8 for me? => dice.roll {"notation":"4d8"}
            roll two d6 plus three => dice.roll {"notation":"2d6+3"}
            toss a d4 => dice.roll {"notation":"d4"}
            2d10 => dice.roll {"notation":"2d10"}
            I need 1d100 => dice.roll {"notation":"1d100"}
            note that the milk is empty => notes.save {"text":"the milk is empty"}
            Note: the milk is empty => notes.save {"text":"the milk is empty"}
            please remember that Ada likes tea. => notes.save {"text":"Ada likes tea"}
            remember to buy milk => notes.save {"text":"buy milk"}
            write down that the door code is 4711 => notes.save {"text":"the door code is 4711"}
            save a note: call Bob at 12:30 => notes.save {"text":"call Bob at 12:30"}
            save "feed the cat" => notes.save {"text":"feed the cat"}
            make a note of the new address => notes.save {"text":"the new address"}
            keep in mind that lunch is at noon => notes.save {"text":"lunch is at noon"}
            remember that the birthday is on May 3, called birthday => notes.save {"key":"birthday","text":"the birthday is on May 3"}
            save a note called shopping: bread and butter => notes.save {"key":"shopping","text":"bread and butter"}
            save a pinned note: never forget the keys => notes.save {"pinned":true,"text":"never forget the keys"}
            what notes do I have about milk => notes.find {"query":"milk"}
            What notes do I have about milk? => notes.find {"query":"milk"}
            find notes about the milk => notes.find {"query":"milk"}
            find milk => notes.find {"query":"milk"}
            search my notes for milk => notes.find {"query":"milk"}
            look for "door code" in my notes => notes.find {"query":"door code"}
            do I have a note about Bob? => notes.find {"query":"Bob"}
            is there a note on the address? => notes.find {"query":"address"}
            what notes do I have? => notes.list {}
            list my notes => notes.list {}
            show all notes => notes.list {}
            show me the first 5 notes => notes.list {"limit":5}
            list 3 notes => notes.list {"limit":3}
            forget the note birthday => notes.remove {"key":"birthday"}
            delete note 3 => notes.remove {"key":"3"}
            remove the note called shopping => notes.remove {"key":"shopping"}
            delete the note "door code" => notes.remove {"key":"door code"}
        "#]],
    );
}

#[test]
fn what_is_missing_is_asked_for_and_what_no_tool_does_is_said() {
    check_all(
        &bundled(),
        &[
            "remember",
            "take a note",
            "find notes",
            "delete a note",
            "what is the capital of France?",
            "write a poem",
            "make me a sandwich",
            "show me the weather",
            "hello",
            "thanks!",
            "what can you do?",
            "help",
            "qwertz",
            "...",
            "🎲",
        ],
        expect![[r#"
            remember => For `notes.save` I need `text`: What to remember, so that it can be understood without this conversation.
            take a note => For `notes.save` I need `text`: What to remember, so that it can be understood without this conversation.
            find notes => For `notes.find` I need `query`: Words that all have to occur in the note, whatever their case.
            delete a note => For `notes.remove` I need `key`: What the note is called by.
            what is the capital of France? => I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
            write a poem => I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
            make me a sandwich => I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
            show me the weather => For `weather.current` I need `city`: The name of a city, such as "Berlin".
            hello => Hello! I am no language model, but I can call tools for you. Ask "what can you do?"
            thanks! => You are welcome.
            what can you do? => I am no language model: I choose a tool by the words of a sentence, without a key or a network. This is what I can call:
            help => I am no language model: I choose a tool by the words of a sentence, without a key or a network. This is what I can call:
            qwertz => I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
            ... => I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
            🎲 => I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
        "#]],
    );
}

#[test]
fn what_looks_like_the_examples_of_an_argument_is_taken_for_it() {
    check_all(
        &bundled(),
        &[
            "what is 15% of 80",
            "what is 3 * 7?",
            "12 * (3+4)",
            "calculate 2^10",
            "how much is 12 plus 30",
            "what time is it",
            "what time is it in Tokyo?",
            "what day is it today",
            "15:30 in Tokyo",
            "convert 15:30 from Berlin to New York",
            "which day is in 90 days",
            "when was it three weeks ago",
            "how many days until 2026-12-25",
            "convert 5 miles to km",
            "how many km are 5 miles",
            "20 celsius in fahrenheit",
            "choose between tea and coffee",
            "choose two of red, green or blue",
            "tea or coffee?",
            "what's the weather in Berlin",
            "will it rain in Oslo tomorrow",
            "weather forecast for New York",
            "note that 2 + 2 is 4",
            "remember that I meet Ada in Berlin at 15:30",
        ],
        expect![[r#"
            what is 15% of 80 => basic.calculate {"expression":"15% of 80"}
            what is 3 * 7? => basic.calculate {"expression":"3 * 7"}
            12 * (3+4) => basic.calculate {"expression":"12 * (3 + 4)"}
            calculate 2^10 => basic.calculate {"expression":"2 ^ 10"}
            how much is 12 plus 30 => basic.calculate {"expression":"12 + 30"}
            what time is it => basic.now {}
            what time is it in Tokyo? => basic.now {"zone":"Tokyo"}
            what day is it today => basic.now {}
            15:30 in Tokyo => basic.convert_time {"time":"15:30","to":"Tokyo"}
            convert 15:30 from Berlin to New York => basic.convert_time {"from":"Berlin","time":"15:30","to":"New York"}
            which day is in 90 days => basic.add_time {"amount":"90 days"}
            when was it three weeks ago => basic.add_time {"amount":"3 weeks ago"}
            how many days until 2026-12-25 => basic.time_between {"end":"2026-12-25"}
            convert 5 miles to km => basic.convert_units {"from":"miles","to":"km","value":5.0}
            how many km are 5 miles => basic.convert_units {"from":"miles","to":"km","value":5.0}
            20 celsius in fahrenheit => basic.convert_units {"from":"celsius","to":"fahrenheit","value":20.0}
            choose between tea and coffee => basic.choose {"options":["tea","coffee"]}
            choose two of red, green or blue => basic.choose {"count":2,"options":["red","green","blue"]}
            tea or coffee? => basic.choose {"options":["tea","coffee"]}
            what's the weather in Berlin => weather.current {"city":"Berlin"}
            will it rain in Oslo tomorrow => weather.forecast {"city":"Oslo"}
            weather forecast for New York => weather.forecast {"city":"New York"}
            note that 2 + 2 is 4 => notes.save {"text":"2 + 2 is 4"}
            remember that I meet Ada in Berlin at 15:30 => notes.save {"text":"I meet Ada in Berlin at 15:30"}
        "#]],
    );
}

#[test]
fn several_things_at_once_are_several_calls() {
    check_all(
        &bundled(),
        &[
            "roll 2d6 and roll 1d20",
            "roll 2d6, then note that we have begun",
            "remember that salt and pepper are empty",
            "list my notes; roll a d6",
        ],
        expect![[r#"
            roll 2d6 and roll 1d20 => dice.roll {"notation":"2d6"}; dice.roll {"notation":"1d20"}
            roll 2d6, then note that we have begun => dice.roll {"notation":"2d6"}; notes.save {"text":"we have begun"}
            remember that salt and pepper are empty => notes.save {"text":"salt and pepper are empty"}
            list my notes; roll a d6 => notes.list {}; dice.roll {"notation":"d6"}
        "#]],
    );
}

fn tool(name: &str, description: &str, properties: serde_json::Value, required: &[&str]) -> ToolSpec {
    let arguments = json!({ "type": "object", "properties": properties, "required": required });
    ToolSpec { name: name.to_owned(), description: description.to_owned(), arguments }
}

#[test]
fn arguments_are_taken_by_their_types() {
    let tools = [
        tool(
            "weather.forecast",
            "Forecast for a city.",
            json!({
                "city": { "type": "string", "maxLength": 60, "description": "The city's name." },
                "days": { "type": ["integer", "null"], "description": "Days ahead." },
                "units": { "anyOf": [{ "enum": ["metric", "nautical"] }, { "type": "null" }], "description": "Units." },
            }),
            &["city"],
        ),
        tool(
            "timer.set",
            "Sets a timer that rings after a while.",
            json!({
                "duration": { "type": "string", "format": "duration", "description": "After what time." },
                "loud": { "type": "boolean", "description": "Whether everybody hears it." },
            }),
            &["duration"],
        ),
        tool(
            "calendar.day",
            "Shows the appointments of a day in the calendar.",
            json!({ "date": { "type": "string", "format": "date" } }),
            &["date"],
        ),
        tool(
            "units.convert",
            "Converts an amount from one unit to another.",
            json!({ "amount": { "type": "number", "description": "How much." }, "to": { "oneOf": [{ "const": "miles" }, { "const": "sea_miles" }] } }),
            &["amount", "to"],
        ),
        tool("deep.dive", "Dives.", json!({ "plan": { "type": "object" } }), &["plan"]),
        tool("self.same", "Refers to itself.", json!({ "a": { "$ref": "#/properties/a" } }), &["a"]),
    ];
    check_all(
        &tools,
        &[
            "forecast for Berlin",
            "what is the forecast for New York",
            "weather forecast for Paris, 3 days, metric",
            "set a timer for 5 minutes",
            "set a loud timer, 1h 30m",
            "show the calendar of 2026-03-01",
            "convert 3.5 km to sea miles",
            "convert twelve to miles",
            "set a timer",
            "deep dive",
            "self same",
        ],
        expect![[r#"
            forecast for Berlin => weather.forecast {"city":"Berlin"}
            what is the forecast for New York => weather.forecast {"city":"New York"}
            weather forecast for Paris, 3 days, metric => weather.forecast {"city":"Paris","days":3,"units":"metric"}
            set a timer for 5 minutes => timer.set {"duration":"PT5M"}
            set a loud timer, 1h 30m => timer.set {"duration":"PT1H30M","loud":true}
            show the calendar of 2026-03-01 => calendar.day {"date":"2026-03-01"}
            convert 3.5 km to sea miles => units.convert {"amount":3.5,"to":"sea_miles"}
            convert twelve to miles => units.convert {"amount":12.0,"to":"miles"}
            set a timer => For `timer.set` I need `duration`: After what time.
            deep dive => For `deep.dive` I need `plan`.
            self same => For `self.same` I need `a`.
        "#]],
    );
}

/// Has a conversation: what is said, and each time what comes back.
fn talk(said: &[&str]) -> String {
    let tools = bundled();
    let mut entries = Vec::new();
    let mut lines = String::new();
    for said in said {
        entries.push(person(said));
        let answer = ask(&tools, entries.clone());
        lines += &format!("> {said}\n{}\n", told(&answer));
        entries.push(Entry::Answer { text: answer.text, calls: answer.calls });
    }
    lines
}

#[test]
fn a_question_is_answered_in_the_next_message() {
    expect![[r#"
        > remember
        For `notes.save` I need `text`: What to remember, so that it can be understood without this conversation.
        > the milk is empty
        notes.save {"text":"the milk is empty"}
    "#]]
    .assert_eq(&talk(&["remember", "the milk is empty"]));
    expect![[r#"
        > delete a note
        For `notes.remove` I need `key`: What the note is called by.
        > never mind
        All right, I leave it.
        > roll a d6
        dice.roll {"notation":"d6"}
    "#]]
    .assert_eq(&talk(&["delete a note", "never mind", "roll a d6"]));
    expect![[r#"
        > find notes
        For `notes.find` I need `query`: Words that all have to occur in the note, whatever their case.
        > roll 2d6
        dice.roll {"notation":"2d6"}
    "#]]
    .assert_eq(&talk(&["find notes", "roll 2d6"]));
    expect![[r#"
        > delete a note
        For `notes.remove` I need `key`: What the note is called by.
        > birthday
        notes.remove {"key":"birthday"}
    "#]]
    .assert_eq(&talk(&["delete a note", "birthday"]));
    expect![[r#"
        > choose something
        For `basic.choose` I need `options`: What to choose from, such as ["pizza", "pasta", "salad"].
        > hm
        That does not fit. For `basic.choose` I need `options`: What to choose from, such as ["pizza", "pasta", "salad"].
        > hm
        I found no tool for that: none of the 47 fits. I am no language model: I choose a tool by the words of a sentence, without a key or a network. Ask "what can you do?"
        > roll a d6
        dice.roll {"notation":"d6"}
    "#]].assert_eq(&talk(&["choose something", "hm", "hm", "roll a d6"]));
}

#[test]
fn the_results_of_calls_are_told() {
    let tools = bundled();
    let result = |tool: &str, text: &str, failed| Entry::Result {
        call: "1".to_owned(),
        tool: tool.to_owned(),
        text: text.to_owned(),
        images: Vec::new(),
        failed,
    };
    let entries = vec![
        person("roll 2d6"),
        result("dice.roll", r#"{"dice":[3,5],"total":8}"#, false),
        result("notes.find", r#"{"notes":[{"key":"1","text":"milk","pinned":false}],"more":0}"#, false),
        result("notes.remove", "a person said no", true),
        result("x.y", "null", false),
        Entry::Notice { text: "a note that a tool left".to_owned() },
    ];
    expect![[r#"
        `dice.roll`:
        dice: 3, 5
        total: 8

        `notes.find`:
        more: 0
        notes:
          - key: 1, pinned: no, text: milk

        `notes.remove` did not work: a person said no

        `x.y`: done."#]]
    .assert_eq(&ask(&tools, entries).text);
}

#[test]
fn whom_nobody_asks_says_nothing() {
    let notice = || Entry::Notice { text: "it is noon".to_owned() };
    assert_eq!(told(&ask(&[], vec![notice()])), "");
    assert_eq!(told(&ask(&[], vec![person("good morning"), notice()])), "");
    assert_eq!(told(&ask(&[], Vec::new())), "");
    assert!(ask(&[], vec![person("roll a d6")]).text.contains("no language model"));
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_said_is_too_much(text in "\\PC{0,200}", words in "(roll|note|that|find|d6|two|:|\"| |ü|and then|-|of|about|5|minutes){0,20}") {
        for text in [text, words] {
            ask(&bundled(), vec![person(&text)]);
        }
    }
}

//! Scripts: those that a person runs, and those of a model.

use serde_json::{Value, json};

use crate::{
    support::{Place, Run},
    terminal::Terminal,
    turns::{Answer, Provider, call, stream},
};

fn run(place: &Place, source: &str, options: &[&str]) -> Run {
    let arguments: Vec<_> = ["run", "-"].iter().chain(options).copied().collect();
    place.run_with(&arguments, source)
}

#[test]
fn a_script_of_a_file_calls_tools_and_its_value_is_printed() {
    let place = Place::new();
    let source = "\
import asyncio
rolls = await asyncio.gather(*[dice.roll('2d1') for _ in range(3)])
note = notes.save(text='milk', key='shopping')
print('rolled', [r.total for r in rolls])
try:
    dice.roll('two')
except errors.ToolError as e:
    print(type(e).__name__, e.code)
sum(r.total for r in rolls), note.key
";
    std::fs::write(place.path().join("s.py"), source).expect("a file");
    let out = place.run(&["run", "s.py"]).good();
    assert_eq!(out, "rolled [2, 2, 2]\nInvalidArguments invalid_arguments\n(6, 'shopping')\n");
    let notes = place.run(&["call", "notes.list", "--json"]).json();
    assert_eq!(notes["value"]["notes"][0]["text"], "milk", "what it did is done: {notes}");
}

#[test]
fn programs_read_what_came_of_a_script() {
    let place = Place::new();
    let done = run(&place, "print('x')\ndice.roll('3d1')", &["--json"]).json();
    assert_eq!((&done["outcome"], &done["output"], &done["value"]["total"]), (&"done".into(), &"x\n".into(), &3.into()));
    assert_eq!((&done["calls"][0]["function"], &done["calls"][0]["error"]), (&"dice.roll".into(), &Value::Null));
    let failed = run(&place, "x = 1\nx.y", &["--json"]);
    let line: Value = serde_json::from_str(&failed.out).expect("JSON");
    assert_eq!((failed.code, &line["error"]["kind"], &line["error"]["line"]), (1, &"AttributeError".into(), &2.into()));
}

#[test]
fn a_script_that_is_wrong_says_where_and_the_exit_code_how() {
    let place = Place::new();
    for (source, code, said) in [
        ("1 +", 2, "line 1, column"),
        ("x = 1\ndice.rol('1d6')", 2, "line 2, column 1: `dice` has no function `rol`; did you mean `roll`?"),
        ("dice.roll(notaton='1d6')", 2, "did you mean `notation`?"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("dice.roll('two')", 1, "invalid_arguments"),
        ("while True: pass", 1, "`sandbox.limits.cpu_time`"),
        ("for _ in range(5): dice.roll('1d6')", 1, "`sandbox.limits.calls` allows (4)"),
        ("open('/etc/passwd')", 1, "Error"),
    ] {
        let run =
            place.run_with(&["--set", "sandbox.limits.cpu_time=300ms", "--set", "sandbox.limits.calls=4", "run", "-"], source);
        let err = run.bad(code);
        assert!(err.contains(said), "{source}: {err}");
    }
    let err = place.run(&["run", "nowhere.py"]).bad(2);
    assert!(err.contains("nowhere.py cannot be read"), "{err}");
}

#[test]
fn a_script_may_call_only_what_it_is_allowed() {
    let place = Place::new();
    assert_eq!(run(&place, "dice.roll('1d1').total", &["--allow", "dice.*"]).good(), "1\n");
    let err = run(&place, "notes.list()", &["--allow", "dice.*", "--allow", "basic.now"]).bad(2);
    assert!(err.contains("line 1, column 1: `notes` is not defined; there are: basic, dice"), "{err}");
    let err = run(&place, "1", &["--allow", "dice.rol"]).bad(2);
    assert!(err.contains("there is no tool `dice.rol`") && err.contains("did you mean `dice.roll`?"), "{err}");
}

#[test]
fn a_tool_that_asks_is_not_called_where_nobody_is_there_to_ask() {
    let err = run(&Place::new(), "notes.remove(key='x')", &[]).bad(1);
    assert!(err.contains("nobody is there to ask"), "{err}");
}

#[test]
fn the_policy_counts_what_a_script_calls() {
    let source = "\
codes = []
for i in range(61):
    try:
        notes.save(text=str(i), key='flood')
    except errors.ToolError as e:
        codes.append(e.code)
codes
";
    assert_eq!(run(&Place::new(), source, &[]).good(), "['rate_limited']\n");
}

#[test]
fn files_are_there_if_they_are_switched_on() {
    let off = run(&Place::new(), "files.write('a.txt', 'hi')", &[]).bad(2);
    assert!(off.contains("files"), "{off}");
    let place = Place::with_settings("[sandbox]\nfiles = true\n[files]\nfile_bytes = 10\n");
    let source = "\
files.write('a/b.txt', 'hi')
for bad in ['../x', '/etc/passwd']:
    try:
        files.read(bad)
    except errors.ToolError as e:
        print(e.code)
try:
    files.write('big', 'x' * 11)
except errors.ToolError as e:
    print(e.code, e.hint)
print([f.path for f in files.list('a')])
files.read('a/b.txt')
";
    let out = run(&place, source, &[]).good();
    assert_eq!(out, "invalid_arguments\ninvalid_arguments\ntoo_large the limit is `files.file_bytes`\n['a/b.txt']\nhi\n");
    let err = run(&place, "files.remove('a/b.txt')", &[]).bad(1);
    assert!(err.contains("nobody is there to ask"), "what destroys is guarded as a tool is: {err}");
    let err = run(&place, "files.read('a/b.txt')", &["--allow", "dice.*"]);
    assert_ne!(err.code, 0, "{err:?}");
}

#[test]
fn stubs_are_what_a_model_sees_within_a_budget() {
    let place = Place::new();
    let text = place.run(&["stubs"]).good();
    assert!(text.contains("class dice:\n    def roll(notation: str = \"1d6\") -> {dice: list[int], total: int}: ..."), "{text}");
    let all = place.run(&["stubs", "--json"]).json();
    let few = place.run(&["--set", "sandbox.stub_tokens=300", "--json", "stubs"]).json();
    let tokens = |of: &Value| of["tokens"].as_u64().expect("a number");
    assert!(tokens(&all) > tokens(&few) && tokens(&few) <= 300, "{few:#}");
    assert!(all["functions"].as_array().is_some_and(|names| names.contains(&"dice.roll".into())));
    assert!(!text.contains("class files"));
}

#[test]
fn the_doctor_shows_each_layer_of_the_confinement() {
    let findings = Place::new().run(&["--json", "doctor"]).json();
    let of = |what: &str| findings.as_array().and_then(|all| all.iter().find(|one| one["what"] == what)).cloned();
    let whole = of("sandbox").expect("it is looked at");
    assert!(whole["detail"].as_str().is_some_and(|text| text.contains("sandbox.require = \"best-effort\"")), "{whole}");
    for layer in ["inheritance", "no_new_privileges", "system_calls", "landlock", "network_namespace"] {
        assert!(of(&format!("sandbox {layer}")).is_some(), "{layer}");
    }
}

#[test]
fn a_model_that_writes_no_code_cannot_act_by_scripts() {
    let place = Place::with_settings("[models.main]\nprovider = 'offline'\ncalls = 'code'\n");
    let err = place.run(&["tools"]).bad(2);
    assert!(err.contains("`models.main.calls`: `offline` is no language model, and writes no code"), "{err}");
}

fn script(source: &str) -> Answer {
    ("200 OK", stream(&[call(0, "run_python", &json!({ "code": source }).to_string())], "tool_calls"))
}

fn says(text: &str) -> Answer {
    ("200 OK", stream(&[json!({ "content": text })], "stop"))
}

/// A provider whose model acts by scripts.
fn by_scripts(answers: Vec<Answer>, more: &str) -> Provider {
    let provider = Provider::new(answers);
    let path = provider.place.path().join("nekro.toml");
    let settings = std::fs::read_to_string(&path).expect("its settings");
    std::fs::write(path, format!("{settings}calls = 'code'\n{more}")).expect("its settings");
    provider
}

/// The last result that the model was given.
fn result(request: &Value) -> &str {
    let mut results = request["messages"].as_array().expect("messages").iter().filter(|message| message["role"] == "tool");
    results.next_back().and_then(|result| result["content"].as_str()).expect("a result")
}

#[test]
fn a_model_acts_by_a_script_and_sees_its_mistakes_and_its_result() {
    let provider = by_scripts(
        vec![
            script("dice.rol('5d1')"),
            script(
                "import asyncio\nrolls = await asyncio.gather(*[dice.roll('5d1') for _ in range(2)])\nprint('two rolls')\nsum(r.total for r in rolls)",
            ),
            script("notes.save(text='ten', key='roll')\n1 / 0"),
            script("print(rolls[0].total)"),
            says("You rolled 10."),
        ],
        "[sandbox]\nkeep_state = true\n",
    );
    let out = provider.place.run(&["--json", "chat", "--once", "roll"]).good();
    let first = provider.request();
    let names: Vec<_> = first["tools"].as_array().expect("tools").iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names, ["run_python"]);
    assert!(first["messages"][0].to_string().contains("class dice:"), "{first:#}");
    let refused = provider.request();
    let told = result(&refused);
    assert!(
        told.ends_with("The script was not run:\nline 1, column 1: `dice` has no function `rol`; did you mean `roll`?"),
        "{told}"
    );
    assert_eq!((&refused["messages"][0], &refused["tools"]), (&first["messages"][0], &first["tools"]), "the same to the byte");
    assert_eq!(result(&provider.request()), "10\n\nPrinted:\ntwo rolls");
    let failed = provider.request();
    let failed = result(&failed);
    assert!(failed.contains("line 2") && failed.contains("ZeroDivisionError"), "{failed}");
    assert!(failed.ends_with("Calls that were made: notes.save"), "{failed}");
    assert_eq!(result(&provider.request()), "Printed:\n5", "the variables of the script before are there");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let executed: Vec<_> = lines.iter().filter(|line| line["event"] == "tool_executed").map(|line| &line["data"]).collect();
    let told: Vec<_> = executed.iter().map(|data| format!("{} {}", data["tool"], data["outcome"]).replace('"', "")).collect();
    assert_eq!(
        told,
        [
            "run_python failed",
            "dice.roll ok",
            "dice.roll ok",
            "run_python ok",
            "notes.save ok",
            "run_python failed",
            "run_python ok"
        ]
    );
    assert!(lines.iter().any(|line| line["answer"] == "You rolled 10."), "{out}");
}

#[test]
fn a_script_that_never_ends_costs_its_limit_and_not_the_turn() {
    let provider = by_scripts(
        vec![script("print('begun')\nwhile True: pass"), says("It took too long.")],
        "[sandbox.limits]\ncpu_time = '300ms'\n",
    );
    let out = provider.place.run(&["chat", "--once", "loop"]).good();
    provider.request();
    let request = provider.request();
    let told = result(&request);
    assert!(told.contains("`sandbox.limits.cpu_time`") && told.ends_with("Printed:\nbegun"), "{told}");
    assert!(out.contains("It took too long."), "{out}");
}

#[cfg(unix)]
#[test]
fn a_person_sees_the_script_its_calls_and_its_result() {
    let provider = by_scripts(vec![script("a = dice.roll('5d1')\nprint('thrown')\na.total * 2"), says("Ten.")], "");
    let mut terminal = Terminal::start(provider.place.command(&["chat"]));
    terminal.see("> ");
    terminal.enter("roll");
    let seen = terminal.see("Ten.");
    let at = |words: &str| seen.find(words).unwrap_or_else(|| panic!("`{words}` is not shown: {seen}"));
    let places = ["▶ script", "a = dice.roll('5d1')", "  → dice.roll", "  ✓ dice.roll", "✓ script", "    10", "thrown", "Ten."];
    let places: Vec<_> = places.iter().map(|words| at(words)).collect();
    assert!(places[..5].is_sorted() && places[4] < places[7], "{seen}");
    terminal.enter("/quit");
    terminal.ends_well();
}

//! What scripts can do.

use nekro_sandbox::{Limits, Outcome, Part, Script, State};

use crate::world::{self, run, run_script, sandbox, script, value};

pub(crate) fn the_value_of_the_last_expression_comes_back() {
    for (source, text) in [
        ("1 + 1", "2"),
        ("'as it is'", "as it is"),
        ("[1, 'two', None]", "[1, 'two', None]"),
        ("def f():\n    return {1}\nf()", "{1}"),
        ("object.__name__; 3", "3"),
    ] {
        assert_eq!(value(source), text, "{source}");
    }
    for nothing in ["x = 1", "None", "", "for i in range(3):\n    i"] {
        assert!(matches!(run(nothing).outcome, Outcome::Done(None)), "{nothing}");
    }
}

pub(crate) fn functions_are_modules_and_answers_have_attributes() {
    for (source, text) in [
        ("weather.forecast(city='Berlin').wind.speed", "3"),
        ("weather.forecast('Berlin', 2)['days']", "2"),
        ("weather.forecast(city='x').hours[0].t", "1"),
        ("from weather import forecast\nforecast('Rome').city", "Rome"),
        ("import weather as w\nw.forecast('Rome').city", "Rome"),
        ("math_tools.add(a=2, b=3)", "5"),
        ("weather.from_(from_='here')", "here"),
        ("weather.from_('there')", "there"),
        (
            "import datetime\necho({'d': datetime.date(2024, 1, 2), 's': {2, 1}, 'b': b'x'})",
            "{'b': 'eA==', 'd': '2024-01-02', 's': [1, 2]}",
        ),
    ] {
        assert_eq!(value(source), text, "{source}");
    }
}

pub(crate) fn every_call_can_be_awaited_and_gathered() {
    // `meet` answers when ten calls of it are under way: one after the other, none would ever come back.
    let meetings = [
        "await asyncio.gather(*[meet(i) for i in range(10)])",
        "await asyncio.gather(*map(meet, range(10)))",
        "calls = [meet(i) for i in range(10)]\nawait asyncio.gather(*calls)",
        "calls = []\nfor i in range(10):\n    calls.append(meet(number=i))\nawait asyncio.gather(*calls)",
        "calls = {i: meet(i) for i in range(10)}\nawait asyncio.gather(*calls.values())",
        "async def one(i):\n    return await meet(i)\nawait asyncio.gather(*(one(i) for i in range(10)))",
        "async def main():\n    async with asyncio.TaskGroup() as group:\n        tasks = [group.create_task(meet(i)) for i in range(10)]\n    return [t.result() for t in tasks]\nasyncio.run(main())",
    ];
    for source in meetings {
        assert_eq!(value(&format!("import asyncio\n{source}")), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "{source}");
    }
    for (source, text) in [
        ("await add(1, 2)", "3"),
        ("x = add(1, 2)\nawait x", "3"),
        ("import asyncio\nx = add(1, 2)\n[x + 1, await asyncio.gather(add(x, 1), x)]", "[4, [4, 3]]"),
        ("import asyncio\nasyncio.run(asyncio.sleep(0, 5)) + await add(1, 1)", "7"),
        ("import asyncio\nawait asyncio.wait_for(add(1, 2), 5)", "3"),
    ] {
        assert_eq!(value(source), text, "{source}");
    }
}

pub(crate) fn a_call_that_is_quick_does_not_wait_for_a_slow_one() {
    let source = "\
import asyncio
slow = asyncio.create_task(hang())
steps = [await add(i, 1) for i in range(3)]
slow.cancel()
steps";
    assert_eq!(value(source), "[1, 2, 3]");
}

pub(crate) fn errors_are_exceptions_that_can_be_caught_by_class() {
    for (source, text) in [
        (
            "try:\n    fail('not_found', 'no such', 'look elsewhere')\nexcept errors.NotFound as e:\n    r = [e.code, e.message, e.hint]\nr",
            "['not_found', 'no such', 'look elsewhere']",
        ),
        ("try:\n    fail(code='quite_own')\nexcept errors.QuiteOwn as e:\n    r = type(e).__name__\nr", "QuiteOwn"),
        ("try:\n    fail(code='denied')\nexcept PermissionError as e:\n    r = isinstance(e, ToolError)\nr", "True"),
        ("try:\n    fail(code='timeout')\nexcept TimeoutError:\n    r = 1\nr", "1"),
        (
            "import asyncio\n[type(e).__name__ for e in await asyncio.gather(fail('a'), fail('b'), return_exceptions=True)]",
            "['A', 'B']",
        ),
    ] {
        assert_eq!(value(source), text, "{source}");
    }
    let Outcome::Failed(failure) = run("x = 1\n\nfail('not_found', 'no such', 'look elsewhere')").outcome else {
        panic!("it fails")
    };
    assert_eq!(
        (failure.kind.as_str(), failure.line, failure.code.as_deref(), failure.hint.as_deref()),
        ("NotFound", Some(3), Some("not_found"), Some("look elsewhere"))
    );
    assert!(failure.traceback.contains("line 3"), "{}", failure.traceback);
    assert!(!failure.traceback.contains("guest"), "{}", failure.traceback);
}

pub(crate) fn what_must_be_seen_ends_the_script_and_nothing_catches_it() {
    let source = "\
try:
    try:
        show({'found': 3})
    except BaseException:
        print('caught')
    finally:
        print('finally')
except:
    print('caught')
print('went on')";
    let report = run(source);
    let Outcome::Shown(shown) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!((shown.function.as_str(), shown.value.get()), ("show", r#"{"found":3}"#));
    assert_eq!(report.output, "");
    let Outcome::Shown(shown) = run("import asyncio\nawait asyncio.gather(hang(), chart())").outcome else {
        panic!("it is shown")
    };
    assert!(matches!(&shown.content[..], [Part::Text(_), Part::Image { bytes, .. }] if bytes.len() == 3));
    assert_eq!(value("'the same worker goes on'"), "the same worker goes on");
}

pub(crate) fn a_note_is_kept_beside_the_value() {
    let report = run("note('remember this')");
    assert_eq!(report.notes, ["remember this"]);
    assert!(matches!(report.outcome, Outcome::Done(Some(value)) if value.text == "True"));
}

pub(crate) fn a_script_is_checked_before_it_runs() {
    for (source, problem) in [
        ("print(1)\nx = = 2", "line 2, column 5: invalid syntax"),
        ("weather.forcast(city='x')", "line 1, column 1: `weather` has no function `forcast`; did you mean `forecast`?"),
        ("x = 1\nwether.forecast(city='x')", "line 2, column 1: `wether` is not defined; did you mean `weather`?"),
        ("forecast(city='x')", "line 1, column 1: `forecast` is not defined; did you mean `weather.forecast`?"),
        ("math.sqrt(4)", "line 1, column 1: `math` is not defined; write `import math` before"),
        ("weather.forecast(town='x')", "line 1, column 18: `weather.forecast` has no argument `town`; it takes: city, days"),
        ("weather.forecast(citty='x')", "line 1, column 18: `weather.forecast` has no argument `citty`; did you mean `city`?"),
        (
            "weather.forecast('x', 1, 2)",
            "line 1, column 26: `weather.forecast` takes 2 arguments, and 3 are given; it takes: city, days",
        ),
        ("weather.forecast()", "line 1, column 1: `weather.forecast` misses an argument: `city`"),
        ("weather.forecast('x', city='y')", "line 1, column 23: `weather.forecast` is given its argument `city` twice"),
        ("return 1", "line 1, column 1: invalid syntax: 'return' outside function"),
    ] {
        let report = run(source);
        let Outcome::Refused(problems) = &report.outcome else { panic!("{source}: {report:?}") };
        assert_eq!(problems[0].to_string(), problem, "{source}");
        assert!(report.calls.is_empty());
    }
    for (source, place) in [("diary.read()", "line 1, column 1: `diary`"), ("1\nsend('x')", "line 2, column 1: `send`")] {
        let Outcome::Refused(problems) = run(source).outcome else { panic!("{source} is refused") };
        let told = problems[0].to_string();
        assert!(told.starts_with(&format!("{place} is not defined; there are: math_tools, weather, add, ")), "{told}");
    }
    let report = run("print('never')\nweather.forcast()\nadd(1)");
    let Outcome::Refused(problems) = report.outcome else { panic!("it is refused") };
    assert_eq!((problems.len(), report.output.as_str()), (2, ""), "everything is said at once, and nothing is run");
    for right in [
        "weather = {'forcast': 1}\nweather.get('x')",
        "weather.forecast(**{'city': 'x'})",
        "def add(x):\n    return x\nadd(1)",
        "try:\n    diary.read()\nexcept NameError:\n    pass",
        "exec('diary = []')\ndiary.append(1)",
        "match {'a': 1}:\n    case {**diary}:\n        diary.get('a')",
        "from math import *\nsqrt(4)",
        "try:\n    weather.nope\nexcept AttributeError:\n    pass",
    ] {
        assert!(matches!(run(right).outcome, Outcome::Done(_)), "{right}");
    }
    let problems = world::runtime().block_on(sandbox().check(&script("show(1)\nweather.forcast()"))).expect("it is checked");
    assert_eq!(problems.len(), 1);
}

pub(crate) fn nothing_of_a_script_is_there_for_the_next() {
    run(
        "import builtins, json, random, sys\nleft = 1\nbuiltins.len = lambda x: 42\njson.dumps = None\nsys.modules['mine'] = json\nprint = None\nrandom.seed(1)",
    );
    assert_eq!(
        value("import json, sys\n['left' in globals(), len([]), json.dumps([1]), 'mine' in sys.modules]"),
        "[False, 0, '[1]', False]"
    );
    let draw = "import random, uuid, secrets\n[random.random(), str(uuid.uuid4()), secrets.token_hex(4)]";
    assert_ne!(value(draw), value(draw));
}

pub(crate) fn a_session_may_keep_its_variables() {
    let keeping = |source: &str, state: State| Script { state: Some(state), ..script(source) };
    let first = run_script(&keeping(
        "import math\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n\ndef double(v):\n    return v * 2\n\ncount = 1\npoint = P(3)\nweird = (i for i in 'ab')\nfound = weather.forecast('Rome')",
        State::default(),
    ));
    let state = first.state.expect("it is kept");
    let second = run_script(&keeping(
        "count += 1\n[count, point.x, double(4), math.pi > 3, 'weird' in globals(), found.city, weather.forecast('Oslo').city]",
        state,
    ));
    let Outcome::Done(Some(value)) = &second.outcome else { panic!("{second:?}") };
    assert_eq!(value.text, "[2, 3, 8, True, False, 'Rome', 'Oslo']");
    let third = run_script(&keeping("count", second.state.expect("it is kept")));
    assert!(matches!(third.outcome, Outcome::Done(Some(value)) if value.text == "2"));
    assert!(run("x = 1").state.is_none(), "nothing is kept unasked");
}

pub(crate) fn what_is_long_is_cut_in_the_middle() {
    let limits = Limits::default();
    let report = run("for i in range(9000):\n    print(i)\nlist(range(20000))");
    assert!(report.output.starts_with("0\n1\n") && report.output.ends_with("8999\n") && report.output.contains("bytes left out"));
    assert!(report.output.len() < limits.shown_output + 100);
    let Outcome::Done(Some(value)) = report.outcome else { panic!("it is done") };
    assert!(value.text.starts_with("[0, 1") && value.text.ends_with("19999]") && value.text.len() < limits.shown_value + 100);
    assert!(value.json.is_some_and(|json| json.get().len() > 80_000), "as JSON it is whole");
}

pub(crate) fn what_is_printed_is_seen_while_the_script_runs() {
    let world = world::World::new();
    let report =
        world::runtime().block_on(sandbox().run(&script("print('a')\nadd(1, 2)\nprint('b')\n1 / 0"), &world)).expect("it runs");
    assert_eq!((report.output.as_str(), world.printed.lock().expect("nobody panicked").as_str()), ("a\nb\n", "a\nb\n"));
}

//! What a model is told of scripts. The same to the byte as long as the functions are, so that a provider can keep what it has read.

/// Puts the text together around the stubs of the functions.
pub(super) fn text(stubs: &str, keeps_state: bool) -> String {
    let state = if keeps_state {
        "What a script defines at its top is there again for your next one."
    } else {
        "Each script begins with nothing of the one before."
    };
    let functions = if stubs.is_empty() {
        "There are no functions to call now.".to_owned()
    } else {
        format!("These functions are there without an import:\n\n```python\n{stubs}```")
    };
    format!(
        "You act by writing Python: call `{}` with a whole script. It runs in CPython 3.14 with the pure part of the standard library and \
         without files, network and processes. {state} The value of its last expression and what it prints come back to you. A function's \
         answer is plain data, and fields are attributes too. `await asyncio.gather(...)` makes calls at the same time. A call that fails \
         raises `errors.ToolError`, which has `code`, `message` and `hint`. Do in one script what belongs together. {functions}",
        crate::agent::script::RUN
    )
}

//! Tools as the sandbox has them: their names, what they do, and their types.

use std::collections::BTreeMap;

use nekro_core::{
    Kind,
    kernel::{self, Tool},
};
use nekro_sandbox::{Function, Functions, Parameter};
use serde_json::Value;

/// Describes tools, and adds the functions that scripts have beside them.
///
/// Of two that Python would call by one name, the second is left out, and the log says so.
pub(super) fn functions(tools: &[Tool<'_>], own: Vec<Function>) -> Functions {
    let mut names = BTreeMap::new();
    let mut described = Vec::new();
    for function in tools.iter().map(describe).chain(own) {
        if let Some(first) = names.insert(function.python_name(), function.name.clone()) {
            tracing::warn!("scripts cannot call `{}`: in Python it has the name of `{first}`", function.name);
            names.insert(function.python_name(), first);
        } else {
            described.push(function);
        }
    }
    Functions::new(described).expect("every name is there once")
}

fn describe(tool: &Tool<'_>) -> Function {
    let schema = tool.arguments();
    let mut description = tool.docs().to_owned();
    if matches!(tool.kind(), Kind::Show | Kind::Content) {
        description.push_str("\nEnds the script: you are shown the answer before you go on.");
    }
    Function {
        name: tool.name().to_owned(),
        description,
        parameters: tool.parameters().into_iter().map(|one| parameter(one, schema)).collect(),
        returns: tool.output().cloned(),
    }
}

fn parameter(of: kernel::Parameter<'_>, schema: &Value) -> Parameter {
    let mut own = if of.schema.is_null() { Value::Bool(true) } else { of.schema.clone() };
    // What it refers to stands beside the parameters.
    if let (Value::Object(own), Some(definitions)) = (&mut own, schema.get("$defs")) {
        own.insert("$defs".to_owned(), definitions.clone());
    }
    Parameter { name: of.name.to_owned(), description: of.docs.to_owned(), schema: own, optional: of.optional }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn tools_are_functions_with_their_types_and_what_their_docs_say() {
        let registry = crate::registry_of(|id| matches!(id, "probe"));
        let tools: Vec<_> = registry
            .tools()
            .iter()
            .filter(|tool| matches!(tool.decl.name, "echo" | "wait" | "look" | "picture"))
            .map(Tool::linked)
            .collect();
        expect![[r#"
            class files:
                def list(path: str | None = None) -> list[{bytes: int, kind: Literal["file", "directory"], path: str}]: ...
                    # Lists the files of this conversation.
                    # path: A directory; without it, the uppermost one.
                def read(path: str, base64: bool = False) -> str: ...
                    # Reads a file of this conversation.
                    # path: Its path, such as notes/today.txt.
                    # base64: Whether to return its bytes as base64, for a file that is no text.
                def remove(path: str) -> bool: ...
                    # Removes a file, or a directory with nothing in it. Returns whether it was there.
                    # path: Its path.
                def write(path: str, text: str, base64: bool = False) -> {bytes: int, path: str}: ...
                    # Writes a file of this conversation, in place of what was there.
                    # path: Its path, such as notes/today.txt. Directories are made.
                    # text: What it holds.
                    # base64: Whether that is base64, of a file that is no text.
            class probe:
                def echo(text: str) -> str: ...
                    # Says the same.
                    # text: What.
                def look() -> list[str]: ...
                    # Shows something.
                    # Ends the script: you are shown the answer before you go on.
                def picture() -> Any: ...
                    # Makes a picture.
                    # Ends the script: you are shown the answer before you go on.
                def wait(millis: int) -> str: ...
                    # Takes its time.
                    # millis: How long, in milliseconds.
        "#]]
        .assert_eq(&functions(&tools, crate::code::files::functions()).stubs(10_000));
    }

    #[test]
    fn a_function_that_has_the_name_of_another_one_is_left_out() {
        let registry = crate::registry_of(|id| id == "probe");
        let echo = Tool::linked(registry.tool("probe.echo").expect("it is linked"));
        assert_eq!(functions(&[echo.clone(), echo], Vec::new()).iter().count(), 1);
    }
}

//! What a script may call, under names that Python has.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

/// A function of the host.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name at the host: `weather.forecast`; what stands before the first dot becomes a module.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The JSON Schema of what it returns, if that is known.
    pub returns: Option<Value>,
}

impl Function {
    /// Returns its name in Python: `web_search.find` for `web-search.find`.
    pub fn python_name(&self) -> String {
        python_path(&self.name)
    }
}

/// A parameter of a [`Function`].
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name at the host.
    pub name: String,
    /// What it is for, for the model.
    pub description: String,
    /// Its JSON Schema.
    pub schema: Value,
    /// Whether it may be left out.
    pub optional: bool,
}

/// The functions that one script may call: what it may not call is not there.
#[derive(Debug, Default)]
pub struct Functions {
    functions: Vec<Function>,
    #[cfg_attr(
        not(all(target_os = "linux", feature = "python")),
        expect(dead_code, reason = "asked by the interpreter's calls")
    )]
    by_name: HashSet<String>,
    /// What the interpreter is told: made once, for a thousand scripts.
    #[cfg_attr(not(all(target_os = "linux", feature = "python")), expect(dead_code, reason = "told to the interpreter"))]
    told: String,
}

/// Two functions would have one name in Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameName {
    /// The name.
    pub python: String,
    /// The functions' own names.
    pub functions: [String; 2],
}

impl std::fmt::Display for SameName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, second] = &self.functions;
        write!(f, "`{first}` and `{second}` would both be called `{}` in Python: rename one of them", self.python)
    }
}

impl std::error::Error for SameName {}

impl Functions {
    /// Names them.
    ///
    /// # Errors
    ///
    /// If two of them would have the same name.
    pub fn new(functions: Vec<Function>) -> Result<Self, SameName> {
        let mut names = BTreeMap::<String, &str>::new();
        let mut told = serde_json::Map::new();
        for function in &functions {
            let python = function.python_name();
            if let Some(first) = names.insert(python.clone(), &function.name) {
                return Err(SameName { python, functions: [first.to_owned(), function.name.clone()] });
            }
            let parameters = function.parameters.iter().map(|parameter| {
                let name = python_name(&parameter.name);
                let required = Value::from(u8::from(!parameter.optional));
                if name == parameter.name {
                    Value::Array(vec![name.into(), required])
                } else {
                    Value::Array(vec![name.into(), required, parameter.name.clone().into()])
                }
            });
            told.insert(python, Value::Array(vec![function.name.clone().into(), parameters.collect()]));
        }
        let told = Value::Object(told).to_string();
        let by_name = functions.iter().map(|function| function.name.clone()).collect();
        Ok(Self { functions, by_name, told })
    }

    /// Returns them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter()
    }

    /// Returns the name of one, if it is there.
    #[cfg(all(target_os = "linux", feature = "python"))]
    pub(crate) fn name(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(String::as_str)
    }

    /// Returns what the interpreter is told.
    #[cfg(all(target_os = "linux", feature = "python"))]
    pub(crate) fn told(&self) -> &serde_json::value::RawValue {
        const NONE: &str = "{}";
        let told = if self.told.is_empty() { NONE } else { &self.told };
        serde_json::from_str(told).expect("it was written as JSON")
    }
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

/// Returns `module.function` with names that Python accepts.
pub(crate) fn python_path(name: &str) -> String {
    match name.split_once('.') {
        Some((module, function)) => format!("{}.{}", python_name(module), python_name(function)),
        None => python_name(name),
    }
}

/// Returns a name that Python accepts: `search_web` for `search-web`, `from_` for `from`.
pub(crate) fn python_name(name: &str) -> String {
    let mut python: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if python.starts_with(|c: char| c.is_ascii_digit()) || python.is_empty() {
        python.insert(0, '_');
    }
    if KEYWORDS.contains(&&*python) {
        python.push('_');
    }
    python
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_python_does_not_have_is_changed_a_little() {
        for (name, python) in
            [("web-search.find.all", "web_search.find_all"), ("from", "from_"), ("2fa.code", "_2fa.code"), ("add", "add")]
        {
            assert_eq!(python_path(name), python);
        }
    }

    #[test]
    fn two_functions_with_one_name_in_python_are_refused() {
        let function =
            |name: &str| Function { name: name.into(), description: String::new(), parameters: Vec::new(), returns: None };
        let error = Functions::new(vec![function("a-b.c"), function("a_b.c")]).expect_err("both are a_b.c");
        assert_eq!(error.to_string(), "`a-b.c` and `a_b.c` would both be called `a_b.c` in Python: rename one of them");
    }
}

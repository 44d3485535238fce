//! What the operator sets: in `nekro.toml`, in the environment, and on the command line.
//!
//! Layers lie over each other, and each value knows which of them it came from. The schema of exactly the linked plugins says what can
//! be set; whether a value is right, its own reader says. Everything is checked as a whole, and every mistake is told at once.

mod check;
pub(crate) mod edit;
mod environment;
mod file;
mod form;
mod key;
pub(crate) mod live;
mod mask;
mod mistake;
mod node;
mod origin;
mod schema;
mod secret;
mod section;
pub(crate) mod template;
#[cfg(test)]
mod testing;
mod typed;
pub(crate) mod view;
pub(crate) mod write;

use std::path::{Path, PathBuf};

use nekro_core::ConfigMistake;

use self::environment::Variable;
pub(crate) use self::{
    check::Checked,
    form::Form,
    key::Key,
    mistake::{Mistake, Mistakes},
    node::Node,
    origin::Origin,
    schema::Catalogue,
    typed::read as read_text,
};

/// The file that is read if none is named.
pub(crate) const DEFAULT_FILE: &str = "nekro.toml";

/// Where settings are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    named: Option<PathBuf>,
    environment: Vec<Variable>,
    // `KEY=VALUE`, each.
    command_line: Vec<String>,
}

/// Settings that were read, and not yet checked.
pub(crate) struct Layers {
    /// What stands in the file; empty if there is none.
    pub(crate) file: Node,
    /// What was set above it.
    above: Node,
    // What is wrong with what was set above it.
    mistakes: Vec<Mistake>,
    /// The file, if there is one.
    pub(crate) path: Option<PathBuf>,
    folder: PathBuf,
}

impl Sources {
    /// Returns the sources of this program, as it was started.
    pub(crate) fn new(named: Option<PathBuf>, command_line: Vec<String>) -> Self {
        Self { named, environment: environment::variables(std::env::vars_os()), command_line }
    }

    /// The same, with another file.
    pub(crate) fn with_file(self, file: PathBuf) -> Self {
        Self { named: Some(file), ..self }
    }

    /// Returns the file, whether there is one or not.
    pub(crate) fn file(&self) -> &Path {
        self.named.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
    }

    /// Reads the text of the file; `None` if there is none, and none was named.
    pub(crate) fn text(&self) -> Result<Option<String>, Mistakes> {
        match file::read(self.file())? {
            None if self.named.is_some() => Err(Mistake::of_file(self.file(), "there is no such file").into()),
            text => Ok(text),
        }
    }

    /// Reads the text of the file; `None` if there is none, whether it was named or not.
    pub(crate) fn text_if_there(&self) -> Result<Option<String>, Mistakes> {
        file::read(self.file())
    }

    /// Reads all layers.
    pub(crate) fn read(&self, catalogue: &Catalogue) -> Result<Layers, Mistakes> {
        self.read_with(self.text()?.as_deref(), catalogue)
    }

    /// Reads all layers, with this text as the file's.
    pub(crate) fn read_with(&self, text: Option<&str>, catalogue: &Catalogue) -> Result<Layers, Mistakes> {
        let file = text.map_or_else(|| Ok(Node::empty()), |text| file::parse(text, self.file()))?;
        let form = catalogue.form();
        let (mut above, mut mistakes) = environment::layer(&self.environment, &form);
        for assignment in &self.command_line {
            match read_assignment(assignment, &form) {
                Ok(layer) => above.overlay(layer, Some(&form)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        let path = text.is_some().then(|| self.file().to_owned());
        let folder = self.file().parent().unwrap_or(Path::new("")).to_owned();
        Ok(Layers { file, above, mistakes, path, folder })
    }
}

/// Reads `plugins.weather.units=metric`.
fn read_assignment(assignment: &str, form: &Form<'_>) -> Result<Node, Mistake> {
    // A part of a key may have the sign in its quotes. The value may be a secret and is not quoted.
    let signs = assignment.match_indices('=').map(|(at, _)| at);
    let split = signs.take(64).find_map(|at| Some((Key::parse(assignment[..at].trim()).ok()?, &assignment[at + 1..])));
    let Some((key, text)) = split else {
        return Err(Mistake::new(&Origin::CommandLine, "", "expected KEY=VALUE, such as `--set plugins.weather.units=metric`"));
    };
    let value = read_text(text, form.at(&key).as_ref());
    let mut layer = Node::empty();
    layer.insert(&key, Node::from_json(value, &Origin::CommandLine));
    Ok(layer)
}

/// Puts what is wrong with a plugin's configuration into one reason.
pub(crate) fn reason(mistakes: &[Mistake]) -> ConfigMistake {
    let problem = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    ConfigMistake { path: String::new(), problem }
}

impl Layers {
    /// Lays the layers over each other.
    pub(crate) fn merged(&self, catalogue: &Catalogue) -> Node {
        let mut merged = self.file.clone();
        merged.overlay(self.above.clone(), Some(&catalogue.form()));
        merged
    }

    /// Returns where a key is set above the file.
    pub(crate) fn set_above(&self, key: &Key) -> Option<Origin> {
        self.above.get(key).map(|node| node.origin.clone())
    }

    /// Returns what is wrong with the file, not with what was set above it. Under `key` everything counts, also what is hidden. What is
    /// lacking, as it was in `before`, may come later or from elsewhere.
    pub(crate) fn mistakes_of_file(&self, before: &[Mistake], key: &Key, catalogue: &Catalogue) -> Vec<Mistake> {
        let is_above = |mistake: &Mistake| matches!(mistake.origin, Origin::Environment { .. } | Origin::CommandLine);
        let is_known = |mistake: &Mistake| mistake.lacking && before.contains(mistake);
        let mut mistakes = self.check(catalogue).all_mistakes();
        if self.set_above(key).is_some() {
            let alone = check::check(&self.file, catalogue, &self.folder).all_mistakes();
            let key = key.to_string();
            mistakes.extend(alone.into_iter().filter(|mistake| !mistake.lacking && mistake.key.starts_with(&key)));
        }
        mistakes.retain(|mistake| !is_above(mistake) && !is_known(mistake));
        mistakes
    }

    /// Checks what the layers are together.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> Checked {
        let mut checked = check::check(&self.merged(catalogue), catalogue, &self.folder);
        checked.mistakes.extend(self.mistakes.iter().cloned());
        checked
    }
}

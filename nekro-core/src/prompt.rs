//! What `#[prompt]` says of a function: a section of the text that the model reads first.

use crate::{call::Body, error::Error, lend::LentDecl, location::Location, plugin::PluginDecl};

/// The declaration of a prompt section.
#[derive(Debug)]
pub struct PromptDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The name of the section.
    pub name: &'static str,
    /// The doc comment.
    pub docs: &'static str,
    /// Sections with a higher priority come first.
    pub priority: i32,
    /// The most that the section may be long, in characters; `None` for the host's limit.
    pub budget: Option<usize>,
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// The function.
    pub body: Body<Result<Option<String>, Error>>,
    /// Where it stands.
    pub location: Location,
}

impl PromptDecl {
    /// Tells whether the section changes only with the configuration: its function takes nothing else.
    pub fn is_static(&self) -> bool {
        self.lent.iter().all(|lent| lent.kind == crate::lend::LentKind::Config)
    }
}

/// What a prompt section can be: text, or nothing for now.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a prompt section",
    label = "not text",
    note = "return `String`, `&'static str`, an `Option` of one of these, or a `Result`"
)]
pub trait IntoSection {
    /// Returns the text, if there is one for now.
    fn into_section(self) -> Option<String>;
}

#[diagnostic::do_not_recommend]
impl IntoSection for String {
    fn into_section(self) -> Option<String> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoSection for &'static str {
    fn into_section(self) -> Option<String> {
        Some(self.to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoSection> IntoSection for Option<T> {
    fn into_section(self) -> Option<String> {
        self.and_then(T::into_section)
    }
}

inventory::collect!(&'static PromptDecl);

//! Doc comments.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Returns the text of a doc comment, without the space that indents it.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .flat_map(|text| text.split('\n').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    // An empty line of a `///` comment is an attribute of its own, with an empty text.
    let indent = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len()).min();
    let lines = lines.iter().map(|line| line.get(indent.unwrap_or(0)..).unwrap_or("").trim_end());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

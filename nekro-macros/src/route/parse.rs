//! What stands first in a `#[route]`: the method and the path, without a key.

use proc_macro2::{TokenStream, TokenTree};

/// The method and the path, as they were written.
pub(super) struct Head {
    pub(super) method: Option<TokenTree>,
    pub(super) path: Option<TokenTree>,
}

impl Head {
    /// Takes the method and the path off the keys.
    pub(super) fn split(tokens: TokenStream) -> (Self, TokenStream) {
        let mut rest = tokens.into_iter().peekable();
        let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
        let is_literal = |token: &TokenTree| matches!(token, TokenTree::Literal(_));
        let mut keys: Vec<TokenTree> = Vec::new();
        let mut method = None;
        if let Some(TokenTree::Ident(_)) = rest.peek() {
            let first = rest.next();
            match rest.peek() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => keys.extend(first),
                _ => method = first,
            }
        }
        if method.is_some() {
            rest.next_if(is_comma);
        }
        let path = if keys.is_empty() { rest.next_if(is_literal) } else { None };
        if path.is_some() {
            rest.next_if(is_comma);
        }
        keys.extend(rest);
        (Self { method, path }, keys.into_iter().collect())
    }
}

//! What the snapshots of expansions are compared by.

use expect_test::ExpectFile;
use proc_macro2::{TokenStream, TokenTree};

/// Compares an expansion, formatted. A function's body that cannot be parsed is left as it is.
#[track_caller]
pub(crate) fn check(expansion: TokenStream, expected: ExpectFile) {
    let expansion = unwrapped(expansion);
    let text = match syn::parse2(expansion.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => {
            let registration = expansion.to_string();
            let at = registration.find("const _ : () =").expect("the attribute registers something");
            let file = syn::parse_str(&registration[at..]).expect("what the attribute adds is valid");
            prettyplease::unparse(&file)
        }
    };
    expected.assert_eq(&text);
}

/// Takes an expansion out of the macro that passes it on, for what is given to a macro cannot be formatted.
fn unwrapped(expansion: TokenStream) -> TokenStream {
    let tokens: Vec<_> = expansion.clone().into_iter().collect();
    match (tokens.first(), tokens.last()) {
        (Some(TokenTree::Ident(first)), Some(TokenTree::Group(last))) if first == "crate" => last.stream(),
        _ => expansion,
    }
}

//! A function: its head as syntax, its body as tokens.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, GenericParam, ReturnType, Safety, Signature, Type, Visibility,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
};

use super::{Diagnostics, docs};

/// A function that an attribute stands on. The body is not parsed: a half-typed one must not take the attribute down with it.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    pub(crate) signature: Signature,
    body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl Function {
    /// Reads the item below an attribute; if it is no function, that is reported.
    pub(crate) fn read(attribute: &str, item: &TokenStream, diagnostics: &mut Diagnostics) -> Option<Self> {
        match syn::parse2::<Self>(item.clone()) {
            Ok(function) => Some(function),
            Err(_) if !item.clone().into_iter().any(|token| token.to_string() == "fn") => {
                diagnostics.report(
                    without_attributes(item),
                    format!("`#[{attribute}]` stands on a function: `fn name(…)` or `async fn name(…)`"),
                );
                None
            }
            Err(error) => {
                diagnostics.push(error);
                None
            }
        }
    }

    /// Returns the doc comment.
    pub(crate) fn docs(&self) -> String {
        docs(&self.attributes)
    }

    /// Tells whether the function is `async`.
    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// Reports what no attribute can work with.
    pub(crate) fn check(&self, attribute: &str, diagnostics: &mut Diagnostics) {
        let Signature { generics, safety, abi, variadic, output, .. } = &self.signature;
        for parameter in &generics.params {
            let why = match parameter {
                GenericParam::Lifetime(_) => "needs no lifetimes: write `&T`, for the host lends for the length of the call",
                _ => "cannot be generic: whoever calls it by name cannot choose a type",
            };
            diagnostics.report(parameter, format!("a function with `#[{attribute}]` {why}"));
        }
        if let Some(clause) = &generics.where_clause {
            diagnostics.report(clause, format!("a function with `#[{attribute}]` has no `where` clause, for it is not generic"));
        }
        if let Safety::Unsafe(word) = safety {
            diagnostics.report(word, "a plugin's function cannot be `unsafe`: its callers could not keep its promise");
        }
        if let Some(abi) = abi {
            diagnostics.report(abi, "a plugin's function cannot be `extern`");
        }
        if let Some(variadic) = variadic {
            diagnostics.report(variadic, "a plugin's function cannot be variadic");
        }
        match output {
            ReturnType::Type(_, ty) if matches!(**ty, Type::Reference(_)) && !is_static(ty) => {
                diagnostics.report(ty, "a plugin's function returns a value of its own, not a reference: write the type without `&`, such as `String` for `&str`");
            }
            ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => {
                diagnostics.report(ty, "write the return type by its name: the schema is made from it");
            }
            _ => {}
        }
    }

    /// Returns who may call it.
    pub(crate) fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// Returns the type that the function returns.
    pub(crate) fn output(&self) -> TokenStream {
        match &self.signature.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        }
    }

    /// Returns where to say something about what the function returns: at its name, if it has no return type.
    pub(crate) fn output_span(&self) -> Span {
        match &self.signature.output {
            ReturnType::Default => self.signature.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }

    /// Returns the function as it was, without what the attribute alone understands.
    pub(crate) fn item(&self) -> TokenStream {
        let Self { attributes, visibility, signature, body } = self;
        let mut signature = signature.clone();
        for input in &mut signature.inputs {
            let attributes = match input {
                FnArg::Receiver(receiver) => &mut receiver.attrs,
                FnArg::Typed(typed) => &mut typed.attrs,
            };
            attributes.retain(|attribute| !attribute.path().is_ident("doc") && !attribute.path().is_ident("arg"));
        }
        // What is lent and what is given add up; there is no struct to put them into.
        let many = (signature.inputs.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
        quote! { #(#attributes)* #many #visibility #signature #body }
    }
}

/// Returns the first token after the attributes and the visibility, such as `struct`.
fn without_attributes(item: &TokenStream) -> TokenStream {
    let first = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let first = input.parse::<TokenTree>()?;
        input.parse::<TokenStream>()?;
        Ok(first.into())
    };
    first.parse2(item.clone()).unwrap_or_else(|_| item.clone())
}

fn is_static(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static"))
}

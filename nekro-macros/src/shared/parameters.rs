//! The parameters of a function: what is lent, and what the caller gives.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{
    Attribute, Expr, ExprRange, FnArg, GenericArgument, Ident, Meta, Pat, PathArguments, Type, TypeReference, ext::IdentExt,
    spanned::Spanned,
};

use super::{Diagnostics, Keys, check_name, docs};

/// The parameters of a function, in order.
pub(crate) struct Parameters(pub(crate) Vec<Parameter>);

/// One parameter.
pub(crate) enum Parameter {
    /// A reference: lent by the host.
    Lent(Box<Type>),
    /// A value: given by the caller.
    Argument(Box<Argument>),
}

/// A parameter that the caller gives.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    /// The type as it was written.
    written: Type,
    pub(crate) name: String,
    pub(crate) docs: String,
    /// The type that is read: for `&str`, `String`.
    pub(crate) ty: TokenStream,
    pub(crate) form: Form,
    pub(crate) default: Option<Default>,
    pub(crate) range: Option<ExprRange>,
}

/// How the value that was read becomes the parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Owned,
    /// `&str`
    Text,
    /// `Option<&str>`
    OptionalText,
}

/// The value of an argument that is left out.
pub(crate) enum Default {
    /// What the type's own `Default` says.
    OfType,
    /// An expression.
    Value(Expr),
}

impl Parameters {
    /// Reads the parameters of a function.
    pub(crate) fn read<'a>(inputs: impl IntoIterator<Item = &'a FnArg>, attribute: &str, diagnostics: &mut Diagnostics) -> Self {
        let mut parameters = Vec::new();
        for input in inputs {
            match input {
                FnArg::Receiver(receiver) => diagnostics.report(
                    receiver,
                    format!(
                        "`#[{attribute}]` stands on a plain function, not on a method: borrow the configuration by its type, such as `weather: &Weather`"
                    ),
                ),
                FnArg::Typed(typed) => {
                    parameters.extend(read_typed(&typed.attrs, &typed.pat, &typed.ty, diagnostics));
                }
            }
        }
        let parameters = Self(parameters);
        let mut names = Vec::new();
        for argument in parameters.arguments() {
            if names.contains(&&argument.name) {
                diagnostics.report(&argument.ident, format!("two arguments are called `{}`: rename one of them", argument.name));
            }
            names.push(&argument.name);
        }
        parameters
    }

    /// Returns the lent types, in order.
    pub(crate) fn lent(&self) -> impl Iterator<Item = &Type> {
        self.0.iter().filter_map(|parameter| match parameter {
            Parameter::Lent(ty) => Some(&**ty),
            Parameter::Argument(_) => None,
        })
    }

    /// Returns the arguments, in order.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.0.iter().filter_map(|parameter| match parameter {
            Parameter::Lent(_) => None,
            Parameter::Argument(argument) => Some(&**argument),
        })
    }

    /// Reports each argument without a doc comment.
    pub(crate) fn require_docs(&self, reader: &str, diagnostics: &mut Diagnostics) {
        for Argument { ident, .. } in self.arguments().filter(|argument| argument.docs.is_empty()) {
            diagnostics.report(ident, format!("the argument `{ident}` needs a doc comment: {reader}"));
        }
    }

    /// Reports each argument, for a function that nobody gives any.
    pub(crate) fn refuse_arguments(&self, what: &str, diagnostics: &mut Diagnostics) {
        for Argument { written, .. } in self.arguments() {
            diagnostics.report(
                written,
                format!("{what} has no caller that could give a value: borrow something from the host with `&`"),
            );
        }
    }
}

fn read_typed(attributes: &[Attribute], pattern: &Pat, ty: &Type, diagnostics: &mut Diagnostics) -> Option<Parameter> {
    let keys = read_keys(attributes, diagnostics);
    match ty {
        Type::Reference(TypeReference { mutability: Some(_), .. }) => {
            diagnostics.report(
                ty,
                "the host lends `&T`, not `&mut T`: the plugin's functions run at the same time; put what changes behind a `std::sync::Mutex`",
            );
            None
        }
        Type::Reference(TypeReference { lifetime: Some(lifetime), .. }) => {
            // A lifetime of the function's own is reported with its generics.
            if lifetime.ident == "static" || lifetime.ident == "_" {
                diagnostics.report(lifetime, "remove the lifetime: what a function is given is there for the length of the call");
            }
            None
        }
        Type::Reference(reference) if !is_str(&reference.elem) => {
            if let Some(keys) = attributes.iter().find(|attribute| attribute.path().is_ident("arg")) {
                diagnostics.report(keys, "`#[arg]` is for arguments, and this parameter is lent: remove it, or remove the `&`");
            }
            match &*reference.elem {
                Type::Slice(slice) => {
                    let element = slice.elem.to_token_stream();
                    diagnostics.report(ty, format!("an argument is taken by value: write `Vec<{element}>`"));
                    None
                }
                Type::TraitObject(_) | Type::ImplTrait(_) => {
                    diagnostics.report(ty, "write the type by its name: the host knows by it what to lend");
                    None
                }
                lent => Some(Parameter::Lent(Box::new(lent.clone()))),
            }
        }
        Type::ImplTrait(_) => {
            diagnostics.report(ty, "write the argument's type by its name: its schema is made from it");
            None
        }
        _ => read_argument(attributes, pattern, ty, keys, diagnostics).map(Box::new).map(Parameter::Argument),
    }
}

fn read_keys(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Keys {
    let tokens =
        attributes.iter().filter(|attribute| attribute.path().is_ident("arg")).filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => Some(list.tokens.clone()),
            other => {
                diagnostics.report(other, "`#[arg]` has keys: `default`, `range`, `name`, such as `#[arg(default = 3)]`");
                None
            }
        });
    let tokens: Vec<_> = tokens.collect();
    Keys::parse("arg", quote::quote!(#(#tokens),*), diagnostics)
}

fn read_argument(
    attributes: &[Attribute],
    pattern: &Pat,
    ty: &Type,
    mut keys: Keys,
    diagnostics: &mut Diagnostics,
) -> Option<Argument> {
    let default = keys.optional_expression("default").map(|value| value.map_or(Default::OfType, Default::Value));
    let range = keys.expression("range", "1..=6", diagnostics).and_then(|value| match value {
        Expr::Range(range) => Some(range),
        other => {
            diagnostics.report(other, "`range` is a range: write `range = 1..=6`");
            None
        }
    });
    let renamed = keys.text("name", "city", diagnostics);
    keys.finish(diagnostics);
    if let (Some(Default::Value(default)), Some(range)) = (&default, &range) {
        check_default(default, range, diagnostics);
    }
    let Pat::Ident(ident) = pattern else {
        diagnostics.report(pattern, "give the argument a plain name: it is the name that callers use");
        return None;
    };
    let name = match &renamed {
        Some(renamed) => renamed.value(),
        None => ident.ident.unraw().to_string(),
    };
    match &renamed {
        Some(renamed) => check_name("the name of an argument", &name, renamed, diagnostics),
        None => check_name("the name of an argument", &name, &ident.ident, diagnostics),
    }
    if !matches!(ty, Type::Reference(_)) && !is_optional_str(ty) && borrows(ty.to_token_stream()) {
        diagnostics.report(ty, "an argument owns what it consists of: write `String` for `&str`, and `T` for `&T`");
        return None;
    }
    let span = ty.span();
    let (form, read) = match ty {
        Type::Reference(_) => (Form::Text, quote_spanned!(span=> ::std::string::String)),
        other if is_optional_str(other) => {
            (Form::OptionalText, quote_spanned!(span=> ::core::option::Option<::std::string::String>))
        }
        other => (Form::Owned, quote::quote!(#other)),
    };
    let (ident, written) = (ident.ident.clone(), ty.clone());
    Some(Argument { ident, written, name, docs: docs(attributes), ty: read, form, default, range })
}

/// Reports a default outside its own range, where both are plain numbers.
fn check_default(default: &Expr, range: &ExprRange, diagnostics: &mut Diagnostics) {
    let Some(value) = number(default) else { return };
    let low = range.start.as_deref().and_then(number);
    let high = range.end.as_deref().and_then(number);
    let half_open = matches!(range.limits, syn::RangeLimits::HalfOpen(_));
    let above = high.is_some_and(|high| value > high || half_open && value >= high);
    if low.is_some_and(|low| value < low) || above {
        diagnostics.report(default, "the default is outside of the argument's own `range`");
    }
}

fn number(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => number.base10_digits().parse().ok(),
            syn::Lit::Float(number) => number.base10_digits().parse().ok(),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => number(&unary.expr).map(|number| -number),
        _ => None,
    }
}

fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && path.path.is_ident("str"))
}

fn is_optional_str(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Option") else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    matches!(arguments.args.first(), Some(GenericArgument::Type(Type::Reference(reference))) if is_str(&reference.elem))
}

/// Tells whether a type has a reference or a lifetime in it.
fn borrows(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '\''),
        TokenTree::Group(group) => borrows(group.stream()),
        _ => false,
    })
}

/// Returns an identifier of ours for the parameter at a place. Nobody's own name is like it.
pub(super) fn ours(what: &str, at: usize, span: Span) -> Ident {
    Ident::new(&format!("__nekro_{what}_{at}"), span)
}

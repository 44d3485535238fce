//! The parts that every expansion has: data, and one call per parameter.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, RangeLimits, spanned::Spanned};

use super::{
    Argument, Function, Parameter, Parameters,
    parameters::{Default, Form, ours},
};

/// Wraps what an attribute adds: it stays out of the user's names, and finds the plugin and `nekro-core` through the crate's root.
/// `ident` is the name of the user's item.
pub(crate) fn registered(ident: &Ident, declarations: TokenStream) -> TokenStream {
    let names = names(ident);
    quote! {
        const _: () = {
            #names
            #declarations
        };
    }
}

/// Imports the plugin and `nekro-core`. If this fails, the crate has no `#[plugin]` struct at its root: the first line is then the
/// one error, for the compiler takes what an unresolved import brings to be anything.
pub(crate) fn names(ident: &Ident) -> TokenStream {
    // The compiler reports a name in braces by itself, where it stands.
    let plugin = quote_spanned!(ours_at(ident.span())=> the_plugin_of_this_crate as __nekro_plugin);
    quote! {
        use crate::{#plugin};
        use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    }
}

/// Claims something within the plugin, such as a name: a second claim is a compile error at both places, which shows `claim`.
pub(crate) fn marker(claim: &str, at: impl quote::ToTokens) -> TokenStream {
    let span = ours_at(at.span());
    let claim: String = claim.chars().map(|one| if one.is_alphanumeric() { one } else { '_' }).collect();
    let claim = Ident::new(&claim, span);
    quote_spanned! {span=>
        impl __NekroPlugin {
            #[doc(hidden)]
            #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
            pub const #claim: () = ();
        }
    }
}

/// Where the item stands.
pub(crate) fn location(ident: &Ident) -> TokenStream {
    quote_spanned! {ident.span()=> __nekro::Location { file: ::core::file!(), line: ::core::line!() } }
}

/// Returns a span for code of ours that errors show at a place in the user's code. The user's own span would make the code theirs, and
/// so subject to their lints.
pub(crate) fn ours_at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// Constants for the parameters of a function.
pub(crate) struct Arguments {
    /// The constants.
    pub(crate) declarations: TokenStream,
    /// A list of what the manifest knows of the arguments.
    pub(crate) decls: TokenStream,
    /// Makes the slots.
    pub(crate) slots: TokenStream,
    /// A list of the slots, to be filled.
    pub(crate) filled: TokenStream,
}

impl Arguments {
    pub(crate) fn expand(parameters: &Parameters) -> Self {
        let (mut declarations, mut decls, mut slots, mut filled) =
            (TokenStream::new(), TokenStream::new(), TokenStream::new(), TokenStream::new());
        for (at, parameter) in parameters.0.iter().enumerate() {
            let Parameter::Argument(argument) = parameter else { continue };
            let (constant, slot) = (format_ident!("__NEKRO_ARGUMENT_{at}"), ours("slot", at, Span::call_site()));
            declarations.extend(declaration(at, &constant, argument));
            decls.extend(quote!(#constant.decl(),));
            slots.extend(quote!(let mut #slot = #constant.slot();));
            filled.extend(quote!(&mut #slot,));
        }
        Self { declarations, decls, slots, filled }
    }
}

/// Declares an argument. Its type is named with a bound once: a wrong type is one error, at that type.
fn declaration(at: usize, constant: &Ident, argument: &Argument) -> TokenStream {
    let Argument { name, docs, ty, default, range, .. } = argument;
    let span = ty.span();
    let mut functions = TokenStream::new();
    let mut builders = TokenStream::new();
    if let Some(default) = default {
        let function = ours("default", at, Span::call_site());
        let value = match default {
            Default::OfType => quote_spanned!(span=> ::core::default::Default::default()),
            Default::Value(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
                quote_spanned!(text.span()=> __nekro::TextDefault::of_text(#text))
            }
            Default::Value(value) => quote!(#value),
        };
        functions.extend(quote! {
            fn #function() -> #ty { #value }
        });
        builders.extend(quote! {
            .or(|| ::core::option::Option::Some(#function()), || {
                use __nekro::{JsonDefault as _, OpaqueDefault as _};
                (&__nekro::DefaultValue(&#function())).json()
            })
        });
    }
    if let Some(range) = range {
        let function = ours("limit", at, Span::call_site());
        // All at one place, so that a type that is no number is one error there.
        let (at, number) = (span, spanned_at(span, ty.clone()));
        let bound = |limit: &Option<Box<Expr>>, bound: TokenStream| match limit {
            // A variable of its own, so that a limit of another type is one plain error.
            Some(limit) => quote_spanned! {at=> {
                let __nekro_limit: <#number as __nekro::Number>::Unit = #limit;
                ::core::ops::Bound::#bound(__nekro_limit)
            }},
            None => quote_spanned!(at=> ::core::ops::Bound::Unbounded),
        };
        let low = bound(&range.start, quote_spanned!(at=> Included));
        let high = match range.limits {
            RangeLimits::Closed(_) => bound(&range.end, quote_spanned!(at=> Included)),
            RangeLimits::HalfOpen(_) => bound(&range.end, quote_spanned!(at=> Excluded)),
        };
        let limit = quote_spanned!(at=> <#number as __nekro::Number>::limit(__nekro_use, #low, #high));
        functions.extend(quote! {
            fn #function(
                __nekro_use: __nekro::LimitUse<'_, #ty>,
            ) -> ::core::result::Result<(), ::std::string::String> { #limit }
        });
        builders.extend(quote! {
            .limited(#function, |schema| ::core::mem::drop(#function(__nekro::LimitUse::Describe(schema))))
        });
    }
    let reader = quote_spanned!(span=> <#ty as __nekro::FromArgument>::READER);
    quote! {
        #functions
        const #constant: __nekro::Argument<#ty> = __nekro::Argument::new(#name, #docs, #reader) #builders;
    }
}

/// Moves tokens to a place. What their names mean stays as it was.
fn spanned_at(place: Span, tokens: TokenStream) -> TokenStream {
    let moved = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), spanned_at(place, group.stream()));
            moved.set_span(group.span().located_at(place));
            moved.into()
        }
        mut token => {
            token.set_span(token.span().located_at(place));
            token
        }
    });
    moved.collect()
}

/// Constants for what is lent, and a list of what the manifest knows of it.
pub(crate) fn lent_decls(parameters: &Parameters) -> (TokenStream, TokenStream) {
    let (mut declarations, mut decls) = (TokenStream::new(), TokenStream::new());
    for (at, parameter) in parameters.0.iter().enumerate() {
        let Parameter::Lent(ty) = parameter else { continue };
        let constant = format_ident!("__NEKRO_LENT_{at}");
        let lent = quote_spanned!(ty.span()=> <#ty as __nekro::Lend<__NekroPlugin>>::LENT.bounded());
        declarations.extend(quote! {
            const #constant: __nekro::Lent<__NekroPlugin, #ty> = #lent;
        });
        decls.extend(quote!(#constant.decl(),));
    }
    (declarations, decls)
}

/// The body of a function that calls the user's: lends what is lent, and gives the arguments that were read. `first` is what comes
/// before the parameters.
pub(crate) fn call_body(function: &Function, parameters: &Parameters, first: Option<TokenStream>) -> TokenStream {
    let ident = &function.signature.ident;
    let (mut loans, mut values) = (TokenStream::new(), TokenStream::new());
    values.extend(first.map(|first| quote!(#first,)));
    for (at, parameter) in parameters.0.iter().enumerate() {
        match parameter {
            Parameter::Lent(_) => {
                let (constant, loan) = (format_ident!("__NEKRO_LENT_{at}"), ours("loan", at, Span::call_site()));
                loans.extend(quote!(let #loan = #constant.lend(__nekro_call)?;));
                values.extend(quote!(&*#loan,));
            }
            Parameter::Argument(argument) => {
                let slot = ours("slot", at, Span::call_site());
                values.extend(match argument.form {
                    Form::Owned => quote!(#slot.take()?,),
                    Form::Text => quote!(&#slot.take()?,),
                    Form::OptionalText => quote!(#slot.take()?.as_deref(),),
                });
            }
        }
    }
    let wait = function.is_async().then(|| quote!(.await));
    quote! { #loans #ident(#values) #wait }
}

/// The function that the kernel calls for a tool or a command, and what turns its return value into a reply.
pub(crate) fn called_body(function: &Function, slots: &TokenStream, filled: &TokenStream, call: &TokenStream) -> TokenStream {
    returning(function, ["Reply", "ReplyOf", "reply"], slots, filled, call)
}

/// The same for a route: what it returns becomes an answer over HTTP.
pub(crate) fn answering_body(function: &Function, slots: &TokenStream, filled: &TokenStream, call: &TokenStream) -> TokenStream {
    returning(function, ["Answer", "AnswerOf", "answer_over_http"], slots, filled, call)
}

/// `into` is what the return value becomes, the type that knows how, and the method that makes that.
fn returning(
    function: &Function,
    [into, of, method]: [&str; 3],
    slots: &TokenStream,
    filled: &TokenStream,
    call: &TokenStream,
) -> TokenStream {
    let output = function.output();
    let (into, of) = (format_ident!("{into}"), format_ident!("{of}"));
    // Where the type stands: an error about it is shown there.
    let method = Ident::new(method, function.output_span());
    let convert = quote_spanned!(function.output_span()=> (&__nekro::Probe::<#output>::new()).tag().#method());
    let body = body(
        function,
        quote!(__nekro::#into),
        &quote! {
            #slots
            __nekro_call.arguments(&mut [#filled])?;
            __nekro_output().apply({ #call })
        },
    );
    quote! {
        fn __nekro_output() -> __nekro::#of<#output> {
            use __nekro::{FallibleTag as _, PlainTag as _};
            #convert
        }
        #body
    }
}

/// A function that the kernel calls, plain or `async` like the user's. `code` ends with a `Result<value, Error>`.
pub(crate) fn body(function: &Function, value: TokenStream, code: &TokenStream) -> TokenStream {
    if function.is_async() {
        quote! {
            fn __nekro_body<'a>(
                __nekro_call: &'a __nekro::Call<'a>,
            ) -> __nekro::BoxFuture<'a, ::core::result::Result<#value, __nekro::Error>> {
                ::std::boxed::Box::pin(async move { #code })
            }
            const __NEKRO_BODY: __nekro::Body<::core::result::Result<#value, __nekro::Error>> =
                __nekro::Body::Async(__nekro_body);
        }
    } else {
        quote! {
            fn __nekro_body<'a>(__nekro_call: &'a __nekro::Call<'a>) -> ::core::result::Result<#value, __nekro::Error> { #code }
            const __NEKRO_BODY: __nekro::Body<::core::result::Result<#value, __nekro::Error>> =
                __nekro::Body::Sync(__nekro_body);
        }
    }
}

/// An `Option` as code.
pub(crate) fn option(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// An `Option<Duration>` as code.
pub(crate) fn optional_duration(value: Option<std::time::Duration>) -> TokenStream {
    option(value.map(|value| {
        let milliseconds = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        quote!(::core::time::Duration::from_millis(#milliseconds))
    }))
}

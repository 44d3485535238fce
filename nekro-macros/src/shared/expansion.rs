//! The parts that every expansion has: data, and one call per parameter.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, RangeLimits, spanned::Spanned};

use super::{
    Argument, Function, Parameter, Parameters,
    parameters::{Default, Form, ours},
};

/// Wraps what an attribute adds: it stays out of the user's names, and finds the plugin and `nekro-core` through the crate's root.
pub(crate) fn registered(declarations: TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            // If this fails, the crate has no `#[plugin]` struct at its root.
            use crate::the_plugin_of_this_crate::{Plugin as __NekroPlugin, private as __nekro};
            #declarations
        };
    }
}

/// Claims a name within the plugin: a second claim is a compile error at both places.
pub(crate) fn marker(what: &str, name: &str, span: Span) -> TokenStream {
    let claim = Ident::new(&format!("{what}_called_{name}"), span);
    quote! {
        impl __NekroPlugin {
            #[doc(hidden)]
            #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
            pub const #claim: () = ();
        }
    }
}

/// Where the item stands.
pub(crate) fn location(span: Span) -> TokenStream {
    quote_spanned! {span=> __nekro::Location { file: ::core::file!(), line: ::core::line!() } }
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
                quote_spanned!(text.span()=> ::core::convert::Into::into(#text))
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
        let low = match &range.start {
            Some(low) => quote!(::core::ops::Bound::Included(#low)),
            None => quote!(::core::ops::Bound::Unbounded),
        };
        let high = match (&range.end, &range.limits) {
            (Some(high), RangeLimits::Closed(_)) => quote!(::core::ops::Bound::Included(#high)),
            (Some(high), RangeLimits::HalfOpen(_)) => quote!(::core::ops::Bound::Excluded(#high)),
            (None, _) => quote!(::core::ops::Bound::Unbounded),
        };
        let call = quote_spanned!(range.span()=> __nekro::limit(what, #low, #high));
        functions.extend(quote! {
            fn #function(
                what: __nekro::LimitUse<'_, #ty>,
            ) -> ::core::result::Result<(), ::std::string::String> { #call }
        });
        builders.extend(quote! {
            .limited(#function, |schema| ::core::mem::drop(#function(__nekro::LimitUse::Describe(schema))))
        });
    }
    let new = quote_spanned!(span=> __nekro::Argument::new(#name, #docs));
    quote! {
        #functions
        const #constant: __nekro::Argument<#ty> = #new #builders;
    }
}

/// Constants for what is lent, and a list of what the manifest knows of it.
pub(crate) fn lent_decls(parameters: &Parameters) -> (TokenStream, TokenStream) {
    let (mut declarations, mut decls) = (TokenStream::new(), TokenStream::new());
    for (at, parameter) in parameters.0.iter().enumerate() {
        let Parameter::Lent(ty) = parameter else { continue };
        let constant = format_ident!("__NEKRO_LENT_{at}");
        let new = quote_spanned!(ty.span()=> __nekro::Lent::new());
        declarations.extend(quote! {
            const #constant: __nekro::Lent<__NekroPlugin, #ty> = #new;
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
                loans.extend(quote!(let #loan = #constant.lend(call)?;));
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
    let output = function.output();
    let span = output.span();
    let convert = quote_spanned!(span=> (&__nekro::Probe::<#output>::new()).tag().reply());
    let body = body(
        function,
        quote!(__nekro::Reply),
        &quote! {
            #slots
            call.arguments(&mut [#filled])?;
            __nekro_output().apply({ #call })
        },
    );
    quote! {
        fn __nekro_output() -> __nekro::ReplyOf<#output> {
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
                call: &'a __nekro::Call<'a>,
            ) -> __nekro::BoxFuture<'a, ::core::result::Result<#value, __nekro::Error>> {
                ::std::boxed::Box::pin(async move { #code })
            }
            const __NEKRO_BODY: __nekro::Body<::core::result::Result<#value, __nekro::Error>> =
                __nekro::Body::Async(__nekro_body);
        }
    } else {
        quote! {
            fn __nekro_body<'a>(call: &'a __nekro::Call<'a>) -> ::core::result::Result<#value, __nekro::Error> { #code }
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

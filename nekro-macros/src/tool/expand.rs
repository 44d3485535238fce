//! What a `#[tool]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Tool;
use crate::shared::{
    Arguments, Function, call_body, called_body, lent_decls, location, marker, option, optional_duration, ours_at, registered,
};

pub(crate) fn expand(function: &Function, tool: &Tool) -> TokenStream {
    let Tool { name, docs, category, tags, read_only, destructive, idempotent, when, deadline, parameters } = tool;
    let ident = &function.signature.ident;
    let marker = marker(&format!("a_tool_called_{name}"), ident);
    let Arguments { declarations, decls, slots, filled } = Arguments::expand(parameters);
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let called = called_body(function, &slots, &filled, &call);
    let (category, deadline) = (option(category.as_ref()), optional_duration(*deadline));
    // A constant of its own, so that a function of another type is one plain error.
    let condition = when.as_ref().map(|when| {
        let ty = quote_spanned!(ours_at(when.span())=> fn(&__nekro::Ctx) -> ::core::primitive::bool);
        quote!(const __NEKRO_WHEN: #ty = #when;)
    });
    let when = option(when.as_ref().map(|_| quote!(__NEKRO_WHEN)));
    let location = location(ident);
    registered(
        ident,
        quote! {
            #marker
            #declarations
            #lent
            #called
            #condition
            fn __nekro_check(__nekro_json: &::core::primitive::str) -> ::core::result::Result<(), __nekro::Error> {
                #slots
                __nekro::check_arguments(__nekro_json, &mut [#filled])
            }
            static __NEKRO_DECL: __nekro::ToolDecl = __nekro::ToolDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                docs: #docs,
                category: #category,
                tags: &[#(#tags),*],
                effect: __nekro::Effect::new(#read_only, #destructive, #idempotent),
                when: #when,
                deadline: #deadline,
                arguments: &[#decls],
                lent: &[#lent_decls],
                output: || __nekro_output().decl(),
                check: __nekro_check,
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

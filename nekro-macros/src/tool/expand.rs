//! What a `#[tool]` adds.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Tool;
use crate::shared::{
    Arguments, Function, call_body, called_body, lent_decls, location, marker, option, optional_duration, registered,
};

pub(crate) fn expand(function: &Function, tool: &Tool) -> TokenStream {
    let Tool { name, docs, category, tags, read_only, destructive, idempotent, when, deadline, parameters } = tool;
    let span = function.signature.ident.span();
    let marker = marker("a_tool", name, span);
    let Arguments { declarations, decls, slots, filled } = Arguments::expand(parameters);
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let called = called_body(function, &slots, &filled, &call);
    let (category, when, deadline) = (option(category.as_ref()), option(when.as_ref()), optional_duration(*deadline));
    let location = location(span);
    registered(quote! {
        #marker
        #declarations
        #lent
        #called
        fn __nekro_check(json: &str) -> ::core::result::Result<(), __nekro::Error> {
            #slots
            __nekro::check_arguments(json, &mut [#filled])
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
    })
}

//! What a `#[prompt]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::model::Prompt;
use crate::shared::{Function, body, call_body, lent_decls, location, marker, option, registered};

pub(crate) fn expand(function: &Function, prompt: &Prompt) -> TokenStream {
    let Prompt { name, docs, priority, budget, parameters } = prompt;
    let ident = &function.signature.ident;
    let marker = marker(&format!("a_prompt_section_called_{name}"), ident);
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let output = function.output();
    let convert = quote_spanned!(function.output_span()=> (&__nekro::Probe::<#output>::new()).tag().section());
    let value = quote!(::core::option::Option<::std::string::String>);
    let body = body(function, value, &quote!(__nekro_output().apply({ #call })));
    let (budget, location) = (option(*budget), location(ident));
    registered(
        ident,
        quote! {
            #marker
            #lent
            fn __nekro_output() -> __nekro::Convert<#output, ::core::option::Option<::std::string::String>> {
                use __nekro::{FallibleTag as _, PlainTag as _};
                #convert
            }
            #body
            static __NEKRO_DECL: __nekro::PromptDecl = __nekro::PromptDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                docs: #docs,
                priority: #priority,
                budget: #budget,
                lent: &[#lent_decls],
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

//! What a `#[command]` adds.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Command;
use crate::shared::{Arguments, Function, call_body, called_body, lent_decls, location, marker, optional_duration, registered};

pub(crate) fn expand(function: &Function, command: &Command) -> TokenStream {
    let Command { name, aliases, docs, role, deadline, parameters } = command;
    let ident = &function.signature.ident;
    // The marker is one name.
    let marker = marker(&format!("a_command_called_{}", name.replace(' ', "__")), ident);
    let Arguments { declarations, decls, slots, filled } = Arguments::expand(parameters);
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let called = called_body(function, &slots, &filled, &call);
    let deadline = optional_duration(*deadline);
    let location = location(ident);
    registered(
        ident,
        quote! {
            #marker
            #declarations
            #lent
            #called
            static __NEKRO_DECL: __nekro::CommandDecl = __nekro::CommandDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                aliases: &[#(#aliases),*],
                docs: #docs,
                role: __nekro::Role::#role,
                deadline: #deadline,
                arguments: &[#decls],
                lent: &[#lent_decls],
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

//! What a `#[route]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Route;
use crate::shared::{
    Arguments, Function, answering_body, call_body, lent_decls, location, option, optional_duration, registered,
};

pub(crate) fn expand(function: &Function, route: &Route) -> TokenStream {
    let Route { name, method, path, docs, role, resource, changed_by, deadline, place, parameters } = route;
    let ident = &function.signature.ident;
    let Arguments { declarations, decls, slots, filled } = Arguments::expand(parameters);
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let called = answering_body(function, &slots, &filled, &call);
    let [nav, card, icon] = [&place.nav, &place.card, &place.icon].map(|text| option(text.as_ref().map(|text| quote!(#text))));
    let role = option(role.as_ref().map(|role| quote!(__nekro::Role::#role)));
    // An event that is none is an error where it is named.
    let changed_by = option(changed_by.as_ref().map(|event| quote_spanned!(event.span()=> __nekro::changing_fact::<#event>())));
    let (deadline, location) = (optional_duration(*deadline), location(ident));
    registered(
        ident,
        quote! {
            #declarations
            #lent
            #called
            static __NEKRO_DECL: __nekro::RouteDecl = __nekro::RouteDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                method: __nekro::Method::#method,
                path: #path,
                docs: #docs,
                role: #role,
                resource: #resource,
                changed_by: #changed_by,
                deadline: #deadline,
                arguments: &[#decls],
                lent: &[#lent_decls],
                output: || __nekro_output().decl(),
                body: __NEKRO_BODY,
                place: __nekro::PlaceDecl { nav: #nav, card: #card, icon: #icon },
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

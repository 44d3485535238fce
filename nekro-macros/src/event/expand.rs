//! What an `#[event]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Event;
use crate::shared::{location, marker, names, ours_at};

pub(crate) fn expand(event: &Event) -> TokenStream {
    let Event { item, name, docs, decision, revise, builtin, session, turn } = event;
    let ident = &item.ident;
    let private = if *builtin { quote!(::nekro_core::__private) } else { quote!(crate::the_plugin_of_this_crate::private) };
    let path = |name: &str| format!("{}::{name}", private.to_string().replace(' ', ""));
    let (serde, schemars) = (path("serde"), path("schemars"));
    let (imports, plugin, claim) = if *builtin {
        (quote!(use #private as __nekro;), quote!(::core::option::Option::None), TokenStream::new())
    } else {
        (
            names(ident),
            quote!(::core::option::Option::Some(<__NekroPlugin as __nekro::Plugin>::DECL)),
            marker(&format!("an_event_called_{name}"), ident),
        )
    };
    let id = |field: &Option<syn::Ident>, of: TokenStream| {
        field.as_ref().map(|field| {
            let value = quote_spanned!(field.span()=> __nekro::MaybeId::id(&self.#field));
            quote! {
                fn #field(&self) -> ::core::option::Option<&__nekro::#of> { #value }
            }
        })
    };
    let (session, turn) = (id(session, quote!(SessionId)), id(turn, quote!(TurnId)));
    let (answer, sort, trigger, kind) = match decision {
        Some(verdict) => {
            let revise = revise.as_ref().map(|revise| {
                // A variable of its own, so that a function of another type is one plain error.
                let ty = quote_spanned!(ours_at(revise.span())=> fn(&mut Self, &#verdict));
                quote! {
                    fn revise(&mut self, __nekro_verdict: &#verdict) {
                        let __nekro_revise: #ty = #revise;
                        __nekro_revise(self, __nekro_verdict)
                    }
                }
            });
            (
                quote!(#verdict),
                quote!(Decision),
                quote!(__nekro::trigger_decision::<#ident>),
                quote_spanned!(ours_at(verdict.span())=> impl __nekro::Decision for #ident { #revise }),
            )
        }
        None => (quote!(()), quote!(Fact), quote!(__nekro::trigger_fact::<#ident>), quote!(impl __nekro::Fact for #ident {})),
    };
    let location = location(ident);
    let item = quote! {
        #[derive(
            ::core::clone::Clone,
            #private::serde::Serialize,
            #private::serde::Deserialize,
            #private::schemars::JsonSchema,
        )]
        #[serde(crate = #serde, deny_unknown_fields)]
        #[schemars(crate = #schemars)]
        #item

        const _: () = {
            #imports
            #claim

            static __NEKRO_DECL: __nekro::EventDecl = __nekro::EventDecl {
                plugin: #plugin,
                name: #name,
                docs: #docs,
                sort: __nekro::Sort::#sort,
                type_id: ::core::any::TypeId::of::<#ident>,
                schema: <#ident as __nekro::schemars::JsonSchema>::json_schema,
                trigger: #trigger,
                location: #location,
            };

            impl __nekro::Event for #ident {
                type Answer = #answer;

                const DECL: &'static __nekro::EventDecl = &__NEKRO_DECL;

                #session
                #turn
            }

            #kind

            __nekro::inventory::submit! { &__NEKRO_DECL }
        };
    };
    if *builtin {
        return item;
    }
    let plugin = syn::Ident::new("the_plugin_of_this_crate", ours_at(ident.span()));
    quote!(crate::#plugin::private::item! { #item })
}

//! What a `#[plugin]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{model::Plugin, scope::Scope};
use crate::shared::{location, option, ours_at};

pub(crate) fn expand(plugin: &Plugin) -> TokenStream {
    let Plugin { item, id, docs, title, category, requires, scopes, migrations, core, has_config } = plugin;
    let ident = &item.ident;
    let core = match core {
        Some(path) if path.path.leading_colon.is_none() && path.path.segments.len() == 1 => quote!(::#path),
        Some(path) => quote!(#path),
        None => quote!(::nekro_core),
    };
    let private = quote!(#core::__private);
    let path = |name: &str| format!("{}::{name}", private.to_string().replace(' ', ""));
    let (serde, schemars) = (path("serde"), path("schemars"));
    let deny = (!plugin.says("deny_unknown_fields")).then(|| quote!(#[serde(deny_unknown_fields)]));
    let derives = has_config.then(|| {
        quote! {
            #[derive(#private::serde::Deserialize, #private::schemars::JsonSchema)]
            #[serde(crate = #serde)]
            #[schemars(crate = #schemars)]
            #deny
        }
    });
    let config = if *has_config {
        quote! {
            __nekro::ConfigDecl {
                read: __nekro::read_config::<#ident>,
                schema: ::core::option::Option::Some(<#ident as __nekro::schemars::JsonSchema>::json_schema),
            }
        }
    } else {
        quote! {
            __nekro::ConfigDecl {
                read: |__nekro_json| __nekro::read_nothing(__nekro_json, || #ident),
                schema: ::core::option::Option::None,
            }
        }
    };
    let (title, category) = (option(title.as_ref()), option(category.as_ref()));
    let scopes = scopes
        .iter()
        .map(|Scope { capability, entries }| quote!(__nekro::ScopeDecl { capability: #capability, entries: &[#(#entries),*] }));
    let migrations = migrations.iter().map(|step| {
        // A function that is none is an error where it is named.
        quote_spanned!(step.span()=> {
            const __NEKRO_STEP: fn(&mut __nekro::Migration) -> ::core::result::Result<(), __nekro::Error> = #step;
            __NEKRO_STEP
        })
    });
    let location = location(ident);
    // A second plugin, and one that is not at the root, are errors at the struct's name.
    let module = quote_spanned! {ours_at(ident.span())=>
        #[doc(hidden)]
        #[allow(unreachable_pub)]
        pub mod the_plugin_of_this_crate {
            pub use super::#ident as Plugin;
            pub use #private as private;
        }
    };
    let root = quote_spanned! {ours_at(ident.span())=>
        const _: () = ::core::assert!(
            __nekro::is_root(::core::module_path!()),
            "`#[plugin]` stands at the root of its crate: move the struct to `lib.rs`, or take it out of its module",
        );
    };
    quote! {
        #derives
        #item

        #module

        const _: () = {
            use #private as __nekro;

            #root

            static __NEKRO_DECL: __nekro::PluginDecl = __nekro::PluginDecl {
                id: #id,
                docs: #docs,
                title: #title,
                category: #category,
                version: ::core::env!("CARGO_PKG_VERSION"),
                authors: ::core::env!("CARGO_PKG_AUTHORS"),
                license: ::core::env!("CARGO_PKG_LICENSE"),
                repository: ::core::env!("CARGO_PKG_REPOSITORY"),
                package: ::core::env!("CARGO_PKG_NAME"),
                requires: &[#(#requires),*],
                scopes: &[#(#scopes),*],
                migrations: &[#(#migrations),*],
                location: #location,
                config: #config,
            };

            impl __nekro::Plugin for #ident {
                const DECL: &'static __nekro::PluginDecl = &__NEKRO_DECL;
            }

            impl __nekro::Lend<#ident> for #ident {
                const KIND: __nekro::LentKind = __nekro::LentKind::Config;

                fn lend<'a>(
                    __nekro_call: &'a __nekro::Call<'a>,
                ) -> ::core::result::Result<__nekro::Loan<'a, Self>, __nekro::Error> {
                    __nekro::lend_config(__nekro_call)
                }
            }

            __nekro::inventory::submit! { &__NEKRO_DECL }
        };
    }
}

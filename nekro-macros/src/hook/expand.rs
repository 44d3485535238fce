//! What an `#[init]` or a `#[cleanup]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Hook, When};
use crate::shared::{Function, body, call_body, lent_decls, location, marker, ours_at, registered};

pub(crate) fn expand(function: &Function, hook: &Hook) -> TokenStream {
    let Hook { when, parameters, .. } = hook;
    let ident = &function.signature.ident;
    let (claim, when) = match when {
        When::Init => ("the_only_init_function", quote!(Init)),
        When::Cleanup => ("the_only_cleanup_function", quote!(Cleanup)),
    };
    let (marker, lend) = (marker(claim, ident), lend(hook));
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let output = function.output();
    let convert = quote_spanned!(function.output_span()=> (&__nekro::Probe::<#output>::new()).tag().state());
    let body = body(function, quote!(__nekro::State), &quote!(__nekro_output().apply({ #call })));
    let location = location(ident);
    registered(
        ident,
        quote! {
            #marker
            #lend
            #lent
            fn __nekro_output() -> __nekro::Convert<#output, __nekro::State> {
                use __nekro::{FallibleTag as _, PlainTag as _};
                #convert
            }
            #body
            static __NEKRO_DECL: __nekro::HookDecl = __nekro::HookDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                when: __nekro::When::#when,
                lent: &[#lent_decls],
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

/// What is added after a mistake: the state can be borrowed all the same.
pub(crate) fn rescue(function: &Function, hook: &Hook) -> TokenStream {
    registered(&function.signature.ident, lend(hook).unwrap_or_default())
}

fn lend(hook: &Hook) -> Option<TokenStream> {
    let state = hook.state.as_ref()?;
    Some(quote_spanned! {ours_at(state.span())=>
        impl __nekro::Lend<__NekroPlugin> for #state {
            const KIND: __nekro::LentKind = __nekro::LentKind::State;

            fn lend<'a>(
                __nekro_call: &'a __nekro::Call<'a>,
            ) -> ::core::result::Result<__nekro::Loan<'a, Self>, __nekro::Error> {
                __nekro::lend_state(__nekro_call)
            }
        }
    })
}

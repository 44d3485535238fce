//! What an `#[init]` or a `#[cleanup]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Hook, When};
use crate::shared::{Function, body, call_body, lent_decls, location, marker, registered};

pub(crate) fn expand(function: &Function, hook: &Hook) -> TokenStream {
    let Hook { when, state, parameters } = hook;
    let span = function.signature.ident.span();
    let (marker, when) = match when {
        When::Init => (marker("the_init_function", "once", span), quote!(Init)),
        When::Cleanup => (marker("the_cleanup_function", "once", span), quote!(Cleanup)),
    };
    let lend = state.as_ref().map(|state| {
        quote_spanned! {state.span()=>
            impl __nekro::Lend<__NekroPlugin> for #state {
                const KIND: __nekro::LentKind = __nekro::LentKind::State;

                fn lend<'a>(
                    call: &'a __nekro::Call<'a>,
                ) -> ::core::result::Result<__nekro::Loan<'a, Self>, __nekro::Error> {
                    __nekro::lend_state(call)
                }
            }
        }
    });
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let output = function.output();
    let convert = quote_spanned!(output.span()=> (&__nekro::Probe::<#output>::new()).tag().state());
    let body = body(function, quote!(__nekro::State), &quote!(__nekro_output().apply({ #call })));
    let location = location(span);
    registered(quote! {
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
    })
}

//! What a `#[webhook]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Webhook;
use crate::shared::{Function, body, call_body, lent_decls, location, marker, optional_duration, ours_at, registered};

pub(crate) fn expand(function: &Function, webhook: &Webhook) -> TokenStream {
    let Webhook { name, docs, signature, secret, deadline, delivery, parameters } = webhook;
    let ident = &function.signature.ident;
    let marker = marker(&format!("a_webhook_called_{name}"), ident);
    let (lent, lent_decls) = lent_decls(parameters);
    let delivered = quote_spanned!(delivery.span()=> <#delivery as __nekro::Delivered>::DELIVERED);
    let call = call_body(function, parameters, Some(quote!(&__nekro_delivery)));
    let output = function.output();
    let convert = quote_spanned!(function.output_span()=> (&__nekro::Probe::<#output>::new()).tag().nothing());
    let body = body(
        function,
        quote!(()),
        &quote! {
            use __nekro::{FallibleTag as _, PlainTag as _};
            let __nekro_delivery = __NEKRO_DELIVERY.of(__nekro_call)?;
            let __nekro_nothing = #convert;
            __nekro_nothing.apply({ #call })
        },
    );
    let secret = quote_spanned!(ours_at(secret.span())=> __nekro::HookSecret::secret(&__nekro_config.#secret));
    let (deadline, location) = (optional_duration(*deadline), location(ident));
    registered(
        ident,
        quote! {
            #marker
            const __NEKRO_DELIVERY: __nekro::DeliveredAs<#delivery> = #delivered;
            #lent
            #body
            fn __nekro_secret<'a>(
                __nekro_call: &'a __nekro::Call<'a>,
            ) -> ::core::result::Result<::core::option::Option<__nekro::Secret<::std::string::String>>, __nekro::Error> {
                let __nekro_config = __nekro::lend_config::<__NekroPlugin>(__nekro_call)?;
                ::core::result::Result::Ok(#secret.cloned())
            }
            static __NEKRO_DECL: __nekro::WebhookDecl = __nekro::WebhookDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                docs: #docs,
                signature: __nekro::Signature::#signature,
                secret: __nekro_secret,
                deadline: #deadline,
                lent: &[#lent_decls],
                payload: __NEKRO_DELIVERY.schema,
                check: __NEKRO_DELIVERY.check,
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

//! What an `#[on_event]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Handler;
use crate::shared::{Function, call_body, lent_decls, location, optional_duration, registered};

pub(crate) fn expand(function: &Function, handler: &Handler) -> TokenStream {
    let Handler { name, docs, event, phase, priority, deadline, parameters } = handler;
    let ident = &function.signature.ident;
    let (lent, lent_decls) = lent_decls(parameters);
    // Named twice, but in the same words and at the same place: of two errors that are the same the compiler shows one.
    let subject = quote_spanned!(event.span()=> <#event as __nekro::Event>::SUBJECT);
    let answered_with = quote_spanned!(event.span()=> <#event as __nekro::Event>::ANSWERED_WITH);
    let call = call_body(function, parameters, Some(quote!(__NEKRO_EVENT.of(__nekro_call)?)));
    let output = function.output();
    let convert = quote_spanned! {function.output_span()=>
        (&__nekro::Probe::<#output>::new()).tag().to(#answered_with).answer()
    };
    let answer = quote! {{
        use __nekro::{FallibleTag as _, PlainTag as _};
        let __nekro_returned = { #call };
        let __nekro_answer = #convert;
        __nekro::put_answer(__nekro_sink, __nekro_answer.apply(__nekro_returned)?);
        ::core::result::Result::Ok(())
    }};
    let body = if function.is_async() {
        quote! {
            fn __nekro_body<'a>(
                __nekro_call: &'a __nekro::Call<'a>,
                __nekro_sink: __nekro::Sink<'a>,
            ) -> __nekro::BoxFuture<'a, ::core::result::Result<(), __nekro::Error>> {
                ::std::boxed::Box::pin(async move #answer)
            }
            const __NEKRO_BODY: __nekro::HandlerBody = __nekro::HandlerBody::Async(__nekro_body);
        }
    } else {
        quote! {
            fn __nekro_body<'a>(
                __nekro_call: &'a __nekro::Call<'a>,
                __nekro_sink: __nekro::Sink<'a>,
            ) -> ::core::result::Result<(), __nekro::Error> #answer
            const __NEKRO_BODY: __nekro::HandlerBody = __nekro::HandlerBody::Sync(__nekro_body);
        }
    };
    let (deadline, location) = (optional_duration(*deadline), location(ident));
    registered(
        ident,
        quote! {
            const __NEKRO_EVENT: __nekro::Subject<#event> = #subject;
            #lent
            #body
            static __NEKRO_DECL: __nekro::HandlerDecl = __nekro::HandlerDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                docs: #docs,
                event: __NEKRO_EVENT.decl(),
                phase: __nekro::Phase::#phase,
                priority: #priority,
                deadline: #deadline,
                lent: &[#lent_decls],
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
        },
    )
}

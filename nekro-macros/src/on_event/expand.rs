//! What an `#[on_event]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Handler;
use crate::shared::{Function, call_body, lent_decls, location, optional_duration, registered};

pub(crate) fn expand(function: &Function, handler: &Handler) -> TokenStream {
    let Handler { name, docs, event, phase, priority, deadline, parameters } = handler;
    let span = function.signature.ident.span();
    let (lent, lent_decls) = lent_decls(parameters);
    let subject = quote_spanned!(event.span()=> __nekro::Subject::new());
    let call = call_body(function, parameters, Some(quote!(__NEKRO_EVENT.of(call)?)));
    let output = function.output();
    // A handler without a return type has nothing to point at but its name.
    let at = if matches!(function.signature.output, syn::ReturnType::Default) { span } else { output.span() };
    let convert = quote_spanned!(at=> (&__nekro::Probe::<#output>::new()).tag().answer(&__NEKRO_EVENT));
    let answer = quote! {{
        use __nekro::{FallibleTag as _, PlainTag as _};
        let returned = { #call };
        let answer = #convert;
        __nekro::put_answer(sink, answer.apply(returned)?);
        ::core::result::Result::Ok(())
    }};
    let body = if function.is_async() {
        quote! {
            fn __nekro_body<'a>(
                call: &'a __nekro::Call<'a>,
                sink: __nekro::Sink<'a>,
            ) -> __nekro::BoxFuture<'a, ::core::result::Result<(), __nekro::Error>> {
                ::std::boxed::Box::pin(async move #answer)
            }
            const __NEKRO_BODY: __nekro::HandlerBody = __nekro::HandlerBody::Async(__nekro_body);
        }
    } else {
        quote! {
            fn __nekro_body<'a>(
                call: &'a __nekro::Call<'a>,
                sink: __nekro::Sink<'a>,
            ) -> ::core::result::Result<(), __nekro::Error> #answer
            const __NEKRO_BODY: __nekro::HandlerBody = __nekro::HandlerBody::Sync(__nekro_body);
        }
    };
    let (deadline, location) = (optional_duration(*deadline), location(span));
    registered(quote! {
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
    })
}

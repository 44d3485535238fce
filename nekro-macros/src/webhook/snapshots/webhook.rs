/// Tells the subscribers.
async fn pushed(hook: &Hook<Push>, messages: &Messages) -> Result<()> {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_webhook_called_github: () = ();
    }
    const __NEKRO_DELIVERY: __nekro::DeliveredAs<Hook<Push>> = <Hook<
        Push,
    > as __nekro::Delivered>::DELIVERED;
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Messages> = <Messages as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> __nekro::BoxFuture<'a, ::core::result::Result<(), __nekro::Error>> {
        ::std::boxed::Box::pin(async move {
            use __nekro::{FallibleTag as _, PlainTag as _};
            let __nekro_delivery = __NEKRO_DELIVERY.of(__nekro_call)?;
            let __nekro_nothing = (&__nekro::Probe::<Result<()>>::new()).tag().nothing();
            __nekro_nothing
                .apply({
                    let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                    pushed(&__nekro_delivery, &*__nekro_loan_0).await
                })
        })
    }
    const __NEKRO_BODY: __nekro::Body<::core::result::Result<(), __nekro::Error>> = __nekro::Body::Async(
        __nekro_body,
    );
    fn __nekro_secret<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> ::core::result::Result<
        ::core::option::Option<__nekro::Secret<::std::string::String>>,
        __nekro::Error,
    > {
        let __nekro_config = __nekro::lend_config::<__NekroPlugin>(__nekro_call)?;
        ::core::result::Result::Ok(
            __nekro::HookSecret::secret(&__nekro_config.webhook_secret).cloned(),
        )
    }
    static __NEKRO_DECL: __nekro::WebhookDecl = __nekro::WebhookDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "github",
        docs: "Tells the subscribers.",
        signature: __nekro::Signature::Github,
        secret: __nekro_secret,
        deadline: ::core::option::Option::None,
        lent: &[__NEKRO_LENT_0.decl()],
        payload: __NEKRO_DELIVERY.schema,
        check: __NEKRO_DELIVERY.check,
        body: __NEKRO_BODY,
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
    };
    __nekro::inventory::submit! {
        & __NEKRO_DECL
    }
};

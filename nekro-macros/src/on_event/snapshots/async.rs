async fn greet(event: &SessionCreated, messages: &Messages) -> Result<()> {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    const __NEKRO_EVENT: __nekro::Subject<SessionCreated> = <SessionCreated as __nekro::Event>::SUBJECT;
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Messages> = <Messages as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
        __nekro_sink: __nekro::Sink<'a>,
    ) -> __nekro::BoxFuture<'a, ::core::result::Result<(), __nekro::Error>> {
        ::std::boxed::Box::pin(async move {
            use __nekro::{FallibleTag as _, PlainTag as _};
            let __nekro_returned = {
                let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                greet(__NEKRO_EVENT.of(__nekro_call)?, &*__nekro_loan_0).await
            };
            let __nekro_answer = (&__nekro::Probe::<Result<()>>::new())
                .tag()
                .to(<SessionCreated as __nekro::Event>::ANSWERED_WITH)
                .answer();
            __nekro::put_answer(__nekro_sink, __nekro_answer.apply(__nekro_returned)?);
            ::core::result::Result::Ok(())
        })
    }
    const __NEKRO_BODY: __nekro::HandlerBody = __nekro::HandlerBody::Async(__nekro_body);
    static __NEKRO_DECL: __nekro::HandlerDecl = __nekro::HandlerDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "greet",
        docs: "",
        event: __NEKRO_EVENT.decl(),
        phase: __nekro::Phase::Normal,
        priority: 0i32,
        deadline: ::core::option::Option::None,
        lent: &[__NEKRO_LENT_0.decl()],
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

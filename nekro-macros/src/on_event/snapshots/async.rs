async fn greet(event: &SessionCreated, messages: &Messages) -> Result<()> {}
const _: () = {
    use crate::the_plugin_of_this_crate::{Plugin as __NekroPlugin, private as __nekro};
    const __NEKRO_EVENT: __nekro::Subject<SessionCreated> = __nekro::Subject::new();
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Messages> = __nekro::Lent::new();
    fn __nekro_body<'a>(
        call: &'a __nekro::Call<'a>,
        sink: __nekro::Sink<'a>,
    ) -> __nekro::BoxFuture<'a, ::core::result::Result<(), __nekro::Error>> {
        ::std::boxed::Box::pin(async move {
            use __nekro::{FallibleTag as _, PlainTag as _};
            let returned = {
                let __nekro_loan_0 = __NEKRO_LENT_0.lend(call)?;
                greet(__NEKRO_EVENT.of(call)?, &*__nekro_loan_0).await
            };
            let answer = (&__nekro::Probe::<Result<()>>::new())
                .tag()
                .answer(&__NEKRO_EVENT);
            __nekro::put_answer(sink, answer.apply(returned)?);
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

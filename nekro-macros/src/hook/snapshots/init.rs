async fn connect(weather: &Weather) -> Result<Client> {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const the_only_init_function: () = ();
    }
    impl __nekro::Lend<__NekroPlugin> for Client {
        const KIND: __nekro::LentKind = __nekro::LentKind::State;
        fn lend<'a>(
            __nekro_call: &'a __nekro::Call<'a>,
        ) -> ::core::result::Result<__nekro::Loan<'a, Self>, __nekro::Error> {
            __nekro::lend_state(__nekro_call)
        }
    }
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Weather> = <Weather as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::Convert<Result<Client>, __nekro::State> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<Result<Client>>::new()).tag().state()
    }
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> __nekro::BoxFuture<'a, ::core::result::Result<__nekro::State, __nekro::Error>> {
        ::std::boxed::Box::pin(async move {
            __nekro_output()
                .apply({
                    let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                    connect(&*__nekro_loan_0).await
                })
        })
    }
    const __NEKRO_BODY: __nekro::Body<
        ::core::result::Result<__nekro::State, __nekro::Error>,
    > = __nekro::Body::Async(__nekro_body);
    static __NEKRO_DECL: __nekro::HookDecl = __nekro::HookDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        when: __nekro::When::Init,
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

const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_task_called_count: () = ();
    }
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Store> = <Store as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::ReplyOf<Result<()>> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<Result<()>>::new()).tag().reply()
    }
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> __nekro::BoxFuture<'a, ::core::result::Result<__nekro::Reply, __nekro::Error>> {
        ::std::boxed::Box::pin(async move {
            __nekro_call.arguments(&mut [])?;
            __nekro_output()
                .apply({
                    let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                    count(&*__nekro_loan_0).await
                })
        })
    }
    const __NEKRO_BODY: __nekro::Body<
        ::core::result::Result<__nekro::Reply, __nekro::Error>,
    > = __nekro::Body::Async(__nekro_body);
    fn __nekro_check(
        __nekro_json: &::core::primitive::str,
    ) -> ::core::result::Result<(), __nekro::Error> {
        __nekro::check_arguments(__nekro_json, &mut [])
    }
    impl __nekro::TaskArguments for count {
        const DECL: &'static __nekro::TaskDecl = &__NEKRO_DECL;
        fn to_json(
            &self,
        ) -> ::core::result::Result<::std::string::String, __nekro::Error> {
            ::core::result::Result::Ok(__nekro::ArgumentsJson::new().finish())
        }
    }
    static __NEKRO_DECL: __nekro::TaskDecl = __nekro::TaskDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "count",
        docs: "Counts what there is.",
        retries: 0u32,
        backoff: ::core::time::Duration::from_millis(1000u64),
        deadline: ::core::option::Option::None,
        concurrency: ::core::option::Option::None,
        when_disabled: __nekro::WhenDisabled::Pause,
        on_terminal: ::core::option::Option::None,
        arguments: &[],
        lent: &[__NEKRO_LENT_0.decl()],
        output: || __nekro_output().decl(),
        check: __nekro_check,
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
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    static __NEKRO_DECL: __nekro::ScheduleDecl = __nekro::ScheduleDecl {
        task: <count as __nekro::TaskArguments>::DECL,
        when: __nekro::WhenDecl::Cron("0 9 * * 1-5", "Europe/Berlin"),
        workdays: __nekro::Workdays::All,
        misfire: __nekro::Misfire::Skip,
        overlap: __nekro::Overlap::Skip,
        grace: ::core::option::Option::None,
        jitter: ::core::option::Option::Some(
            ::core::time::Duration::from_millis(60000u64),
        ),
        pause_after: ::core::option::Option::None,
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
    };
    const _: &__nekro::PluginDecl = <__NekroPlugin as __nekro::Plugin>::DECL;
    __nekro::inventory::submit! {
        & __NEKRO_DECL
    }
};

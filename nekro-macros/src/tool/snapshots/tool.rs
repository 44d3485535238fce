const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_tool_called_forecast: () = ();
    }
    const __NEKRO_ARGUMENT_1: __nekro::Argument<::std::string::String> = __nekro::Argument::new(
        "city",
        "The city's name.",
        <::std::string::String as __nekro::FromArgument>::READER,
    );
    fn __nekro_default_2() -> u8 {
        0
    }
    fn __nekro_limit_2(
        __nekro_use: __nekro::LimitUse<'_, u8>,
    ) -> ::core::result::Result<(), ::std::string::String> {
        <u8 as __nekro::Number>::limit(
            __nekro_use,
            {
                let __nekro_limit: <u8 as __nekro::Number>::Unit = 0;
                ::core::ops::Bound::Included(__nekro_limit)
            },
            {
                let __nekro_limit: <u8 as __nekro::Number>::Unit = 16;
                ::core::ops::Bound::Included(__nekro_limit)
            },
        )
    }
    const __NEKRO_ARGUMENT_2: __nekro::Argument<u8> = __nekro::Argument::new(
            "days",
            "Days ahead.",
            <u8 as __nekro::FromArgument>::READER,
        )
        .or(
            || ::core::option::Option::Some(__nekro_default_2()),
            || {
                use __nekro::{JsonDefault as _, OpaqueDefault as _};
                (&__nekro::DefaultValue(&__nekro_default_2())).json()
            },
        )
        .limited(
            __nekro_limit_2,
            |schema| ::core::mem::drop(
                __nekro_limit_2(__nekro::LimitUse::Describe(schema)),
            ),
        );
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Http> = <Http as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::ReplyOf<Result<Forecast>> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<Result<Forecast>>::new()).tag().reply()
    }
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> __nekro::BoxFuture<'a, ::core::result::Result<__nekro::Reply, __nekro::Error>> {
        ::std::boxed::Box::pin(async move {
            let mut __nekro_slot_1 = __NEKRO_ARGUMENT_1.slot();
            let mut __nekro_slot_2 = __NEKRO_ARGUMENT_2.slot();
            __nekro_call.arguments(&mut [&mut __nekro_slot_1, &mut __nekro_slot_2])?;
            __nekro_output()
                .apply({
                    let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                    forecast(
                            &*__nekro_loan_0,
                            &__nekro_slot_1.take()?,
                            __nekro_slot_2.take()?,
                        )
                        .await
                })
        })
    }
    const __NEKRO_BODY: __nekro::Body<
        ::core::result::Result<__nekro::Reply, __nekro::Error>,
    > = __nekro::Body::Async(__nekro_body);
    fn __nekro_check(
        __nekro_json: &::core::primitive::str,
    ) -> ::core::result::Result<(), __nekro::Error> {
        let mut __nekro_slot_1 = __NEKRO_ARGUMENT_1.slot();
        let mut __nekro_slot_2 = __NEKRO_ARGUMENT_2.slot();
        __nekro::check_arguments(
            __nekro_json,
            &mut [&mut __nekro_slot_1, &mut __nekro_slot_2],
        )
    }
    static __NEKRO_DECL: __nekro::ToolDecl = __nekro::ToolDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "forecast",
        docs: "Forecast for a city.",
        category: ::core::option::Option::None,
        tags: &[],
        effect: __nekro::Effect::new(true, false, false),
        when: ::core::option::Option::None,
        deadline: ::core::option::Option::Some(
            ::core::time::Duration::from_millis(5000u64),
        ),
        arguments: &[__NEKRO_ARGUMENT_1.decl(), __NEKRO_ARGUMENT_2.decl()],
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

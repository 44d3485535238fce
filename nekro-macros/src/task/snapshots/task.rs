const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_task_called_build: () = ();
    }
    const __NEKRO_ARGUMENT_1: __nekro::Argument<::std::string::String> = __nekro::Argument::new(
        "path",
        "Of what.",
        <::std::string::String as __nekro::FromArgument>::READER,
    );
    fn __nekro_default_2() -> u8 {
        3
    }
    const __NEKRO_ARGUMENT_2: __nekro::Argument<u8> = __nekro::Argument::new(
            "depth",
            "How deep.",
            <u8 as __nekro::FromArgument>::READER,
        )
        .or(
            || ::core::option::Option::Some(__nekro_default_2()),
            || {
                use __nekro::{JsonDefault as _, OpaqueDefault as _};
                (&__nekro::DefaultValue(&__nekro_default_2())).json()
            },
        );
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Task> = <Task as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::ReplyOf<Result<Report>> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<Result<Report>>::new()).tag().reply()
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
                    build(
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
    const __NEKRO_AT_THE_END: fn(__nekro::TaskEnd) -> told = <told as __nekro::TakesTheEnd>::at;
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
    impl __nekro::TaskArguments for build {
        const DECL: &'static __nekro::TaskDecl = &__NEKRO_DECL;
        fn to_json(
            &self,
        ) -> ::core::result::Result<::std::string::String, __nekro::Error> {
            ::core::result::Result::Ok(
                __nekro::ArgumentsJson::new()
                    .with("path", &self.path)?
                    .with("depth", &self.depth)?
                    .finish(),
            )
        }
    }
    static __NEKRO_DECL: __nekro::TaskDecl = __nekro::TaskDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "build",
        docs: "Builds the index.",
        retries: 3u32,
        backoff: ::core::time::Duration::from_millis(2000u64),
        deadline: ::core::option::Option::None,
        concurrency: ::core::option::Option::None,
        when_disabled: __nekro::WhenDisabled::Cancel,
        on_terminal: ::core::option::Option::Some(
            <told as __nekro::TaskArguments>::DECL.name,
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
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_tool_called_build: () = ();
    }
    static __NEKRO_TOOL: __nekro::ToolDecl = __nekro::ToolDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "build",
        docs: "Builds the index.\n\nIt runs in the background: the answer is the task's id, and you are told when it has ended.",
        category: ::core::option::Option::None,
        tags: &[],
        effect: __nekro::Effect::new(false, false, false),
        when: ::core::option::Option::None,
        deadline: ::core::option::Option::None,
        arguments: &[__NEKRO_ARGUMENT_1.decl(), __NEKRO_ARGUMENT_2.decl()],
        lent: &[__nekro::TASKS_LENT],
        output: __nekro::started_task,
        check: __nekro_check,
        body: __nekro::Body::Async(|__nekro_call| __nekro::start_as_tool(
            __nekro_call,
            &__NEKRO_DECL,
        )),
        location: __NEKRO_DECL.location,
    };
    __nekro::inventory::submit! {
        & __NEKRO_TOOL
    }
};

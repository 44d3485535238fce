async fn notes(store: &Store) -> Option<String> {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_prompt_section_called_notes: () = ();
    }
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Store> = <Store as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::Convert<
        Option<String>,
        ::core::option::Option<::std::string::String>,
    > {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<Option<String>>::new()).tag().section()
    }
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> __nekro::BoxFuture<
        'a,
        ::core::result::Result<
            ::core::option::Option<::std::string::String>,
            __nekro::Error,
        >,
    > {
        ::std::boxed::Box::pin(async move {
            __nekro_output()
                .apply({
                    let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                    notes(&*__nekro_loan_0).await
                })
        })
    }
    const __NEKRO_BODY: __nekro::Body<
        ::core::result::Result<
            ::core::option::Option<::std::string::String>,
            __nekro::Error,
        >,
    > = __nekro::Body::Async(__nekro_body);
    static __NEKRO_DECL: __nekro::PromptDecl = __nekro::PromptDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "notes",
        docs: "",
        priority: -1i32,
        budget: ::core::option::Option::Some(500usize),
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

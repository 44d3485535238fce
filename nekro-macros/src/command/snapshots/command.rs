/// Rolls dice.
fn roll(random: &Random, notation: Dice) -> String {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const a_command_called_roll: () = ();
    }
    fn __nekro_default_1() -> Dice {
        ::core::default::Default::default()
    }
    const __NEKRO_ARGUMENT_1: __nekro::Argument<Dice> = __nekro::Argument::new(
            "notation",
            "What to roll.",
            <Dice as __nekro::FromArgument>::READER,
        )
        .or(
            || ::core::option::Option::Some(__nekro_default_1()),
            || {
                use __nekro::{JsonDefault as _, OpaqueDefault as _};
                (&__nekro::DefaultValue(&__nekro_default_1())).json()
            },
        );
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Random> = <Random as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::ReplyOf<String> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<String>::new()).tag().reply()
    }
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> ::core::result::Result<__nekro::Reply, __nekro::Error> {
        let mut __nekro_slot_1 = __NEKRO_ARGUMENT_1.slot();
        __nekro_call.arguments(&mut [&mut __nekro_slot_1])?;
        __nekro_output()
            .apply({
                let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                roll(&*__nekro_loan_0, __nekro_slot_1.take()?)
            })
    }
    const __NEKRO_BODY: __nekro::Body<
        ::core::result::Result<__nekro::Reply, __nekro::Error>,
    > = __nekro::Body::Sync(__nekro_body);
    static __NEKRO_DECL: __nekro::CommandDecl = __nekro::CommandDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "roll",
        aliases: &["r"],
        docs: "Rolls dice.",
        role: __nekro::Role::Admin,
        deadline: ::core::option::Option::None,
        arguments: &[__NEKRO_ARGUMENT_1.decl()],
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

/// Dice.
pub struct Dice;
#[doc(hidden)]
#[allow(unreachable_pub)]
pub mod the_plugin_of_this_crate {
    pub use super::Dice as Plugin;
    pub use ::nekro_core::__private as private;
}
const _: () = {
    use ::nekro_core::__private as __nekro;
    const _: () = ::core::assert!(
        __nekro::is_root(::core::module_path!()),
        "`#[plugin]` stands at the root of its crate: move the struct to `lib.rs`, or take it out of its module",
    );
    static __NEKRO_DECL: __nekro::PluginDecl = __nekro::PluginDecl {
        id: "dice",
        docs: "Dice.",
        title: ::core::option::Option::None,
        category: ::core::option::Option::None,
        version: ::core::env!("CARGO_PKG_VERSION"),
        authors: ::core::env!("CARGO_PKG_AUTHORS"),
        license: ::core::env!("CARGO_PKG_LICENSE"),
        repository: ::core::env!("CARGO_PKG_REPOSITORY"),
        package: ::core::env!("CARGO_PKG_NAME"),
        requires: &[],
        scopes: &[],
        migrations: &[],
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
        config: __nekro::ConfigDecl {
            read: |__nekro_json| __nekro::read_nothing(__nekro_json, || Dice),
            schema: ::core::option::Option::None,
        },
    };
    impl __nekro::Plugin for Dice {
        const DECL: &'static __nekro::PluginDecl = &__NEKRO_DECL;
    }
    impl __nekro::Lend<Dice> for Dice {
        const KIND: __nekro::LentKind = __nekro::LentKind::Config;
        fn lend<'a>(
            __nekro_call: &'a __nekro::Call<'a>,
        ) -> ::core::result::Result<__nekro::Loan<'a, Self>, __nekro::Error> {
            __nekro::lend_config(__nekro_call)
        }
    }
    __nekro::inventory::submit! {
        & __NEKRO_DECL
    }
};

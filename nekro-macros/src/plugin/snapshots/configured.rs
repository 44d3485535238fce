#[derive(::nk::__private::serde::Deserialize, ::nk::__private::schemars::JsonSchema)]
#[serde(crate = "::nk::__private::serde")]
#[schemars(crate = "::nk::__private::schemars")]
#[serde(deny_unknown_fields)]
/// Weather for any place.
pub struct Weather {
    /// Units of the answers.
    #[serde(default)]
    units: Units,
}
#[doc(hidden)]
#[allow(unreachable_pub)]
pub mod the_plugin_of_this_crate {
    pub use super::Weather as Plugin;
    pub use ::nk::__private as private;
}
const _: () = {
    use ::nk::__private as __nekro;
    const _: () = ::core::assert!(
        __nekro::is_root(::core::module_path!()),
        "`#[plugin]` stands at the root of its crate: move the struct to `lib.rs`, or take it out of its module",
    );
    static __NEKRO_DECL: __nekro::PluginDecl = __nekro::PluginDecl {
        id: "weather",
        docs: "Weather for any place.",
        title: ::core::option::Option::Some("Weather"),
        category: ::core::option::Option::None,
        version: ::core::env!("CARGO_PKG_VERSION"),
        authors: ::core::env!("CARGO_PKG_AUTHORS"),
        license: ::core::env!("CARGO_PKG_LICENSE"),
        repository: ::core::env!("CARGO_PKG_REPOSITORY"),
        package: ::core::env!("CARGO_PKG_NAME"),
        requires: &["notes ^1"],
        scopes: &[
            __nekro::ScopeDecl {
                capability: "http",
                entries: &["api.example.org", "*.example.org:8443"],
            },
        ],
        migrations: &[],
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
        config: __nekro::ConfigDecl {
            read: __nekro::read_config::<Weather>,
            schema: ::core::option::Option::Some(
                <Weather as __nekro::schemars::JsonSchema>::json_schema,
            ),
        },
    };
    impl __nekro::Plugin for Weather {
        const DECL: &'static __nekro::PluginDecl = &__NEKRO_DECL;
    }
    impl __nekro::Lend<Weather> for Weather {
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

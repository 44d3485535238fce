#[derive(
    ::core::clone::Clone,
    crate::the_plugin_of_this_crate::private::serde::Serialize,
    crate::the_plugin_of_this_crate::private::serde::Deserialize,
    crate::the_plugin_of_this_crate::private::schemars::JsonSchema,
)]
#[serde(crate = "crate::the_plugin_of_this_crate::private::serde", deny_unknown_fields)]
#[schemars(crate = "crate::the_plugin_of_this_crate::private::schemars")]
/// A note was saved.
pub struct NoteSaved {
    /// Where.
    pub session: SessionId,
}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const an_event_called_note_saved: () = ();
    }
    static __NEKRO_DECL: __nekro::EventDecl = __nekro::EventDecl {
        plugin: ::core::option::Option::Some(<__NekroPlugin as __nekro::Plugin>::DECL),
        name: "note_saved",
        docs: "A note was saved.",
        sort: __nekro::Sort::Fact,
        type_id: ::core::any::TypeId::of::<NoteSaved>,
        schema: <NoteSaved as __nekro::schemars::JsonSchema>::json_schema,
        trigger: __nekro::trigger_fact::<NoteSaved>,
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
    };
    impl __nekro::Event for NoteSaved {
        type Answer = ();
        const DECL: &'static __nekro::EventDecl = &__NEKRO_DECL;
        fn session(&self) -> ::core::option::Option<&__nekro::SessionId> {
            __nekro::MaybeId::id(&self.session)
        }
    }
    impl __nekro::Fact for NoteSaved {}
    __nekro::inventory::submit! {
        & __NEKRO_DECL
    }
};

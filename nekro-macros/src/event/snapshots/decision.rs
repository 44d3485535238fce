#[derive(
    ::core::clone::Clone,
    crate::the_plugin_of_this_crate::private::serde::Serialize,
    crate::the_plugin_of_this_crate::private::serde::Deserialize,
    crate::the_plugin_of_this_crate::private::schemars::JsonSchema,
)]
#[serde(crate = "crate::the_plugin_of_this_crate::private::serde", deny_unknown_fields)]
#[schemars(crate = "crate::the_plugin_of_this_crate::private::schemars")]
/// May this be published?
pub struct Publish {
    /// The text.
    pub text: String,
}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    impl __NekroPlugin {
        #[doc(hidden)]
        #[allow(non_upper_case_globals, unreachable_pub, dead_code)]
        pub const an_event_called_publish: () = ();
    }
    static __NEKRO_DECL: __nekro::EventDecl = __nekro::EventDecl {
        plugin: ::core::option::Option::Some(<__NekroPlugin as __nekro::Plugin>::DECL),
        name: "publish",
        docs: "May this be published?",
        sort: __nekro::Sort::Decision,
        type_id: ::core::any::TypeId::of::<Publish>,
        schema: <Publish as __nekro::schemars::JsonSchema>::json_schema,
        trigger: __nekro::trigger_decision::<Publish>,
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
    };
    impl __nekro::Event for Publish {
        type Answer = Approval;
        const DECL: &'static __nekro::EventDecl = &__NEKRO_DECL;
    }
    impl __nekro::Decision for Publish {
        fn revise(&mut self, __nekro_verdict: &Approval) {
            let __nekro_revise: fn(&mut Self, &Approval) = apply;
            __nekro_revise(self, __nekro_verdict)
        }
    }
    __nekro::inventory::submit! {
        & __NEKRO_DECL
    }
};

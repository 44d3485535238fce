fn guard(call: &ToolCall) -> Approval {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    const __NEKRO_EVENT: __nekro::Subject<ToolCall> = <ToolCall as __nekro::Event>::SUBJECT;
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
        __nekro_sink: __nekro::Sink<'a>,
    ) -> ::core::result::Result<(), __nekro::Error> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        let __nekro_returned = { guard(__NEKRO_EVENT.of(__nekro_call)?) };
        let __nekro_answer = (&__nekro::Probe::<Approval>::new())
            .tag()
            .to(<ToolCall as __nekro::Event>::ANSWERED_WITH)
            .answer();
        __nekro::put_answer(__nekro_sink, __nekro_answer.apply(__nekro_returned)?);
        ::core::result::Result::Ok(())
    }
    const __NEKRO_BODY: __nekro::HandlerBody = __nekro::HandlerBody::Sync(__nekro_body);
    static __NEKRO_DECL: __nekro::HandlerDecl = __nekro::HandlerDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "guard",
        docs: "",
        event: __NEKRO_EVENT.decl(),
        phase: __nekro::Phase::Early,
        priority: 10i32,
        deadline: ::core::option::Option::Some(
            ::core::time::Duration::from_millis(1000u64),
        ),
        lent: &[],
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

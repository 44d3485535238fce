fn guard(call: &ToolCall) -> Approval {}
const _: () = {
    use crate::the_plugin_of_this_crate::{Plugin as __NekroPlugin, private as __nekro};
    const __NEKRO_EVENT: __nekro::Subject<ToolCall> = __nekro::Subject::new();
    fn __nekro_body<'a>(
        call: &'a __nekro::Call<'a>,
        sink: __nekro::Sink<'a>,
    ) -> ::core::result::Result<(), __nekro::Error> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        let returned = { guard(__NEKRO_EVENT.of(call)?) };
        let answer = (&__nekro::Probe::<Approval>::new()).tag().answer(&__NEKRO_EVENT);
        __nekro::put_answer(sink, answer.apply(returned)?);
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

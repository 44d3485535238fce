/// A board with its cards.
async fn board(store: &Store, id: BoardId, page: Option<u32>) -> Result<Board> {}
const _: () = {
    use crate::the_plugin_of_this_crate as __nekro_plugin;
    use __nekro_plugin::{Plugin as __NekroPlugin, private as __nekro};
    const __NEKRO_ARGUMENT_1: __nekro::Argument<BoardId> = __nekro::Argument::new(
        "id",
        "",
        <BoardId as __nekro::FromArgument>::READER,
    );
    const __NEKRO_ARGUMENT_2: __nekro::Argument<Option<u32>> = __nekro::Argument::new(
        "page",
        "",
        <Option<u32> as __nekro::FromArgument>::READER,
    );
    const __NEKRO_LENT_0: __nekro::Lent<__NekroPlugin, Store> = <Store as __nekro::Lend<
        __NekroPlugin,
    >>::LENT
        .bounded();
    fn __nekro_output() -> __nekro::AnswerOf<Result<Board>> {
        use __nekro::{FallibleTag as _, PlainTag as _};
        (&__nekro::Probe::<Result<Board>>::new()).tag().answer_over_http()
    }
    fn __nekro_body<'a>(
        __nekro_call: &'a __nekro::Call<'a>,
    ) -> __nekro::BoxFuture<
        'a,
        ::core::result::Result<__nekro::Answer, __nekro::Error>,
    > {
        ::std::boxed::Box::pin(async move {
            let mut __nekro_slot_1 = __NEKRO_ARGUMENT_1.slot();
            let mut __nekro_slot_2 = __NEKRO_ARGUMENT_2.slot();
            __nekro_call.arguments(&mut [&mut __nekro_slot_1, &mut __nekro_slot_2])?;
            __nekro_output()
                .apply({
                    let __nekro_loan_0 = __NEKRO_LENT_0.lend(__nekro_call)?;
                    board(
                            &*__nekro_loan_0,
                            __nekro_slot_1.take()?,
                            __nekro_slot_2.take()?,
                        )
                        .await
                })
        })
    }
    const __NEKRO_BODY: __nekro::Body<
        ::core::result::Result<__nekro::Answer, __nekro::Error>,
    > = __nekro::Body::Async(__nekro_body);
    static __NEKRO_DECL: __nekro::RouteDecl = __nekro::RouteDecl {
        plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
        name: "board",
        method: __nekro::Method::Get,
        path: "/boards/{id}",
        docs: "A board with its cards.",
        role: ::core::option::Option::Some(__nekro::Role::User),
        resource: false,
        changed_by: ::core::option::Option::None,
        deadline: ::core::option::Option::None,
        arguments: &[__NEKRO_ARGUMENT_1.decl(), __NEKRO_ARGUMENT_2.decl()],
        lent: &[__NEKRO_LENT_0.decl()],
        output: || __nekro_output().decl(),
        body: __NEKRO_BODY,
        place: __nekro::PlaceDecl {
            nav: ::core::option::Option::None,
            card: ::core::option::Option::None,
            icon: ::core::option::Option::None,
        },
        location: __nekro::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
    };
    __nekro::inventory::submit! {
        & __NEKRO_DECL
    }
};

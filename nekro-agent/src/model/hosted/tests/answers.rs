//! How answers are read, however they come.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn the_streams_of_the_providers_are_read_wherever_they_are_cut() {
    for (provider, stream, expected) in [
        (
            Provider::Openai,
            OPENAI,
            expect![[r#"
            |Schön, I roll 🎲.|End 120 (64) 30
            call_a dice.roll {"notation":"2d6"}
            call_b notes.list {}"#]],
        ),
        (
            Provider::Anthropic,
            ANTHROPIC,
            expect![[r#"
            Two dice.|Schön, I roll 🎲.|End 120 (64) 30
            toolu_a dice.roll {"notation": "2d6"}
            toolu_b notes.list {}"#]],
        ),
        (
            Provider::Ollama,
            OLLAMA,
            expect![[r#"
            Two dice.||End 120 (0) 30
            call_a dice.roll {"notation":"2d6"}
            call_b notes.list {}"#]],
        ),
    ] {
        for stream in [stream.to_owned(), stream.replace('\n', "\r\n")] {
            let whole = of_text(provider, &stream).await;
            expected.assert_eq(&whole);
            for cut in 0..=stream.len() {
                let (left, right) = stream.as_bytes().split_at(cut);
                let pieces = vec![Piece::Bytes(left.to_vec()), Piece::Bytes(right.to_vec())];
                assert_eq!(of_pieces(provider, pieces).await, whole, "cut at {cut}");
            }
            let single = stream.bytes().map(|byte| Piece::Bytes(vec![byte])).collect();
            assert_eq!(of_pieces(provider, single).await, whole, "byte by byte");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_the_middle_is_no_answer() {
    for (provider, stream) in [(Provider::Openai, OPENAI), (Provider::Anthropic, ANTHROPIC), (Provider::Ollama, OLLAMA)] {
        // Up to where the provider says that this is all.
        let end = stream.find("finish_reason\":\"tool").or_else(|| stream.find("event: message_stop")).expect("an end");
        for cut in 0..end {
            if !stream.is_char_boundary(cut) {
                continue;
            }
            let told = of_text(provider, &stream[..cut]).await;
            assert_eq!(told, "Unavailable: the model `main` did not answer: the answer broke off", "cut at {cut}");
        }
        let cut = of_pieces(provider, vec![bytes(&stream[..end]), Piece::Cut]).await;
        assert_eq!(cut, "Unavailable: the model `main` did not answer: the answer broke off: connection reset");
    }
}

fn part(part: Value) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "delta": part }] }))
}

#[tokio::test]
async fn what_other_servers_do_differently_is_understood() {
    const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let call = |fields: Value| part(json!({ "tool_calls": [fields] }));
    for (what, stream, expected) in [
        (
            "no number",
            call(json!({ "id": "a", "function": { "name": "dice__roll", "arguments": "{" } }))
                + &call(json!({ "function": { "arguments": "}" } }))
                + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {}"#]],
        ),
        (
            "no id",
            call(json!({ "index": 0, "function": { "name": "dice.roll" } }))
                + &call(json!({ "index": 1, "function": { "name": "notes__list" } }))
                + END,
            expect![[r#"
            ||End 0 (0) 0
            call-1-0 dice.roll {}
            call-1-1 notes.list {}"#]],
        ),
        (
            "a number without end",
            call(json!({ "index": u64::MAX, "id": "a", "function": { "name": "dice__roll", "arguments": "{}" } })) + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {}"#]],
        ),
        (
            "arguments as JSON",
            call(json!({ "index": 0, "id": "a", "function": { "name": "dice__roll", "arguments": { "notation": "d6" } } })) + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {"notation":"d6"}"#]],
        ),
        (
            "a name that is repeated",
            call(json!({ "index": 0, "id": "a", "function": { "name": "dice__roll", "arguments": "{" } }))
                + &call(json!({ "index": 0, "id": "a", "function": { "name": "dice__roll", "arguments": "}" } }))
                + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {}"#]],
        ),
        (
            "a call without a name",
            call(json!({ "index": 0, "id": "a", "function": { "arguments": "{}" } })) + END,
            expect!["||End 0 (0) 0"],
        ),
        (
            "thoughts in a list",
            part(
                json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }, { "type": "text", "text": "yes" }] }),
            ) + END,
            expect!["hm|yes|End 0 (0) 0"],
        ),
        (
            "thoughts by another name",
            part(json!({ "reasoning_content": "hm" })) + &part(json!({ "content": "yes" })) + END,
            expect!["hm|yes|End 0 (0) 0"],
        ),
        (
            "an end by length",
            part(json!({ "content": "yes" })) + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}",
            expect!["|yes|Length 0 (0) 0"],
        ),
        (
            "a filter",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n".to_owned(),
            expect!["||Filtered 0 (0) 0"],
        ),
        (
            "comments",
            ": OPENROUTER PROCESSING\n\n".to_owned() + &part(json!({ "content": "yes" })) + END,
            expect!["|yes|End 0 (0) 0"],
        ),
        (
            "wrong types",
            "data: {\"choices\":[{\"delta\":{\"content\":3,\"tool_calls\":{}}}],\"usage\":[]}\n\ndata: []\n\n".to_owned() + END,
            expect!["||End 0 (0) 0"],
        ),
    ] {
        expected.assert_eq(&of_text(Provider::Ollama, &stream).await);
        let _ = what;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_read_too() {
    let openai = json!({
        "choices": [{ "message": { "content": "yes", "tool_calls": [{ "id": "a", "function": { "name": "dice__roll", "arguments": "{}" } }] }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 2 },
    });
    let anthropic = json!({
        "type": "message", "stop_reason": "max_tokens", "usage": { "input_tokens": 3, "output_tokens": 2 },
        "content": [{ "type": "text", "text": "yes" }, { "type": "tool_use", "id": "a", "name": "dice__roll", "input": { "notation": "d6" } }],
    });
    for (provider, answer, expected) in [
        (
            Provider::Openai,
            openai,
            expect![[r#"
            |yes|End 3 (0) 2
            a dice.roll {}"#]],
        ),
        (
            Provider::Anthropic,
            anthropic,
            expect![[r#"
            |yes|Length 3 (0) 2
            a dice.roll {"notation":"d6"}"#]],
        ),
        (Provider::Openai, json!({}), expect!["Unavailable: the model `main` did not answer: it sent JSON without an answer"]),
        (
            Provider::Anthropic,
            json!([1]),
            expect!["Unavailable: the model `main` did not answer: it sent JSON without an answer"],
        ),
        (Provider::Openai, json!({ "error": "no" }), expect!["Unavailable: the model `main` did not answer: it broke off: no"]),
    ] {
        let answer = script(200, false, vec![bytes(&answer.to_string())]);
        expected.assert_eq(&asked(&model(provider, None, answer)).await);
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_its_sort_and_without_the_key() {
    for (provider, status, body, expected) in [
        (
            Provider::Openai,
            401,
            r#"{"error":{"message":"the key s3cret-key is wrong"}}"#,
            expect!["Unauthorized: the model `main` did not answer: 401: the key (secret) is wrong (`models.main.api_key`)"],
        ),
        (Provider::Openai, 500, "team t34m-secret", expect!["Unavailable: the model `main` did not answer: 500: team (secret)"]),
        (
            Provider::Openai,
            200,
            "data: {\"error\":{\"message\":\"busy\",\"code\":429}}\n\n",
            expect!["RateLimited: the model `main` did not answer: it broke off: busy"],
        ),
        (
            Provider::Openai,
            200,
            "data: {nonsense\n\n",
            expect!["Unavailable: the model `main` did not answer: it sent something that is not JSON"],
        ),
        (Provider::Openai, 200, "<html>", expect!["Unavailable: the model `main` did not answer: the answer broke off"]),
        (Provider::Openai, 200, "data: [DONE]\n\n", expect!["||End 0 (0) 0"]),
        (
            Provider::Anthropic,
            200,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            expect!["Unavailable: the model `main` did not answer: it broke off: Overloaded"],
        ),
        (
            Provider::Anthropic,
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            expect!["Unavailable: the model `main` did not answer: 529: Overloaded"],
        ),
    ] {
        expected.assert_eq(&asked(&model(provider, None, script(status, true, vec![bytes(body)]))).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_ends_with_the_name_of_the_limit() {
    let wait = |seconds| Piece::Wait(Duration::from_secs(seconds));
    let say = || bytes("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
    let end = || bytes("data: [DONE]\n\n");
    for (pieces, expected) in [
        (
            vec![wait(21)],
            expect!["Unavailable: the model `main` did not answer: nothing came within 20s (`timeouts.first_byte`)"],
        ),
        (
            vec![wait(19), say(), wait(11)],
            expect!["Unavailable: the model `main` did not answer: nothing more came within 10s (`timeouts.between_chunks`)"],
        ),
        (vec![wait(19), say(), wait(9), bytes(": alive\n\n"), wait(9), say(), wait(9), end()], expect!["|aa|End 0 (0) 0"]),
    ] {
        expected.assert_eq(&of_pieces(Provider::Openai, pieces).await);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_broken_off() {
    let told = "BadRequest: the model `main` did not answer: the answer has more than 10000 bytes (`max_answer_bytes`)";
    let text = part(json!({ "content": "x".repeat(100) }));
    let thought = part(json!({ "reasoning": "x".repeat(100) }));
    let calls =
        part(json!({ "tool_calls": [{ "id": "a", "function": { "name": "b" } }, { "id": "b", "function": { "name": "b" } }] }));
    let nothing = ": nothing at all\n\n".to_owned();
    let line = "data: x".to_owned();
    for piece in [text, thought, calls, nothing, line] {
        let pieces = std::iter::repeat_n(bytes(&piece), 200_000).collect();
        assert_eq!(of_pieces(Provider::Openai, pieces).await, told, "{piece}");
    }
    let json = script(200, false, std::iter::repeat_n(bytes("[[[["), 5_000).collect());
    assert_eq!(asked(&model(Provider::Openai, None, json)).await, told);
    let refusal = script(500, false, std::iter::repeat_n(bytes("no "), 100_000).collect());
    assert!(asked(&model(Provider::Openai, None, refusal)).await.len() < 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_bytes_make_a_reader_panic_or_grow(
        lines in proptest::collection::vec(
            prop_oneof!["data: .{0,40}", "event: [a-z_]{0,20}", Just(String::new()),
                proptest::sample::select([OPENAI, ANTHROPIC, OLLAMA].iter().flat_map(|stream| stream.lines()).map(str::to_owned).collect::<Vec<_>>())],
            0..30,
        ),
        noise in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let text = lines.join("\n");
        for provider in [Provider::Openai, Provider::Anthropic] {
            runtime.block_on(of_pieces(provider, vec![bytes(&text), Piece::Bytes(noise.clone())]));
        }
    }
}

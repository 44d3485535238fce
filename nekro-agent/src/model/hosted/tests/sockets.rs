//! Over real sockets.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::model::settings::ModelsSettings;

/// A server on a real socket that gives each connection what the test says, and returns what it was sent.
async fn serve(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    let served = tokio::spawn(async move {
        let mut received = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            // The body is JSON and ends with the request: its last brace is followed by nothing.
            while !request.ends_with(b"}") {
                if stream.read_buf(&mut request).await.expect("a request") == 0 {
                    break;
                }
            }
            received.push(String::from_utf8_lossy(&request).into_owned());
            for piece in answer.as_bytes().chunks(7) {
                stream.write_all(piece).await.expect("somebody listens");
                stream.flush().await.expect("somebody listens");
            }
        }
        received
    });
    (url, served)
}

#[tokio::test]
async fn over_a_real_socket_a_model_is_asked_again_until_it_answers() {
    let (url, served) = serve(vec![
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0.01\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 34\r\n\r\n{\"error\":{\"message\":\"slow down!\"}}",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 1000\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"hal\"}}]}\n\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    ])
    .await;
    let settings = json!({
        "main": {
            "provider": "openai", "model": "x-1", "url": url, "api_key": "s3cret-key", "headers": { "x-team": "blue" },
            "retries": { "wait": "1ms" },
        },
    });
    let settings: ModelsSettings = serde_json::from_value(settings).expect("settings");
    let models = crate::model::Models::new(&settings, std::path::Path::new(""))
        .map_err(|mistakes| format!("{mistakes:?}"))
        .expect("models");
    let mut lines = Vec::new();
    let mut sink = |chunk: Chunk<'_>| lines.push(written(chunk));
    let answer = models.model(None).expect("the only one").ask(&offered(), &mut sink).await.expect("an answer");
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("hello", "main"));
    assert!(lines[0].contains("again main") && lines[0].contains("429: slow down!"), "{lines:#?}");
    assert!(lines[1..].join(" ").contains("hal [again main after") && lines.join(" ").contains("broke off"), "{lines:#?}");
    let received = served.await.expect("the server");
    for request in received {
        assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer s3cret-key\r\n") && request.contains("x-team: blue\r\n"), "{request}");
        assert!(request.contains("\"model\":\"x-1\"") && !request.contains("max_tokens"), "{request}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_leads_elsewhere_is_told() {
    let (url, served) =
        serve(vec!["HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"]).await;
    let network: Arc<Network> = Arc::default();
    let told = asked(&model(Provider::Openai, Some(&url), Arc::clone(&network) as _)).await;
    assert!(told.starts_with("BadRequest") && told.contains("it points to another address"), "{told}");
    served.await.expect("the server");
    let told = asked(&model(Provider::Openai, Some("http://user:s3cret@127.0.0.1:1/v1"), network as _)).await;
    assert!(told.starts_with("Unavailable: the model `main` did not answer: it cannot be reached"), "{told}");
}

#[tokio::test]
async fn over_a_real_socket_texts_become_vectors() {
    let (url, served) = serve(vec![
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0.01\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"data\":[{\"index\":1,\"embedding\":[0,2]},{\"index\":0,\"embedding\":[1,0]}],\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}",
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 45\r\n\r\n{\"error\":{\"message\":\"no such key: s3cret-key\"}}",
    ])
    .await;
    let settings = json!({ "url": url, "model": "small", "api_key": "s3cret-key", "dimensions": 2, "batch": 2, "price": 0.5 });
    let embedder = crate::model::embedder(&serde_json::from_value(settings).expect("settings"));
    assert_eq!(embedder.model(), "small/2");
    let embedded = embedder.embed(&["a".to_owned(), "b".to_owned()]).await.expect("vectors");
    assert_eq!(embedded.vectors, [[1.0, 0.0], [0.0, 2.0]]);
    assert_eq!((embedded.tokens, embedder.cost(embedded.tokens)), (7, Some(4)), "as the server counts, and rounded up");
    let error = embedder.embed(&["c".to_owned()]).await.expect_err("it is refused");
    assert_eq!(error.hint(), Some("the operator looks at `vectors.embedding.api_key`"));
    assert!(error.message().contains("401") && !error.message().contains("s3cret"), "{error}");
    for (number, request) in served.await.expect("the server").into_iter().enumerate() {
        let input = if number < 2 { r#""input":["a","b"]"# } else { r#""input":["c"]"# };
        assert!(request.starts_with("POST /v1/embeddings HTTP/1.1\r\n") && request.contains(input), "{request}");
        assert!(request.contains("authorization: Bearer s3cret-key\r\n") && request.contains("\"dimensions\":2"), "{request}");
    }
}

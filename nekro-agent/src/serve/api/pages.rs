//! The document that describes everything, pages to read it and to log in, and logging out.

use nekro_core::{
    Method,
    web::{Answer, IntoAnswer, Redirect},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answers, Operation, run};
use crate::serve::{door::Who, openapi, problem::Problem, request::Request, server::Server};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/api/openapi.json",
        "openapi",
        "Describes everything that is linked, plugins included.",
        run!(document),
    )
    .json::<Map<String, Value>>(),
    Operation::new(Method::Get, "/api/docs", "docs", "Shows that description as a page.", run!(docs))
        .for_everybody()
        .answers(Answers::Other("text/html")),
    Operation::new(Method::Get, "/api/docs.js", "docs_script", "Returns the script of that page.", run!(script))
        .for_everybody()
        .answers(Answers::Other("text/javascript")),
    Operation::new(Method::Get, "/api/pages.css", "pages_style", "Returns the style of the pages.", run!(style))
        .for_everybody()
        .answers(Answers::Other("text/css")),
    Operation::new(Method::Get, "/login", "login_page", "Shows a page that asks for a token.", run!(login))
        .for_everybody()
        .answers(Answers::Other("text/html")),
    Operation::new(Method::Post, "/login", "log_in", "Lets a browser in: what it asks for next needs no token.", run!(enter))
        .for_everybody()
        .body::<Login>(),
    Operation::new(Method::Post, "/logout", "log_out", "Ends a login.", run!(leave)).for_everybody(),
];

async fn document(server: &Server, _: &Request) -> Result<Answer, Problem> {
    Ok(Answer::json(&openapi::document(server.kernel.registry()))?)
}

fn page(media_type: &'static str, text: &str) -> Result<Answer, Problem> {
    Ok(Answer::bytes(media_type, text.as_bytes().to_vec()))
}

async fn docs(_: &Server, _: &Request) -> Result<Answer, Problem> {
    page("text/html; charset=utf-8", include_str!("../pages/docs.html"))
}

async fn script(_: &Server, _: &Request) -> Result<Answer, Problem> {
    page("text/javascript; charset=utf-8", include_str!("../pages/docs.js"))
}

async fn style(_: &Server, _: &Request) -> Result<Answer, Problem> {
    page("text/css; charset=utf-8", include_str!("../pages/pages.css"))
}

async fn login(_: &Server, _: &Request) -> Result<Answer, Problem> {
    page("text/html; charset=utf-8", include_str!("../pages/login.html"))
}

/// Who logs in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The token.
    token: String,
}

async fn enter(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let is_form = request.media_type() == "application/x-www-form-urlencoded";
    let Login { token } = if is_form {
        let token =
            url::form_urlencoded::parse(&request.body).find(|(name, _)| name == "token").map(|(_, token)| token.into_owned());
        Login { token: token.ok_or_else(|| Problem::bad_request("the form has no `token`"))? }
    } else {
        request.json()?
    };
    // Where it comes from was counted at the door; here all wrong ones count together.
    let identity = server.tokens.find(token.trim()).ok_or_else(|| server.refuse(Who::LoggingIn))?;
    let cookie = server
        .kept
        .logins
        .enter(identity)
        .map_err(|error| Problem::new(503, "unavailable", format!("nobody can log in: {error}")))?;
    let answer =
        if is_form { Redirect("/api/docs".to_owned()).into_answer()? } else { Answer::bytes("", Vec::new()).with_status(204) };
    Ok(answer.with_header("set-cookie", cookie))
}

async fn leave(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let cookie = server.kept.logins.leave(request.header("cookie").unwrap_or_default());
    Ok(Answer::bytes("", Vec::new()).with_status(204).with_header("set-cookie", cookie))
}

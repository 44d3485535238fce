//! Resources: what routes that say so answer, by names such as `nekro://board/cards/3`.
//!
//! A route with arguments is a template. What is listed can be read, and nothing else, by the same decision of the kernel.

use base64::{Engine, prelude::BASE64_STANDARD};
use nekro_core::{
    ArgumentDecl, Caller, Error,
    kernel::{Given, Kernel, RouteEntry},
    web::{Answer, Body},
};
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};
use serde_json::Map;
use url::Url;

use crate::cli::first_line;

/// The scheme of the names. The host is the plugin.
const SCHEME: &str = "nekro";

/// Returns the resources that need no argument.
pub(super) fn list(kernel: &Kernel, caller: &Caller) -> Vec<Resource> {
    let plain = kernel.resources(caller).filter(|route| route.decl.arguments.iter().all(ArgumentDecl::is_optional));
    plain
        .map(|route| {
            let resource = Resource::new(uri(route), name(route)).with_title(title(route)).with_description(route.decl.docs);
            match (route.decl.output)().shape.media_type {
                Some(media_type) => resource.with_mime_type(media_type),
                None => resource,
            }
        })
        .collect()
}

/// Returns those that take arguments, as templates.
pub(super) fn templates(kernel: &Kernel, caller: &Caller) -> Vec<ResourceTemplate> {
    let with_arguments = kernel.resources(caller).filter(|route| !route.decl.arguments.is_empty());
    with_arguments
        .map(|route| {
            let made = ResourceTemplate::new(template(route), name(route)).with_title(title(route));
            let made = made.with_description(route.decl.docs);
            match (route.decl.output)().shape.media_type {
                Some(media_type) => made.with_mime_type(media_type),
                None => made,
            }
        })
        .collect()
}

/// Reads a resource; `None` if there is none of that name.
///
/// # Errors
///
/// What the route returned, and `no_resource` if it answers with something that cannot be read as a whole.
pub(super) async fn read(kernel: &Kernel, caller: &Caller, uri: &str) -> Result<Option<ResourceContents>, Error> {
    let Some(url) = Url::parse(uri).ok().filter(|url| url.scheme() == SCHEME) else { return Ok(None) };
    let path: Vec<_> = url.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let found = url.host_str().and_then(|plugin| kernel.find_resource(plugin, &path, caller));
    let Some((route, given)) = found else { return Ok(None) };
    let query = url.query_pairs().into_owned().collect();
    let answer = kernel.route(route, Given::new(given, query, Map::new()), caller).await?;
    contents(answer, uri).map(Some)
}

/// Returns the words that an argument of a template may be.
pub(super) fn complete(kernel: &Kernel, caller: &Caller, uri: &str, argument: &str, typed: &str) -> Vec<String> {
    let route = kernel.resources(caller).find(|route| template(route) == uri);
    route.map(|route| crate::completion::complete(route.arguments(), argument, typed)).unwrap_or_default()
}

fn contents(answer: Answer, uri: &str) -> Result<ResourceContents, Error> {
    let none = |problem: String| Error::new(problem).with_code("no_resource");
    if !(200..300).contains(&answer.status) {
        return Err(none(format!("`{uri}` is answered with the status {}", answer.status)));
    }
    let Body::Whole(bytes) = answer.body else {
        return Err(none(format!("`{uri}` is a stream, and cannot be read as a whole")));
    };
    let media_type = answer.media_type.into_owned();
    let contents = match String::from_utf8(bytes) {
        Ok(text) if is_text(&media_type) => ResourceContents::text(text, uri),
        Ok(text) => ResourceContents::blob(BASE64_STANDARD.encode(text), uri),
        Err(bytes) => ResourceContents::blob(BASE64_STANDARD.encode(bytes.as_bytes()), uri),
    };
    Ok(if media_type.is_empty() { contents } else { contents.with_mime_type(media_type) })
}

fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    kind.is_empty() || kind.starts_with("text/") || ["json", "xml", "javascript", "yaml"].iter().any(|form| kind.ends_with(form))
}

/// Returns `nekro://board/cards`.
fn uri(route: &RouteEntry) -> String {
    format!("{SCHEME}://{}{}", route.decl.plugin.id, route.decl.path)
}

/// Returns `nekro://board/cards{?column}`.
fn template(route: &RouteEntry) -> String {
    let in_path: Vec<_> = route.path_arguments().collect();
    let query: Vec<_> = route.decl.arguments.iter().map(|one| one.name).filter(|name| !in_path.contains(name)).collect();
    if query.is_empty() { uri(route) } else { format!("{}{{?{}}}", uri(route), query.join(",")) }
}

fn name(route: &RouteEntry) -> String {
    format!("{}.{}", route.decl.plugin.id, route.decl.name)
}

fn title(route: &RouteEntry) -> &'static str {
    first_line(route.decl.docs).trim_end_matches('.')
}

/// Decodes a part of a path. As a form's value, but for what only forms have.
fn decoded(part: &str) -> String {
    let form = format!("={}", part.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(answer: Answer, expected: Expect) {
        let told = match contents(answer, "nekro://x/y") {
            Ok(contents) => serde_json::to_string(&contents).expect("plain data"),
            Err(error) => format!("{} {error}", error.code()),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn an_answer_is_text_or_bytes() {
        check(
            Answer::bytes("text/plain; charset=utf-8", b"tea".to_vec()),
            expect![[r#"{"uri":"nekro://x/y","mimeType":"text/plain; charset=utf-8","text":"tea"}"#]],
        );
        check(
            Answer::json(&[1]).expect("JSON"),
            expect![[r#"{"uri":"nekro://x/y","mimeType":"application/json","text":"[1]"}"#]],
        );
        check(
            Answer::bytes("image/png", b"PNG".to_vec()),
            expect![[r#"{"uri":"nekro://x/y","mimeType":"image/png","blob":"UE5H"}"#]],
        );
        check(
            Answer::bytes("text/plain", vec![0xff]),
            expect![[r#"{"uri":"nekro://x/y","mimeType":"text/plain","blob":"/w=="}"#]],
        );
        check(
            Answer::bytes("text/plain", Vec::new()).with_status(404),
            expect!["no_resource `nekro://x/y` is answered with the status 404"],
        );
    }

    #[test]
    fn a_part_of_a_path_is_decoded() {
        assert_eq!(decoded("a%20b+c&d%2Fe=f"), "a b+c&d/e=f");
    }
}

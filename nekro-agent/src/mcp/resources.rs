//! Resources: what routes that say so answer, by names such as `nekro://board/cards/3`, and the files that plugins show, by names such
//! as `nekro://report/files/digests/2030-01-01.md`.
//!
//! A route with arguments is a template. What is listed can be read, and nothing else, by the same decision of the kernel.

use nekro_core::{
    ArgumentDecl, Caller, Error, PluginId, SandboxPath, SessionId,
    event::EventDecl,
    kernel::{FoundRoute, Given, Kernel, RouteEntry, SharedFile},
    web::{Answer, Body},
};
use rmcp::{
    ErrorData,
    model::{Resource, ResourceContents, ResourceTemplate},
};
use serde_json::Map;
use url::Url;

use super::{Limits, content};
use crate::cli::first_line;

/// The scheme of the names. The host is the plugin.
const SCHEME: &str = "nekro";

/// What the path of a file begins with.
const FILES: &str = "files";

/// The most bytes of a name.
const MOST_BYTES_OF_A_NAME: usize = 4_096;

/// What a name stands for.
pub(super) enum Place {
    /// What a route answers, which may be another after an event.
    Route { plugin: PluginId, path: Vec<String>, given: Vec<(&'static str, String)>, event: Option<String> },
    /// A file that a plugin shows, whether or not it is there.
    File(PluginId, SandboxPath),
}

impl Place {
    /// Tells whether it is this file.
    pub(super) fn is_file(&self, plugin: &PluginId, path: &SandboxPath) -> bool {
        matches!(self, Self::File(of, at) if (of, at) == (plugin, path))
    }
}

/// Finds what a name stands for; `None` if the caller sees nothing of that name.
pub(super) fn find(kernel: &Kernel, caller: &Caller, uri: &str) -> Option<Place> {
    if uri.len() > MOST_BYTES_OF_A_NAME {
        return None;
    }
    let url = Url::parse(uri).ok().filter(|url| url.scheme() == SCHEME)?;
    let plugin = url.host_str()?;
    let path: Vec<_> = url.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    if let Some((route, given)) = kernel.find_resource(plugin, &path, caller) {
        let event = route.decl.changed_by.map(EventDecl::wire_name);
        return Some(Place::Route { plugin: plugin.into(), path, given, event });
    }
    let (first, path) = path.split_first()?;
    let path = path.join("/").parse().ok().filter(|_| first == FILES)?;
    kernel.shows_file(plugin, &path, caller).then(|| Place::File(plugin.into(), path))
}

/// Returns a page of the resources that need no argument, in the order of their names, and where the next one begins.
///
/// # Errors
///
/// If there is no such page.
pub(super) async fn list(
    kernel: &Kernel,
    caller: &Caller,
    limits: &Limits,
    after: Option<&str>,
) -> Result<(Vec<Resource>, Option<String>), ErrorData> {
    if let Some(cursor) = after.filter(|cursor| !cursor.starts_with(SCHEME)) {
        return Err(ErrorData::invalid_params(format!("there is no page `{cursor}`"), None));
    }
    let mut all = routes(kernel, caller);
    all.extend(kernel.shared_files(caller, limits.listed_files).await.iter().map(file));
    all.sort_by(|one, other| one.uri.cmp(&other.uri));
    all.retain(|one| after.is_none_or(|after| one.uri.as_str() > after));
    let has_more = all.len() > limits.page.max(1);
    all.truncate(limits.page.max(1));
    let next = all.last().filter(|_| has_more).map(|last| last.uri.clone());
    Ok((all, next))
}

fn routes(kernel: &Kernel, caller: &Caller) -> Vec<Resource> {
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
    let files = kernel.shown_places(caller).filter_map(|(plugin, place)| {
        let template = file_template(plugin.id, place, caller.session.as_ref())?;
        let docs = format!("Files of the plugin `{}`: {}", plugin.id, first_line(plugin.docs));
        Some(ResourceTemplate::new(template, format!("{}.{FILES}", plugin.id)).with_description(docs))
    });
    with_arguments
        .map(|route| {
            let made = ResourceTemplate::new(template(route), name(route)).with_title(title(route));
            let made = made.with_description(route.decl.docs);
            match (route.decl.output)().shape.media_type {
                Some(media_type) => made.with_mime_type(media_type),
                None => made,
            }
        })
        .chain(files)
        .collect()
}

/// Reads a resource; `None` if there is none of that name.
///
/// # Errors
///
/// What the route returned, and `no_resource` if it answers with something that cannot be read as a whole.
pub(super) async fn read(
    kernel: &Kernel,
    caller: &Caller,
    limits: &Limits,
    uri: &str,
) -> Result<Option<ResourceContents>, Error> {
    match find(kernel, caller, uri) {
        Some(Place::Route { plugin, path, .. }) => {
            let FoundRoute::Route(route, given) = kernel.find_route(plugin.as_str(), "GET", &path) else { return Ok(None) };
            let url = Url::parse(uri).ok();
            let query = url.iter().flat_map(Url::query_pairs);
            let answer = kernel.route(route, Given::new(given, query, Map::new()), caller).await?;
            contents(answer, uri).map(Some)
        }
        Some(Place::File(plugin, path)) => {
            let read = kernel.read_shared(plugin.as_str(), &path, caller, limits.file_bytes).await;
            let (bytes, media_type) = read.map_err(|error| match error.code() {
                "too_large" => error.with_hint("the limit is `mcp.file_bytes`"),
                _ => error,
            })?;
            Ok(Some(content::contents(bytes, media_type, uri)))
        }
        None => Ok(None),
    }
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
    Ok(content::contents(bytes, &answer.media_type, uri))
}

fn file(file: &SharedFile) -> Resource {
    let (id, path) = (file.plugin.id, &file.entry.path);
    Resource::new(file_uri(id, path.as_str()), format!("{id}.{FILES}.{path}"))
        .with_title(path.name())
        .with_mime_type(file.media_type)
        .with_size(file.entry.bytes)
}

/// Returns `nekro://report/files/digests/a%20b.md`.
fn file_uri(plugin: &str, path: &str) -> String {
    let mut uri = Url::parse(&format!("{SCHEME}://{plugin}/{FILES}")).expect("an id is a host");
    if let Ok(mut parts) = uri.path_segments_mut() {
        parts.extend(path.split('/').filter(|part| !part.is_empty()));
    }
    uri.into()
}

/// Returns `nekro://report/files/digests/{+path}`; `None` for what is one file.
fn file_template(plugin: &str, place: &str, session: Option<&SessionId>) -> Option<String> {
    let place = match session.map(SandboxPath::of_session) {
        Some(Ok(own)) => place.replace("{session}", own.as_str()),
        _ => place.to_owned(),
    };
    let (above, last) = place.rsplit_once('/').unwrap_or(("", &place));
    Some(match last.matches('*').count() {
        0 if last.contains('.') => return None,
        0 => format!("{}/{{+path}}", file_uri(plugin, &place)),
        1 => format!("{}/{}", file_uri(plugin, above), last.replace('*', "{name}")),
        _ => format!("{}/{{name}}", file_uri(plugin, above)),
    })
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
    use std::sync::Arc;

    use expect_test::{Expect, expect};
    use nekro_core::{FilePlace, FilesPort, WriteHow, testing::Host};

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
    fn a_file_has_a_name_that_can_be_read_again() {
        assert_eq!(file_uri("report", "a b/c%3a1/d.md"), "nekro://report/files/a%20b/c%253a1/d.md");
        assert_eq!(decoded("c%253a1"), "c%3a1");
    }

    #[test]
    fn what_a_plugin_shows_is_a_template() {
        let template = |place| file_template("report", place, Some(&"chat:1".into()));
        assert_eq!(template("digests").as_deref(), Some("nekro://report/files/digests/{+path}"));
        assert_eq!(template("a/*.md").as_deref(), Some("nekro://report/files/a/{name}.md"));
        assert_eq!(template("*-*").as_deref(), Some("nekro://report/files/{name}"));
        assert_eq!(template("a/{session}").as_deref(), Some("nekro://report/files/a/chat%253a1/{+path}"));
        assert_eq!(template("a/b.md"), None);
    }

    /// An agent with three digests of a conversation and one of another.
    fn host() -> Host {
        let decl = nekro_plugins::PLUGINS.iter().find(|decl| decl.id == "report").expect("it is bundled");
        let host = Host::builder_of(decl).start();
        let port = Arc::clone(host.kernel().ports().get::<dyn FilesPort>().expect("a port"));
        for (path, bytes) in [
            ("digests/chat%3a1/a b.md", b"# Tea".to_vec()),
            ("digests/chat%3a1/c", vec![0xff; 9]),
            ("digests/chat%3a1/d.txt", b"long enough".to_vec()),
            ("digests/chat%3a2/x.md", b"a secret".to_vec()),
            ("secret.md", b"a secret".to_vec()),
        ] {
            let written = port.write(&FilePlace::Own("report".into()), &path.parse().expect("a path"), bytes, WriteHow::Create);
            host.run(written).expect("it is written");
        }
        host
    }

    fn client() -> Caller {
        Caller::new(nekro_core::Origin::McpClient, nekro_core::Role::User).in_session("chat:1")
    }

    #[test]
    fn files_are_listed_page_by_page() {
        let (host, limits) = (host(), Limits { page: 2, ..Limits::default() });
        let page = |after: Option<&str>| host.run(list(host.kernel(), &client(), &limits, after));
        let (first, next) = page(None).expect("a page");
        let names = |page: &[Resource]| page.iter().map(|one| one.uri.clone()).collect::<Vec<_>>();
        let begin = "nekro://report/files/digests/chat%253a1";
        assert_eq!(names(&first), [format!("{begin}/a%20b.md"), format!("{begin}/c")]);
        let (second, last) = page(next.as_deref()).expect("a page");
        assert_eq!((names(&second), last), (vec![format!("{begin}/d.txt")], None));
        assert!(page(Some("7")).expect_err("there is none").message.contains("there is no page `7`"));
        let templates = templates(host.kernel(), &client());
        assert_eq!(templates[0].uri_template, "nekro://report/files/digests/chat%253a1/{+path}");
    }

    #[test]
    fn a_file_is_text_or_bytes_and_not_too_large() {
        let (host, limits) = (host(), Limits { file_bytes: 10, ..Limits::default() });
        let read = |path: &str| {
            let uri = format!("nekro://report/files/{path}");
            match host.run(read(host.kernel(), &client(), &limits, &uri)) {
                Ok(Some(contents)) => serde_json::to_string(&contents).expect("plain data").replace(&uri, "…"),
                Ok(None) => "none".to_owned(),
                Err(error) => format!("{} {}", error.code(), error.hint().unwrap_or_default()),
            }
        };
        let check = |path: &str, expected: Expect| expected.assert_eq(&read(path));
        check(
            "digests/chat%253a1/a%20b.md",
            expect![[r##"{"uri":"…","mimeType":"text/markdown; charset=utf-8","text":"# Tea"}"##]],
        );
        check("digests/chat%253a1/c", expect![[r#"{"uri":"…","mimeType":"application/octet-stream","blob":"////////////"}"#]]);
        check("digests/chat%253a1/d.txt", expect!["too_large the limit is `mcp.file_bytes`"]);
        check("digests/chat%253a1/none.md", expect!["not_found "]);
        for hidden in [
            "digests/chat%253a2/x.md",
            "digests/chat%253a1/../chat%253a2/x.md",
            "digests/chat%253a1%2F..%2Fchat%253a2/x.md",
            "digests/chat%253a1/%2e%2e/%2e%2e/secret.md",
            "secret.md",
            "../secret.md",
            "",
        ] {
            assert_eq!(read(hidden), "none", "{hidden}");
        }
    }

    #[test]
    fn a_part_of_a_path_is_decoded() {
        assert_eq!(decoded("a%20b+c&d%2Fe=f"), "a b+c&d/e=f");
    }
}

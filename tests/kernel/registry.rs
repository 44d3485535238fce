//! What does not fit together is reported, all of it; what does is sorted.

use std::any::TypeId;

use expect_test::{Expect, expect};
use nekro_core::{
    Body, CapabilityDecl, CommandDecl, ConfigDecl, Effect, Error, HookDecl, Kind, LentDecl, LentKind, Location, Method,
    OutputDecl, PlaceDecl, PluginDecl, Role, RouteDecl, RouteOutput, ScopeDecl, ToolDecl, When,
    event::{EventDecl, Sort},
    kernel::{Declarations, Registry},
    web::Shape,
};
use proptest::{prelude::*, sample::Index};

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn at(line: u32) -> Location {
    Location { file: "lib.rs", line }
}

fn plugin(id: &'static str, version: &'static str, requires: &'static [&'static str], line: u32) -> &'static PluginDecl {
    leak(plugin_decl(id, version, requires, line))
}

fn plugin_decl(id: &'static str, version: &'static str, requires: &'static [&'static str], line: u32) -> PluginDecl {
    PluginDecl {
        id,
        docs: "A plugin.",
        title: None,
        category: None,
        version,
        authors: "",
        license: "",
        repository: "",
        package: id,
        requires,
        scopes: &[],
        migrations: &[],
        location: at(line),
        config: ConfigDecl { read: |_| Ok(Box::new(())), schema: None },
    }
}

fn tool(plugin: &'static PluginDecl, name: &'static str, line: u32) -> &'static ToolDecl {
    leak(tool_decl(plugin, name, line))
}

fn tool_decl(plugin: &'static PluginDecl, name: &'static str, line: u32) -> ToolDecl {
    ToolDecl {
        plugin,
        name,
        docs: "A tool.",
        category: None,
        tags: &[],
        effect: Effect::default(),
        when: None,
        deadline: None,
        arguments: &[],
        lent: &[],
        output: || OutputDecl { kind: Kind::Value, schema: |_| None },
        check: |_| Ok(()),
        body: Body::Sync(|_| Err(Error::new("not called here"))),
        location: at(line),
    }
}

fn command(plugin: &'static PluginDecl, name: &'static str, aliases: &'static [&'static str], line: u32) -> &'static CommandDecl {
    leak(CommandDecl {
        plugin,
        name,
        aliases,
        docs: "A command.",
        role: Role::User,
        deadline: None,
        arguments: &[],
        lent: &[],
        body: Body::Sync(|_| Err(Error::new("not called here"))),
        location: at(line),
    })
}

fn hook(plugin: &'static PluginDecl, when: When, line: u32) -> &'static HookDecl {
    leak(HookDecl { plugin, when, lent: &[], body: Body::Sync(|_| Err(Error::new("not called here"))), location: at(line) })
}

fn event(plugin: &'static PluginDecl, name: &'static str, line: u32) -> &'static EventDecl {
    leak(EventDecl {
        plugin: Some(plugin),
        name,
        docs: "An event.",
        sort: Sort::Fact,
        type_id: TypeId::of::<()>,
        schema: |_| schemars::json_schema!(true),
        trigger: |_, _, _| Box::pin(std::future::ready(Ok(serde_json::Value::Null))),
        location: at(line),
    })
}

#[track_caller]
fn check(declarations: Declarations, expected: Expect) {
    let problems = Registry::new(declarations).expect_err("it does not fit together").to_string();
    expected.assert_eq(&problems);
}

fn plugins(plugins: impl IntoIterator<Item = &'static PluginDecl>) -> Declarations {
    let mut declarations = Declarations::default();
    declarations.plugins.extend(plugins);
    declarations
}

fn route_decl(plugin: &'static PluginDecl, method: Method, path: &'static str, line: u32) -> RouteDecl {
    RouteDecl {
        plugin,
        name: "route",
        method,
        path,
        docs: "A route.",
        role: None,
        resource: false,
        changed_by: None,
        deadline: None,
        arguments: &[],
        lent: &[],
        output: || RouteOutput { shape: Shape::new(200, Some("application/json")), schema: |_| None },
        body: Body::Sync(|_| Err(Error::new("not called here"))),
        place: PlaceDecl::default(),
        location: at(line),
    }
}

fn route(plugin: &'static PluginDecl, method: Method, path: &'static str, line: u32) -> &'static RouteDecl {
    leak(route_decl(plugin, method, path, line))
}

#[test]
fn two_routes_of_one_method_and_path_are_a_problem() {
    let (a, b) = (plugin("a", "1.0.0", &[], 1), plugin("b", "1.0.0", &[], 2));
    let mut declarations = plugins([a, b]);
    declarations.routes.extend([
        route(a, Method::Get, "/boards/{id}", 10),
        route(a, Method::Get, "/boards/{name}", 11),
        // These differ.
        route(a, Method::Post, "/boards/{id}", 12),
        route(a, Method::Get, "/boards/new", 13),
        route(b, Method::Get, "/boards/{id}", 14),
    ]);
    check(
        declarations,
        expect![[r#"
            the linked plugins do not fit together
              - two routes are called `GET /p/a/boards/{}`: at lib.rs:10 and at lib.rs:11
                (rename one of them, or leave its plugin out of the bundle)"#]],
    );
}

#[test]
fn a_route_that_people_could_not_find_or_that_answers_otherwise_is_a_problem() {
    let a = plugin("a", "1.0.0", &[], 1);
    let mut declarations = plugins([a]);
    let routed = |method, path, shape: fn() -> RouteOutput, nav, line| {
        let place = PlaceDecl { nav, ..PlaceDecl::default() };
        leak(RouteDecl { output: shape, place, ..route_decl(a, method, path, line) })
    };
    let json = || RouteOutput { shape: Shape::new(200, Some("application/json")), schema: |_| None };
    let page = || RouteOutput { shape: Shape::new(200, Some("text/html")), schema: |_| None };
    let router = || RouteOutput { shape: Shape::router(), schema: |_| None };
    declarations.routes.extend([
        routed(Method::Any, "/a", json, None, 1),
        routed(Method::Get, "/b", router, None, 2),
        routed(Method::Get, "/c", json, Some("Numbers"), 3),
        // These fit.
        routed(Method::Any, "/d", router, None, 4),
        routed(Method::Get, "/e", page, Some("Boards"), 5),
    ]);
    check(
        declarations,
        expect![[r#"
        the linked plugins do not fit together
          - the route at lib.rs:1, of the plugin `a`, has the method `ANY` and returns no router
            (return a router, such as `nekro_axum::Routes`, or name the method)
          - the route at lib.rs:2, of the plugin `a`, returns a router, which answers every method
            (write `#[route(ANY, …)]`)
          - the route at lib.rs:3, of the plugin `a`, is in the navigation, and is no page
            (return `Html`, or leave out `nav`)"#]],
    );
}

#[test]
fn a_scope_that_is_missing_or_unused_is_a_problem() {
    static SHELL: CapabilityDecl = CapabilityDecl {
        name: "process",
        summary: "runs programs",
        scope: Some("add `process = [\"git\"]` to its `#[plugin]`"),
        provided: |_| true,
    };
    // It reaches something also where nothing is declared.
    static FILES: CapabilityDecl = CapabilityDecl { name: "files", summary: "reads files", scope: None, provided: |_| true };
    const LENT: &[LentDecl] = &[
        LentDecl { capability: Some(&SHELL), kind: LentKind::Capability },
        LentDecl { capability: Some(&FILES), kind: LentKind::Capability },
    ];
    let takes = |plugin, line| leak(ToolDecl { lent: LENT, ..tool_decl(plugin, "run", line) });
    let scoped = |id, scopes, line| leak(PluginDecl { scopes, ..plugin_decl(id, "1.0.0", &[], line) });
    let git = ScopeDecl { capability: "process", entries: &["git"] };
    let data = ScopeDecl { capability: "files", entries: &["/srv/data"] };
    let (good, silent) = (scoped("good", leak([git]), 1), plugin("silent", "1.0.0", &[], 2));
    let (boastful, both) = (scoped("boastful", leak([git, data]), 3), scoped("both", leak([git, data]), 4));
    let mut declarations = plugins([good, silent, boastful, both]);
    declarations.tools = vec![takes(good, 10), takes(silent, 20), takes(both, 40)];
    check(
        declarations,
        expect![[r#"
        the linked plugins do not fit together
          - lib.rs:20 takes `process`, and the plugin `silent` does not say how far that reaches
            (add `process = ["git"]` to its `#[plugin]`)
          - the plugin `boastful` at lib.rs:3 says how far `process` reaches, and none of its functions takes that
            (remove `process` from its `#[plugin]`)
          - the plugin `boastful` at lib.rs:3 says how far `files` reaches, and none of its functions takes that
            (remove `files` from its `#[plugin]`)"#]],
    );
}

#[test]
fn every_problem_is_reported_at_once() {
    let (a, b, ghost) =
        (plugin("a", "1.2.0", &["b ^2", "c", "a b c"], 1), plugin("b", "1.0.0", &[], 2), plugin("ghost", "1.0.0", &[], 9));
    let mut declarations = plugins([a, b, plugin("b", "1.0.1", &[], 3)]);
    declarations.tools = vec![tool(a, "roll", 10), tool(a, "roll", 11), tool(ghost, "haunt", 12)];
    declarations.commands =
        vec![command(a, "roll", &["r"], 20), command(b, "reset", &["r", "roll"], 21), command(ghost, "boo", &[], 22)];
    declarations.hooks = vec![hook(a, When::Init, 30), hook(a, When::Cleanup, 31), hook(a, When::Init, 32)];
    declarations.events = vec![event(a, "rolled", 40), event(a, "rolled", 41)];
    check(
        declarations,
        expect![[r#"
            the linked plugins do not fit together
              - two plugins are called `b`: at lib.rs:2 and at lib.rs:3
                (leave one of them out, or give one another `id` in `#[plugin]`; if they are two versions of one package, `cargo tree --duplicates` shows who asks for which)
              - lib.rs:12 belongs to the plugin `ghost`, which is not linked
                (name the plugin `ghost` in `bundle!`)
              - lib.rs:22 belongs to the plugin `ghost`, which is not linked
                (name the plugin `ghost` in `bundle!`)
              - two tools are called `a.roll`: at lib.rs:10 and at lib.rs:11
                (rename one of them, or leave its plugin out of the bundle)
              - two commands are called `r`: at lib.rs:20 and at lib.rs:21
                (rename one of them, or leave its plugin out of the bundle)
              - two commands are called `roll`: at lib.rs:20 and at lib.rs:21
                (rename one of them, or leave its plugin out of the bundle)
              - two events are called `a.rolled`: at lib.rs:40 and at lib.rs:41
                (rename one of them, or leave its plugin out of the bundle)
              - the plugin `a` requires `b ^2`, but `b` is linked in version 1.0.1
                (add that plugin to the bundle, in a version that fits)
              - the plugin `a` requires `c`, but no such plugin is linked
                (add that plugin to the bundle, in a version that fits)
              - the plugin `a` requires `a b c`, which cannot be read: unexpected character 'b' while parsing major version number
                (write it like `notes ^1`)
              - two `#[init]` functions are called `a`: at lib.rs:30 and at lib.rs:32
                (a plugin has one of these: put them together)"#]],
    );
}

#[test]
fn a_circle_is_reported_without_those_that_only_lead_into_it() {
    check(
        plugins([
            plugin("a", "1.0.0", &["b"], 1),
            plugin("b", "1.0.0", &["c"], 2),
            plugin("c", "1.0.0", &["a"], 3),
            plugin("d", "1.0.0", &["a", "e"], 4),
            plugin("e", "1.0.0", &[], 5),
            plugin("narcissus", "1.0.0", &["narcissus ^1"], 6),
        ]),
        expect![[r#"
            the linked plugins do not fit together
              - plugins require one another in a circle: a, b, c
                (remove one of the requirements)
              - plugins require one another in a circle: narcissus
                (remove one of the requirements)"#]],
    );
}

#[test]
fn a_requirement_without_its_space_is_explained() {
    check(
        plugins([
            plugin("notes", "1.0.0", &[], 1),
            plugin("b", "1.0.0", &["notes^1"], 2),
            plugin("c", "1.0.0", &["notes 1.x.y"], 3),
        ]),
        expect![[r#"
            the linked plugins do not fit together
              - the plugin `b` requires `notes^1`, but no such plugin is linked: did you mean `notes`?
                (add that plugin to the bundle, in a version that fits)
              - the plugin `c` requires `notes 1.x.y`, which cannot be read: unexpected character after wildcard in version req
                (write it like `notes ^1`)"#]],
    );
}

#[test]
fn tools_plugins_commands_and_events_are_found_by_name() {
    let registry = Registry::linked().expect("the fixtures fit together");
    assert_eq!(registry.tool("alpha.typed").map(|tool| tool.decl.name), Some("typed"));
    assert!(registry.tool("typed").is_none() && registry.tool("").is_none() && registry.tool("alpha.").is_none());
    assert_eq!(registry.command("d").map(|command| command.decl.name), Some("do"));
    assert_eq!(registry.plugin("beta").map(|plugin| plugin.decl.requires), Some(&["alpha ^0.1"][..]));
    assert!(registry.plugin("gamma").is_none());
    assert_eq!(registry.event("alpha.poke").map(|event| event.decl.sort), Some(Sort::Fact));
    let capabilities: Vec<_> = registry.plugin("alpha").expect("linked").capabilities.iter().map(|one| one.name).collect();
    assert_eq!(capabilities, ["events", "store"]);
}

/// Everything that can be seen of a registry, in its order.
fn describe(registry: &Registry) -> String {
    let plugins: Vec<_> = registry.plugins().iter().map(|plugin| (plugin.decl.id, &plugin.requires)).collect();
    let tools: Vec<_> = registry.tools().iter().map(|tool| &tool.name).collect();
    let commands: Vec<_> = registry.commands().iter().map(|command| command.decl.name).collect();
    let prompts: Vec<_> = registry.prompts().map(|prompt| prompt.name).collect();
    let handlers = |event: &nekro_core::kernel::EventEntry| event.handlers().map(|handler| handler.name).collect::<Vec<_>>();
    let events: Vec<_> = registry.events().iter().map(|event| (&event.name, handlers(event))).collect();
    format!("{plugins:?} {tools:?} {commands:?} {prompts:?} {events:?}")
}

/// Puts a list into an order that the numbers choose.
fn shuffle<T>(items: &mut [T], by: &[Index]) {
    for (at, index) in by.iter().enumerate().take(items.len()) {
        items.swap(at, index.index(items.len()));
    }
}

proptest! {
    #[test]
    fn the_order_of_registration_does_not_matter(by in proptest::collection::vec(any::<Index>(), 64)) {
        let mut shuffled = Declarations::linked();
        shuffle(&mut shuffled.plugins, &by);
        shuffle(&mut shuffled.tools, &by);
        shuffle(&mut shuffled.handlers, &by);
        shuffle(&mut shuffled.commands, &by);
        shuffle(&mut shuffled.prompts, &by);
        shuffle(&mut shuffled.hooks, &by);
        shuffle(&mut shuffled.events, &by);
        let (sorted, shuffled) = (Registry::linked().expect("it fits"), Registry::new(shuffled).expect("it fits"));
        prop_assert_eq!(describe(&sorted), describe(&shuffled));
    }

    #[test]
    fn problems_are_reported_in_the_same_order_too(by in proptest::collection::vec(any::<Index>(), 8)) {
        let (a, b) = (plugin("a", "1.0.0", &["x"], 1), plugin("b", "1.0.0", &["a ^2"], 2));
        let mut declarations = plugins([a, b, plugin("b", "1.0.0", &[], 3)]);
        declarations.tools = vec![tool(a, "roll", 10), tool(a, "roll", 11), tool(b, "roll", 12), tool(b, "roll", 13)];
        declarations.events = vec![event(a, "rolled", 40), event(a, "rolled", 41), event(b, "rolled", 42)];
        let straight = Registry::new(declarations.clone()).expect_err("it does not fit").to_string();
        shuffle(&mut declarations.tools, &by);
        shuffle(&mut declarations.events, &by);
        prop_assert_eq!(straight, Registry::new(declarations).expect_err("it does not fit").to_string());
    }
}

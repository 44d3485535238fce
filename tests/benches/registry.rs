//! What start-up costs: reading and checking the declarations, and starting the plugins; and looking a tool up.

mod handlers;
mod measure;

use std::hint::black_box;

use handlers::declarations;
use measure::Table;
use nekro_core::{
    Body, PluginDecl, ToolDecl,
    kernel::{Declarations, Kernel, Registry},
    prelude::{plugin, tool},
};

/// What is measured.
#[plugin]
pub struct Measured;

/// Answers.
#[tool]
fn ping() -> bool {
    true
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without sockets");
    let mut table = Table::new("registry", &["At start", "time", "goal"]);
    for (handlers, plugins, goal) in
        [(10, 1, "–"), (1_000, 10, "–"), (1_000, 1_000, "5 ms"), (10_000, 100, "–"), (10_000, 1_000, "–")]
    {
        let row = format!("registry of {handlers} handlers in {plugins} plugins").replace("in 1 plugins", "in 1 plugin");
        if table.wants(&row) {
            let declarations = declarations("weigh_sync", handlers, plugins);
            table.time(&row, goal, || drop(black_box(registry(&declarations))));
        }
    }
    let plugins = with_tools(1_000, 1_000);
    table.time("registry of 1000 tools in 1000 plugins", "5 ms", || drop(black_box(registry(&plugins))));
    table.time("registry and start of 1000 plugins", "–", || {
        let kernel = runtime.block_on(Kernel::builder(registry(&plugins)).start()).expect("there is a runtime");
        black_box(kernel);
    });
    let tools = registry(&with_tools(10_000, 100));
    let names: Vec<_> = tools.tools().iter().map(|tool| tool.name.clone()).collect();
    let mut next = names.iter().cycle();
    table.time("finding one of 10000 tools by its name", "–", || {
        black_box(tools.tool(black_box(next.next().expect("it begins again"))));
    });
    table.finish();
}

fn registry(declarations: &Declarations) -> Registry {
    Registry::new(declarations.clone()).expect("the declarations fit together")
}

/// Declares this many tools like `ping`, in this many plugins.
fn with_tools(tools: usize, plugins: usize) -> Declarations {
    let mut all = declarations("weigh_sync", 0, plugins);
    let original = all.tools[0];
    let Body::Sync(body) = original.body else { unreachable!("`ping` is a plain function") };
    let owners: Vec<&'static PluginDecl> =
        all.plugins.iter().copied().filter(|plugin| plugin.id.starts_with("plugin_")).collect();
    all.tools = (0..tools)
        .map(|at| {
            let name = format!("tool_{at:05}").leak();
            &*Box::leak(Box::new(ToolDecl { plugin: owners[at % plugins], name, body: Body::Sync(body), ..*original }))
        })
        .collect();
    all
}

//! The declarations that attributes made, as they are found.

use crate::{
    command::CommandDecl, event::EventDecl, handler::HandlerDecl, init::HookDecl, plugin::PluginDecl, prompt::PromptDecl,
    route::RouteDecl, schedule::ScheduleDecl, task::TaskDecl, tool::ToolDecl, webhook::WebhookDecl,
};

/// The declarations that a registry is made of.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Declarations {
    /// The plugins.
    pub plugins: Vec<&'static PluginDecl>,
    /// Their tools.
    pub tools: Vec<&'static ToolDecl>,
    /// Their event handlers.
    pub handlers: Vec<&'static HandlerDecl>,
    /// Their commands.
    pub commands: Vec<&'static CommandDecl>,
    /// Their prompt sections.
    pub prompts: Vec<&'static PromptDecl>,
    /// Their tasks.
    pub tasks: Vec<&'static TaskDecl>,
    /// Their routes.
    pub routes: Vec<&'static RouteDecl>,
    /// Their webhooks.
    pub webhooks: Vec<&'static WebhookDecl>,
    /// Their schedules.
    pub schedules: Vec<&'static ScheduleDecl>,
    /// Their `#[init]` and `#[cleanup]` functions.
    pub hooks: Vec<&'static HookDecl>,
    /// The events: the agent's own and those that plugins export.
    pub events: Vec<&'static EventDecl>,
}

impl Declarations {
    /// Reads what is linked into this program.
    pub fn linked() -> Self {
        Self {
            plugins: inventory::iter::<&PluginDecl>.into_iter().copied().collect(),
            tools: inventory::iter::<&ToolDecl>.into_iter().copied().collect(),
            handlers: inventory::iter::<&HandlerDecl>.into_iter().copied().collect(),
            commands: inventory::iter::<&CommandDecl>.into_iter().copied().collect(),
            prompts: inventory::iter::<&PromptDecl>.into_iter().copied().collect(),
            tasks: inventory::iter::<&TaskDecl>.into_iter().copied().collect(),
            routes: inventory::iter::<&RouteDecl>.into_iter().copied().collect(),
            webhooks: inventory::iter::<&WebhookDecl>.into_iter().copied().collect(),
            schedules: inventory::iter::<&ScheduleDecl>.into_iter().copied().collect(),
            hooks: inventory::iter::<&HookDecl>.into_iter().copied().collect(),
            events: inventory::iter::<&EventDecl>.into_iter().copied().collect(),
        }
    }
}

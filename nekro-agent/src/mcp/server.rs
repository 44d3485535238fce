//! Answering a client: one method to a request of the protocol.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use nekro_core::{
    Caller, Error,
    kernel::{Kernel, Tool},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        ArgumentInfo, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo,
        CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Reference, ServerCapabilities, ServerConfig,
        SubscriptionFilter,
    },
    service::{NotificationContext, RequestContext, ServerInitializeError, SubscriptionContext},
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Changes, Limits,
    approval::{Asker, Questions},
    lines::Lines,
    log::{self, Log},
    progress, prompts, resources,
    tools::{self, Described},
};
use crate::ports::Outbox;

/// An MCP server: the tools, commands and prompt sections of an agent, for one caller. Clones serve the same.
#[derive(Clone)]
pub struct Server(Handler);

/// What answers. The SDK's trait is not part of what [`Server`] promises.
#[derive(Clone)]
pub(crate) struct Handler(Arc<Inner>, Arc<Log>);

/// Who is asking.
pub(super) enum Who {
    /// One caller, whatever is asked.
    One(Caller),
    /// Whoever a request says, which came over HTTP.
    #[cfg(feature = "http")]
    OfRequest,
}

struct Inner {
    kernel: Kernel,
    who: Who,
    changes: Arc<Changes>,
    outbox: Option<Arc<Outbox>>,
    questions: Questions,
    // By name; made when somebody first asks for it.
    tools: HashMap<String, OnceLock<Described>>,
}

impl Server {
    /// Serves what a caller may see. The caller's origin should be `McpClient`, for that is what a policy knows.
    pub fn new(kernel: Kernel, caller: Caller) -> Self {
        Self::with(kernel, caller, Arc::default(), None)
    }

    pub(super) fn with(kernel: Kernel, caller: Caller, changes: Arc<Changes>, outbox: Option<Arc<Outbox>>) -> Self {
        Self(Handler::new(kernel, Who::One(caller), changes, outbox))
    }

    /// Serves one client over a stream of lines, until it ends the input.
    ///
    /// # Errors
    ///
    /// If the client does not speak the protocol, or cannot be written to while it begins.
    pub async fn serve<R, W>(&self, input: R, output: W, limits: Limits) -> std::io::Result<()>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        match rmcp::serve_server(self.0.for_client(limits.log_per_second), Lines::new(input, output, limits)).await {
            Ok(serving) => serving.waiting().await.map(drop).map_err(std::io::Error::other),
            // It left before it said anything, which is its right.
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(std::io::Error::other(error)),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Handler {
    pub(super) fn new(kernel: Kernel, who: Who, changes: Arc<Changes>, outbox: Option<Arc<Outbox>>) -> Self {
        let tools = kernel.registry().tools().iter().map(|tool| (tool.name.clone(), OnceLock::new())).collect();
        let inner = Inner { kernel, who, changes, outbox, questions: Questions::default(), tools };
        Self(Arc::new(inner), Arc::new(Log::new(0)))
    }

    /// Serves the same to one more client, which is told so many entries of the log in a second at most.
    pub(super) fn for_client(&self, log_per_second: u32) -> Self {
        Self(Arc::clone(&self.0), Arc::new(Log::new(log_per_second)))
    }

    /// Returns who is asking.
    fn caller<'a>(&'a self, context: &'a RequestContext<RoleServer>) -> Result<&'a Caller, ErrorData> {
        #[cfg(not(feature = "http"))]
        let _ = context;
        match &self.0.who {
            Who::One(caller) => Ok(caller),
            #[cfg(feature = "http")]
            Who::OfRequest => {
                let parts = context.extensions.get::<axum::http::request::Parts>();
                let asking = parts.and_then(|parts| parts.extensions.get::<super::Asking>());
                asking.map(|asking| &asking.0).ok_or_else(|| ErrorData::internal_error("nobody is known to be asking", None))
            }
        }
    }

    /// Describes a tool: of a linked one that is done once, an offered one may be another the next time.
    fn described(&self, tool: &Tool<'_>) -> Cow<'_, Described> {
        match self.0.tools.get(tool.name()).filter(|_| tool.entry().is_some()) {
            Some(slot) => Cow::Borrowed(slot.get_or_init(|| Described::new(tool))),
            None => Cow::Owned(Described::new(tool)),
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities =
            ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().enable_completions().build();
        capabilities.logging = Some(JsonObject::default());
        if let Some(tools) = &mut capabilities.tools {
            tools.list_changed = Some(true);
        }
        if let Some(resources) = &mut capabilities.resources {
            resources.list_changed = Some(true);
        }
        if let Some(prompts) = &mut capabilities.prompts {
            prompts.list_changed = Some(true);
        }
        ServerConfig::new(capabilities).with_server_info(Implementation::new("nekro", env!("CARGO_PKG_VERSION")))
    }

    #[expect(deprecated, reason = "clients ask for the log until the protocol has given it up")]
    async fn set_level(
        &self,
        request: rmcp::model::SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if log::is_without_handshake(&context) {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "there is no method `logging/setLevel`", None));
        }
        self.1.set(request.level);
        Ok(())
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        only_page(page.as_ref())?;
        let (kernel, caller) = (&self.0.kernel, self.caller(&context)?);
        let tools = kernel.tools(caller).map(|tool| self.described(&tool).tool.clone());
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Inner { kernel, questions, outbox, .. } = &*self.0;
        let caller = self.caller(&context)?;
        let arguments = match &request.arguments {
            Some(arguments) => {
                serde_json::to_string(arguments).map_err(|error| ErrorData::invalid_params(error.to_string(), None))?
            }
            None => String::new(),
        };
        let asker = Asker::new(&request, &context, questions);
        let call = progress::told(kernel, &request.name, &context, kernel.call(&request.name, &arguments, caller));
        let call = asker.scope(questions, self.1.told(&context, call));
        let reply = tokio::select! {
            biased;
            reply = call => reply,
            // Dropping the call is what ends it.
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the call was cancelled", None)),
        };
        let mut result = match reply {
            Err(question) => return Ok(question.into()),
            Ok(Ok(reply)) => match kernel.tool(&request.name) {
                Some(tool) => self.described(&tool).result(reply),
                None => return Err(unknown(&Error::new(format!("there is no tool `{}`", request.name)))),
            },
            Ok(Err(error)) if error.code() == "unknown_tool" => return Err(unknown(&error)),
            Ok(Err(error)) => tools::failure(&error),
        };
        if let Some(outbox) = outbox {
            result.content.extend(tools::messages(outbox.take()));
        }
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        only_page(page.as_ref())?;
        Ok(ListPromptsResult::with_all_items(prompts::list(&self.0.kernel, self.caller(&context)?)))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let made = prompts::get(&self.0.kernel, self.caller(&context)?, &request.name, request.arguments.as_ref());
        let made = self.1.told(&context, made);
        let made = tokio::select! {
            biased;
            made = made => made,
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the request was cancelled", None)),
        };
        match made {
            Ok(Some(prompt)) => Ok(prompt.into()),
            Ok(None) => Err(ErrorData::invalid_params(format!("there is no prompt `{}`", request.name), None)),
            Err(error) => Err(ErrorData::new(code_of(&error), told(&error), data(&error))),
        }
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        only_page(page.as_ref())?;
        Ok(ListResourcesResult::with_all_items(resources::list(&self.0.kernel, self.caller(&context)?)))
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        only_page(page.as_ref())?;
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates(&self.0.kernel, self.caller(&context)?)))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = &request.uri;
        let read = self.1.told(&context, resources::read(&self.0.kernel, self.caller(&context)?, uri));
        let read = tokio::select! {
            biased;
            read = read => read,
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the request was cancelled", None)),
        };
        match read {
            Ok(Some(contents)) => Ok(ReadResourceResult::new(vec![contents]).into()),
            Ok(None) => Err(ErrorData::resource_not_found(format!("there is no resource `{uri}`"), None)),
            Err(error) if matches!(error.code(), "not_found" | "unknown_route" | "no_resource") => {
                Err(ErrorData::resource_not_found(told(&error), data(&error)))
            }
            Err(error) => Err(ErrorData::new(code_of(&error), told(&error), data(&error))),
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let caller = self.caller(&context)?;
        let mut words = match &request.r#ref {
            Reference::Prompt(prompt) => {
                prompts::complete(&self.0.kernel, caller, &prompt.name, &request.argument.name, &request.argument.value)
            }
            Reference::Resource(template) => {
                let ArgumentInfo { name, value, .. } = &request.argument;
                resources::complete(&self.0.kernel, caller, &template.uri, name, value)
            }
            _ => Vec::new(),
        };
        let total = words.len();
        words.truncate(CompletionInfo::MAX_VALUES);
        let more = words.len() < total;
        let mut completion = CompletionInfo::new(words).unwrap_or_default();
        completion.total = u32::try_from(total).ok();
        completion.has_more = Some(more);
        Ok(CompleteResult::new(completion))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let mut changes = self.0.changes.follow();
        drop(tokio::spawn(async move {
            // Until the client has gone.
            while changes.changed().await.is_ok() {
                if context.peer.notify_tool_list_changed().await.is_err()
                    || context.peer.notify_prompt_list_changed().await.is_err()
                    || context.peer.notify_resource_list_changed().await.is_err()
                {
                    return;
                }
            }
        }));
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.0.changes.follow();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    // What was not asked for is refused here, and is no failure.
                    let _ = context.sink().notify_tool_list_changed().await;
                    let _ = context.sink().notify_prompt_list_changed().await;
                    let _ = context.sink().notify_resource_list_changed().await;
                }
            }
        }
    }

    async fn on_custom_request(&self, request: CustomRequest, _: RequestContext<RoleServer>) -> Result<CustomResult, ErrorData> {
        // What the SDK cannot read comes here, too.
        const OURS: [&str; 11] = [
            "initialize",
            "tools/list",
            "tools/call",
            "prompts/list",
            "prompts/get",
            "resources/list",
            "resources/templates/list",
            "resources/read",
            "completion/complete",
            "logging/setLevel",
            "subscriptions/listen",
        ];
        Err(if OURS.contains(&request.method.as_str()) {
            ErrorData::invalid_params(format!("the parameters of `{}` are not what it takes", request.method), None)
        } else {
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("there is no method `{}`", request.method), None)
        })
    }
}

/// Everything is on the first page.
fn only_page(page: Option<&PaginatedRequestParams>) -> Result<(), ErrorData> {
    match page.and_then(|page| page.cursor.as_ref()) {
        None => Ok(()),
        Some(cursor) => Err(ErrorData::invalid_params(format!("there is no page `{cursor}`"), None)),
    }
}

fn unknown(error: &Error) -> ErrorData {
    ErrorData::invalid_params(told(error), data(error))
}

fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}: {hint}", error.message()),
        None => error.message().to_owned(),
    }
}

fn data(error: &Error) -> Option<Value> {
    Some(json!({ "error": serde_json::to_value(error).ok()? }))
}

fn code_of(error: &Error) -> ErrorCode {
    match error.code() {
        "invalid_arguments" | "unknown_command" | "forbidden" => ErrorCode::INVALID_PARAMS,
        _ => ErrorCode::INTERNAL_ERROR,
    }
}

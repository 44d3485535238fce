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
        ArgumentInfo, CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, CompleteRequestParams,
        CompleteResult, CompletionInfo, CreateTaskResult, CustomRequest, CustomResult, ErrorCode, Extensions,
        GetPromptRequestParams, GetPromptResponse, GetTaskMethod, GetTaskParams, GetTaskResult, Implementation, JsonObject,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Reference, ServerCapabilities, ServerConfig,
        SubscribeRequestParams, SubscriptionFilter, TASKS_EXTENSION_ID, UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, ServerInitializeError, SubscriptionContext},
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Changes, Limits,
    elicit::{Calls, What},
    follower::Follower,
    lines::Lines,
    log::{self, Log},
    news, progress, prompts, resources,
    tasks::{self, Tasks},
    tools::{self, Described},
};
use crate::ports::Outbox;

/// An MCP server: the tools, commands and prompt sections of an agent, for one caller. Clones serve the same.
#[derive(Clone)]
pub struct Server(Handler);

/// What answers. The SDK's trait is not part of what [`Server`] promises.
#[derive(Clone)]
pub(crate) struct Handler {
    inner: Arc<Inner>,
    // These are one client's.
    follower: Arc<Follower>,
    log: Arc<Log>,
}

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
    // None where nobody would run them.
    tasks: Option<Tasks>,
    calls: Calls,
    // By name; made when somebody first asks for it.
    tools: HashMap<String, OnceLock<Described>>,
}

impl Server {
    /// Serves what a caller may see. The caller's origin should be `McpClient`, for that is what a policy knows.
    pub fn new(kernel: Kernel, caller: Caller) -> Self {
        Self::with(kernel, caller, Arc::default(), None, None)
    }

    pub(super) fn with(
        kernel: Kernel,
        caller: Caller,
        changes: Arc<Changes>,
        outbox: Option<Arc<Outbox>>,
        tasks: Option<Tasks>,
    ) -> Self {
        Self(Handler::new(kernel, Who::One(caller), changes, outbox, tasks))
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
        let handler = self.0.for_client(Arc::new(limits.clone()));
        match rmcp::serve_server(handler, Lines::new(input, output, limits)).await {
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
    pub(super) fn new(
        kernel: Kernel,
        who: Who,
        changes: Arc<Changes>,
        outbox: Option<Arc<Outbox>>,
        tasks: Option<Tasks>,
    ) -> Self {
        let tools = kernel.registry().tools().iter().map(|tool| (tool.name.clone(), OnceLock::new())).collect();
        let follower = Follower::new(kernel.clone(), Arc::default());
        let inner = Inner { kernel, who, changes, outbox, tasks, calls: Calls::default(), tools };
        Self { inner: Arc::new(inner), follower, log: Arc::new(Log::new(0)) }
    }

    /// Returns what answers one client more.
    pub(super) fn for_client(&self, limits: Arc<Limits>) -> Self {
        let log = Arc::new(Log::new(limits.log_per_second));
        Self { inner: Arc::clone(&self.inner), follower: Follower::new(self.inner.kernel.clone(), limits), log }
    }

    /// Returns who is asking.
    fn caller<'a>(&'a self, context: &'a RequestContext<RoleServer>) -> Result<&'a Caller, ErrorData> {
        self.caller_in(&context.extensions)
    }

    fn caller_in<'a>(&'a self, extensions: &'a Extensions) -> Result<&'a Caller, ErrorData> {
        #[cfg(not(feature = "http"))]
        let _ = extensions;
        match &self.inner.who {
            Who::One(caller) => Ok(caller),
            #[cfg(feature = "http")]
            Who::OfRequest => {
                let parts = extensions.get::<axum::http::request::Parts>();
                let asking = parts.and_then(|parts| parts.extensions.get::<super::Asking>());
                asking.map(|asking| &asking.0).ok_or_else(|| ErrorData::internal_error("nobody is known to be asking", None))
            }
        }
    }

    /// Returns the tasks, if there are any.
    fn tasks(&self) -> Result<&Tasks, ErrorData> {
        self.inner.tasks.as_ref().ok_or_else(ErrorData::method_not_found::<GetTaskMethod>)
    }

    /// Describes a tool: of a linked one that is done once, an offered one may be another the next time.
    fn described(&self, tool: &Tool<'_>) -> Cow<'_, Described> {
        match self.inner.tools.get(tool.name()).filter(|_| tool.entry().is_some()) {
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
            resources.subscribe = Some(true);
        }
        if let Some(prompts) = &mut capabilities.prompts {
            prompts.list_changed = Some(true);
        }
        if self.inner.tasks.is_some() {
            capabilities.extensions.get_or_insert_default().insert(TASKS_EXTENSION_ID.to_owned(), JsonObject::new());
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
        self.log.set(request.level);
        Ok(())
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        only_page(page.as_ref())?;
        let (kernel, caller) = (&self.inner.kernel, self.caller(&context)?);
        let gets_tasks = self.inner.tasks.is_some() && tasks::are_known_to(&context);
        let tools = kernel.tools(caller).map(|tool| match gets_tasks.then(|| tasks::described(kernel, &tool)).flatten() {
            Some(of_task) => of_task.tool,
            None => self.described(&tool).tool.clone(),
        });
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Inner { kernel, calls, outbox, .. } = &*self.inner;
        let caller = self.caller(&context)?;
        let arguments = match &request.arguments {
            Some(arguments) => {
                serde_json::to_string(arguments).map_err(|error| ErrorData::invalid_params(error.to_string(), None))?
            }
            None => String::new(),
        };
        let what = What { tool: request.name.to_string(), arguments, caller: caller.clone() };
        // Dropped when the request has its answer, which may be a question that the call goes on after.
        let answered = context.ct.child_token();
        let _answered = answered.clone().drop_guard();
        let call = {
            let (inner, log, what) = (Arc::clone(&self.inner), Arc::clone(&self.log), what.clone());
            let mut context = context.clone();
            context.ct = answered;
            async move {
                let call = inner.kernel.call(&what.tool, &what.arguments, &what.caller);
                log.told(&context, progress::told(&inner.kernel, &what.tool, &context, call)).await
            }
        };
        let call = calls.carry_out(self.follower.limits.waiting_calls, what, &request, &context, call);
        let reply = tokio::select! {
            biased;
            reply = call => reply,
            // Dropping the call is what ends it.
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the call was cancelled", None)),
        };
        if let (Some(tasks), Ok(Ok(reply))) = (&self.inner.tasks, &reply)
            && tasks::are_known_to(&context)
            && let Some(task) = tasks.started(kernel, &request.name, reply).await.map_err(|error| internal(&error))?
        {
            return Ok(CreateTaskResult::new(task).into());
        }
        let mut result = match reply {
            Err(question) => return Ok((*question).into()),
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

    async fn get_task(&self, request: GetTaskParams, context: RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        let Inner { kernel, outbox, .. } = &*self.inner;
        let said = |result: &mut CallToolResult| {
            result.content.extend(outbox.iter().flat_map(|outbox| tools::messages(outbox.take())));
        };
        self.tasks()?.get(kernel, self.caller(&context)?, &request.task_id, said).await.map(GetTaskResult::new)
    }

    async fn update_task(&self, request: UpdateTaskParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        // What a task waits for is asked of nobody here; an answer to nothing is passed over, as the protocol wants it.
        self.tasks()?.find(&self.inner.kernel, self.caller(&context)?, &request.task_id).await.map(drop)
    }

    async fn cancel_task(&self, request: CancelTaskParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.tasks()?.cancel(&self.inner.kernel, self.caller(&context)?, &request.task_id).await
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        only_page(page.as_ref())?;
        Ok(ListPromptsResult::with_all_items(prompts::list(&self.inner.kernel, self.caller(&context)?)))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let made = prompts::get(&self.inner.kernel, self.caller(&context)?, &request.name, request.arguments.as_ref());
        let made = self.log.told(&context, made);
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
        let after = page.as_ref().and_then(|page| page.cursor.as_deref());
        let listed = resources::list(&self.inner.kernel, self.caller(&context)?, &self.follower.limits, after).await?;
        let mut result = ListResourcesResult::with_all_items(listed.0);
        result.next_cursor = listed.1;
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        only_page(page.as_ref())?;
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates(&self.inner.kernel, self.caller(&context)?)))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = &request.uri;
        let read = resources::read(&self.inner.kernel, self.caller(&context)?, &self.follower.limits, uri);
        let read = self.log.told(&context, read);
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
                prompts::complete(&self.inner.kernel, caller, &prompt.name, &request.argument.name, &request.argument.value)
            }
            Reference::Resource(template) => {
                let ArgumentInfo { name, value, .. } = &request.argument;
                resources::complete(&self.inner.kernel, caller, &template.uri, name, value)
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
        if let Ok(caller) = self.caller_in(&context.extensions) {
            self.follower.follow_lists(caller.clone());
        }
        self.inner.changes.tell(&self.follower);
        drop(tokio::spawn(news::to_client(Arc::downgrade(&self.follower), context.peer)));
    }

    async fn subscribe(&self, request: SubscribeRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.follower.watch(&request.uri, self.caller(&context)?)
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.follower.forget(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = requested.clone();
        if let Some(resources) = &mut accepted.resource_subscriptions {
            resources.truncate(self.follower.limits.subscriptions);
        }
        Some(accepted)
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let caller = self.caller(context.request_context())?.clone();
        let follower = Follower::new(self.inner.kernel.clone(), Arc::clone(&self.follower.limits));
        for uri in context.accepted().resource_subscriptions.iter().flatten() {
            // Of what is unknown there is nothing to tell.
            let _ = follower.watch(uri, &caller);
        }
        follower.follow_lists(caller);
        self.inner.changes.tell(&follower);
        news::to_listener(Arc::downgrade(&follower), &context).await;
        Ok(())
    }

    async fn on_custom_request(&self, request: CustomRequest, _: RequestContext<RoleServer>) -> Result<CustomResult, ErrorData> {
        // What the SDK cannot read comes here, too.
        const OURS: [&str; 16] = [
            "initialize",
            "tools/list",
            "tools/call",
            "tasks/get",
            "tasks/update",
            "tasks/cancel",
            "prompts/list",
            "prompts/get",
            "resources/list",
            "resources/templates/list",
            "resources/read",
            "resources/subscribe",
            "resources/unsubscribe",
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

fn internal(error: &Error) -> ErrorData {
    ErrorData::new(code_of(error), told(error), data(error))
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

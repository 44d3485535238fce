//! A tool call of an MCP client, from line to line, through this agent and through the macros of the official SDK.
//!
//! Both servers do the same work: they read the request, call the handler, and answer with a structured form and its text. Facts are
//! observed, as `nekro mcp` does to notice when its lists change.

mod measure;

use std::sync::Arc;

use measure::Table;
use nekro_agent::mcp::{Limits, Server};
use nekro_core::{
    Caller, Origin, Role,
    kernel::{Kernel, Observed, ObserverPort, Registry},
    prelude::{Deserialize, JsonSchema, Serialize, plugin, tool},
};
use rmcp::{
    ServerHandler, ServiceExt,
    handler::server::{router::tool::ToolRouter, wrapper::Json, wrapper::Parameters},
    tool_handler, tool_router,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf},
    runtime::Runtime,
};

/// What is measured.
#[plugin(id = "nekro_tests")]
pub struct Measured;

/// How the weather will be.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Forecast {
    city: String,
    degrees: i16,
}

/// Where a trip stops.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Stop {
    place: String,
    nights: u8,
}

/// A trip.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Trip {
    name: String,
    stops: Vec<Stop>,
    budget: Option<f64>,
}

/// A text.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Text {
    text: String,
}

/// Forecasts the weather.
#[tool]
async fn forecast(
    /// Where.
    city: String,
    /// How many days ahead.
    days: u8,
    /// Whether to use metric units.
    metric: bool,
) -> Forecast {
    Forecast { degrees: i16::from(days) + i16::from(metric), city }
}

/// Plans a trip.
#[tool]
async fn plan(
    /// What to plan.
    trip: Trip,
) -> Trip {
    trip
}

/// Says it again.
#[tool]
async fn echo(
    /// What to say.
    text: String,
) -> Text {
    Text { text }
}

/// The same with the SDK's macros.
struct ByMacros {
    #[expect(dead_code, reason = "the macro `tool_handler` uses it")]
    tool_router: ToolRouter<Self>,
}

#[derive(Deserialize, JsonSchema)]
struct ForecastArguments {
    /// Where.
    city: String,
    /// How many days ahead.
    days: u8,
    /// Whether to use metric units.
    metric: bool,
}

#[derive(Deserialize, JsonSchema)]
struct PlanArguments {
    /// What to plan.
    trip: Trip,
}

#[derive(Deserialize, JsonSchema)]
struct EchoArguments {
    /// What to say.
    text: String,
}

#[tool_router]
impl ByMacros {
    #[rmcp::tool(name = "nekro_tests.forecast", description = "Forecasts the weather.")]
    async fn forecast(
        &self,
        Parameters(ForecastArguments { city, days, metric }): Parameters<ForecastArguments>,
    ) -> Json<Forecast> {
        Json(forecast(city, days, metric).await)
    }

    #[rmcp::tool(name = "nekro_tests.plan", description = "Plans a trip.")]
    async fn plan(&self, Parameters(PlanArguments { trip }): Parameters<PlanArguments>) -> Json<Trip> {
        Json(plan(trip).await)
    }

    #[rmcp::tool(name = "nekro_tests.echo", description = "Says it again.")]
    async fn echo(&self, Parameters(EchoArguments { text }): Parameters<EchoArguments>) -> Json<Text> {
        Json(echo(text).await)
    }
}

#[tool_handler]
impl ServerHandler for ByMacros {}

struct Looks;

impl ObserverPort for Looks {
    fn observe(&self, _: Observed<'_>) {}

    fn wants_calls(&self) -> bool {
        false
    }
}

/// A client that sends a line and waits for one.
struct Client {
    output: WriteHalf<DuplexStream>,
    input: BufReader<ReadHalf<DuplexStream>>,
    answer: String,
}

impl Client {
    async fn begin(stream: DuplexStream) -> Self {
        let (input, output) = tokio::io::split(stream);
        let mut client = Self { output, input: BufReader::new(input), answer: String::new() };
        let hello = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" } },
        });
        client.ask(&format!("{hello}\n")).await;
        client.output.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").await.expect("it listens");
        client
    }

    async fn ask(&mut self, line: &str) -> &str {
        self.output.write_all(line.as_bytes()).await.expect("it listens");
        self.answer.clear();
        self.input.read_line(&mut self.answer).await.expect("it answers");
        &self.answer
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without sockets");
    let mut table = Table::new("mcp", &["An MCP call with", "SDK's macros", "nekro", "ratio", "goal"]);
    let (mut by_macros, mut ours) = runtime.block_on(clients());
    let long = "0123456789abcdef".repeat(256);
    let trip = json!({ "trip": {
        "name": "North", "budget": 1200.5,
        "stops": [{ "place": "Oslo", "nights": 2 }, { "place": "Bergen", "nights": 3 }, { "place": "Bodø", "nights": 1 }],
    } });
    for (what, tool, arguments) in [
        ("3 scalars", "forecast", json!({ "city": "Berlin", "days": 3, "metric": true })),
        ("a struct with a list", "plan", trip),
        ("a string of 4 KiB", "echo", json!({ "text": long })),
    ] {
        let params = json!({ "name": format!("nekro_tests.{tool}"), "arguments": arguments });
        let line = format!("{}\n", json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }));
        let [theirs, mine] = [&mut by_macros, &mut ours].map(|client| runtime.block_on(client.ask(&line)).to_owned());
        let result = |answer: &str| {
            let answer: serde_json::Value = serde_json::from_str(answer).expect("JSON");
            answer["result"]["structuredContent"].clone()
        };
        assert_eq!(result(&theirs), result(&mine), "{theirs} {mine}");
        let ask = |runtime: &Runtime, client: &mut Client| {
            runtime.block_on(client.ask(&line));
        };
        table.compare(what, "1.05 ×", 1, || ask(&runtime, &mut by_macros), || ask(&runtime, &mut ours));
    }
    table.finish();
}

async fn clients() -> (Client, Client) {
    const BUFFER: usize = 1 << 16;
    let (here, there) = tokio::io::duplex(BUFFER);
    tokio::spawn(async move {
        let server = ByMacros { tool_router: ByMacros::tool_router() }.serve(there).await.expect("it begins");
        server.waiting().await.expect("it ends")
    });
    let by_macros = Client::begin(here).await;
    let (here, there) = tokio::io::duplex(BUFFER);
    let registry = Registry::linked().expect("the declarations fit together");
    let ports = nekro_core::Ports::new().with::<dyn ObserverPort>(Arc::new(Looks));
    let kernel = Kernel::builder(registry).ports(ports).start().await.expect("there is a runtime");
    let server = Server::new(kernel, Caller::new(Origin::McpClient, Role::User));
    tokio::spawn(async move {
        let (input, output) = tokio::io::split(there);
        server.serve(input, output, Limits::default()).await.expect("it is served");
    });
    (by_macros, Client::begin(here).await)
}

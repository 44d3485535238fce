//! `nekro --server URL tasks` and `schedules`.

use std::{io::IsTerminal, time::Duration};

use nekro_core::{ScheduleRecord, TaskId, TaskRecord, Timestamp};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Remote;
use crate::cli::{
    Failure, Screen,
    args::{MOST_TASKS, SchedulesCommand, TasksCommand},
    call::take_switch,
    logs,
    schedules::view as schedules,
    tasks::view as tasks,
};

/// How often a server is asked how far a task has come.
const TICK: Duration = Duration::from_millis(250);

/// The most that a server lists at once.
const MOST_LISTED: usize = 500;

/// Reads what a server answered.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::work(format!("the answer of the server cannot be read: {error}")))
        .map_err(|failure| failure.with_hint("it may be of another version than this program"))
}

impl Remote {
    pub(super) async fn tasks(&self, command: Option<TasksCommand>, screen: &Screen) -> Result<(), Failure> {
        let all = TasksCommand::List { plugin: None, state: None, dead: false, last: MOST_TASKS };
        match command.unwrap_or(all) {
            TasksCommand::List { plugin, state, dead, last } => {
                let mut query = vec![("limit", last.min(MOST_LISTED).to_string()), ("dead", dead.to_string())];
                query.extend(plugin.map(|plugin| ("plugin", plugin)));
                query.extend(state.map(|state| ("state", state.name().to_owned())));
                let mut page = self.ask_with(Method::GET, &["api", "tasks"], &query, None).await?;
                tasks::list(&read::<Vec<TaskRecord>>(page["items"].take())?, screen);
            }
            TasksCommand::Show { task } => tasks::one(&self.task(&task).await?, screen),
            TasksCommand::Cancel { task } => {
                let done = self.ask(Method::POST, &["api", "tasks", &task, "cancel"], None).await?;
                tasks::cancelled(&task.into(), done["cancelled"] == true, read(done["state"].clone())?, screen);
            }
            TasksCommand::Retry { task } => {
                let done = self.ask(Method::POST, &["api", "tasks", &task, "retry"], None).await?;
                tasks::retried(&read(done["task"].clone())?, &task.into(), screen);
            }
            TasksCommand::Notify { task, name, value } => {
                let body = json!({ "name": name, "value": tasks::value(&value) });
                let done = self.ask(Method::POST, &["api", "tasks", &task, "notify"], Some(&body)).await?;
                tasks::notified(&task.into(), done["notified"] == true, screen);
            }
            TasksCommand::Logs { task, last, follow: false } => {
                let query = [("last", last.min(usize::from(u16::MAX)).to_string())];
                let entries = self.ask_with(Method::GET, &["api", "tasks", &task, "logs"], &query, None).await?;
                logs::show(entries.as_array().map(Vec::as_slice).unwrap_or_default(), screen);
            }
            TasksCommand::Logs { follow: true, .. } => {
                return Err(Failure::usage("a log is followed where it is").with_hint("leave `--server` out, with `--data DIR`"));
            }
            TasksCommand::Run { name, words } => return self.run_task(&name, words, screen).await,
        }
        Ok(())
    }

    async fn task(&self, task: &str) -> Result<TaskRecord, Failure> {
        read(self.get(&["api", "tasks", task]).await?)
    }

    /// Starts a task, and shows it to its end. Ctrl-C cancels it.
    async fn run_task(&self, name: &str, mut words: Vec<String>, screen: &Screen) -> Result<(), Failure> {
        let json = take_switch(&mut words, "--json");
        let screen = &Screen::new(screen.is_json() || json || !std::io::stdout().is_terminal());
        let body = json!({ "task": name, "words": words });
        let mut record: TaskRecord = read(self.ask(Method::POST, &["api", "tasks"], Some(&body)).await?)?;
        let id: TaskId = record.id.clone();
        loop {
            tasks::clear(screen);
            tasks::progress(&record, screen);
            if record.state.is_terminal() {
                break;
            }
            let next = async {
                loop {
                    tokio::time::sleep(TICK).await;
                    let now = self.task(id.as_str()).await?;
                    if now != record {
                        return Ok::<_, Failure>(now);
                    }
                }
            };
            tokio::select! {
                next = next => record = next?,
                _ = tokio::signal::ctrl_c() => {
                    self.ask(Method::POST, &["api", "tasks", id.as_str(), "cancel"], None).await?;
                }
            }
        }
        tasks::ended(&record, screen);
        tasks::outcome(&record)
    }

    pub(super) async fn schedules(&self, command: Option<SchedulesCommand>, screen: &Screen) -> Result<(), Failure> {
        match command.unwrap_or(SchedulesCommand::List { plugin: None }) {
            SchedulesCommand::List { plugin } => {
                let query: Vec<_> = plugin.map(|plugin| ("plugin", plugin)).into_iter().collect();
                let all = self.ask_with(Method::GET, &["api", "schedules"], &query, None).await?;
                schedules::list(&read::<Vec<ScheduleRecord>>(all)?, screen);
            }
            SchedulesCommand::Show { name } => schedules::one(&self.schedule(&name).await?, screen),
            SchedulesCommand::Pause { name } => {
                self.ask(Method::POST, &["api", "schedules", &name, "pause"], None).await?;
                schedules::paused(&name, screen);
            }
            SchedulesCommand::Resume { name } => {
                let record: ScheduleRecord = read(self.ask(Method::POST, &["api", "schedules", &name, "resume"], None).await?)?;
                schedules::resumed(&name, record.next, screen);
            }
            SchedulesCommand::Run { name } => {
                self.ask(Method::POST, &["api", "schedules", &name, "run"], None).await?;
                schedules::run(&name, screen);
            }
            SchedulesCommand::Delete { name } => {
                let comes_back = self.schedule(&name).await?.is_declared;
                self.ask(Method::DELETE, &["api", "schedules", &name], None).await?;
                schedules::deleted(&name, comes_back, screen);
            }
            SchedulesCommand::Next { count } => {
                let query = [("count", count.min(usize::from(u16::MAX)).to_string())];
                let due = self.ask_with(Method::GET, &["api", "schedules", "next"], &query, None).await?;
                let one = |due: &Value| Ok((read::<Timestamp>(due["at"].clone())?, read(due["schedule"].clone())?));
                let all: Result<Vec<_>, Failure> = due.as_array().into_iter().flatten().map(one).collect();
                schedules::next(&all?, screen);
            }
        }
        Ok(())
    }

    async fn schedule(&self, name: &str) -> Result<ScheduleRecord, Failure> {
        read(self.get(&["api", "schedules", name]).await?)
    }
}

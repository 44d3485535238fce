//! One event to many handlers, against a hand-written loop over boxed futures.

mod handlers;
mod measure;
mod now;

use std::{hint::black_box, sync::Arc};

use handlers::{Happened, Question, handled, happened, kernel, look, question, weigh};
use measure::Table;
use nekro_core::{
    BoxFuture, Caller,
    event::{Approval, Verdict},
    kernel::Kernel,
    prelude::plugin,
};
use now::now;
use tokio::{runtime::Runtime, sync::mpsc};

/// What is measured.
#[plugin]
pub struct Measured;

type Handler<E, A> = Box<dyn for<'a> Fn(&'a E) -> BoxFuture<'a, A> + Send + Sync>;

// How many facts are emitted each time, so that entering the runtime is not what is measured.
const FACTS: u32 = 32;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without sockets");
    let mut table = Table::new("dispatch", &["One event to handlers", "by hand", "nekro", "ratio", "goal"]);
    for mode in ["sync", "async"] {
        for handlers in [1, 10, 100, 1_000] {
            for plugins in layouts(handlers) {
                let row = format!("decision, {handlers} {mode} in {plugins} plugins").replace("in 1 plugins", "in 1 plugin");
                if table.wants(&row) {
                    let kernel = runtime.block_on(kernel(&format!("weigh_{mode}"), handlers, plugins));
                    decision(&mut table, &row, handlers, &kernel);
                }
            }
        }
    }
    for mode in ["sync", "async"] {
        for handlers in [1, 10, 100, 1_000] {
            for plugins in layouts(handlers) {
                let row = format!("fact, {handlers} {mode} in {plugins} plugins").replace("in 1 plugins", "in 1 plugin");
                if table.wants(&row) {
                    let kernel = runtime.block_on(kernel(&format!("look_{mode}"), handlers, plugins));
                    fact(&mut table, &row, handlers, plugins, &runtime, &kernel);
                }
            }
        }
    }
    table.finish();
}

/// In how many plugins the handlers stand: all in one, and each in its own.
fn layouts(handlers: usize) -> impl Iterator<Item = usize> {
    [1, handlers].into_iter().take(if handlers == 1 { 1 } else { 2 })
}

fn decision(table: &mut Table, row: &str, handlers: usize, kernel: &Kernel) {
    let by_hand: Vec<Handler<Question, Approval>> = (0..handlers).map(|_| Box::new(weigh_boxed) as _).collect();
    let by_hand = black_box(by_hand);
    let caller = Caller::operator();
    let mut events = [Some(question()), Some(question())];
    let [first, second] = &mut events;
    let baseline = || {
        let (event, verdict) = now(decide_by_hand(&by_hand, first.take().expect("it was put back")));
        black_box(verdict);
        *first = Some(event);
    };
    let subject = || {
        let decided = now(kernel.decide(second.take().expect("it was put back"), &caller));
        black_box(decided.verdict);
        *second = Some(decided.event);
    };
    table.compare(row, "1.5 ×", 1, baseline, subject);
}

fn weigh_boxed(question: &Question) -> BoxFuture<'_, Approval> {
    Box::pin(async move { weigh(question) })
}

async fn decide_by_hand(handlers: &[Handler<Question, Approval>], event: Question) -> (Question, Approval) {
    let mut verdict = Approval::neutral();
    for handler in handlers {
        verdict = verdict.merge(handler(&event).await);
    }
    (event, verdict)
}

fn fact(table: &mut Table, row: &str, handlers: usize, plugins: usize, runtime: &Runtime, kernel: &Kernel) {
    let by_hand = |count| -> Vec<Handler<Happened, ()>> { black_box((0..count).map(|_| Box::new(look_boxed) as _).collect()) };
    let event = happened();
    let subject = || {
        runtime.block_on(async {
            for _ in 0..FACTS {
                handled(handlers, || kernel.emit(event.clone())).await;
            }
        });
    };
    let all = by_hand(handlers);
    let in_place = || {
        runtime.block_on(async {
            for _ in 0..FACTS {
                let event = event.clone();
                handled(handlers, || all.iter().for_each(|handler| now(handler(&event)))).await;
            }
        });
    };
    table.compare(&format!("{row}, in place by hand"), "–", FACTS, in_place, subject);
    let queues = queues(runtime, plugins, || by_hand(handlers / plugins));
    let isolated = || {
        runtime.block_on(async {
            for _ in 0..FACTS {
                let event = Arc::new(event.clone());
                let emit = || queues.iter().for_each(|queue| queue.try_send(Arc::clone(&event)).expect("there is space"));
                handled(handlers, emit).await;
            }
        });
    };
    table.compare(&format!("{row}, tasks by hand"), "1.5 ×", FACTS, isolated, subject);
}

fn look_boxed(happened: &Happened) -> BoxFuture<'_, ()> {
    Box::pin(async move { look(happened) })
}

/// What isolation costs anybody: a task to a plugin, behind a bounded queue.
fn queues(
    runtime: &Runtime,
    plugins: usize,
    handlers: impl Fn() -> Vec<Handler<Happened, ()>>,
) -> Vec<mpsc::Sender<Arc<Happened>>> {
    let spawn = |_| {
        let (sender, mut receiver) = mpsc::channel::<Arc<Happened>>(1_024);
        let handlers = handlers();
        runtime.spawn(async move {
            while let Some(event) = receiver.recv().await {
                for handler in &handlers {
                    handler(&event).await;
                }
            }
        });
        sender
    };
    (0..plugins).map(spawn).collect()
}

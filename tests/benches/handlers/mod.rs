//! Handlers to measure, and kernels with any number of them.
//!
//! The attributes stand on each kind of handler once. The others are copies of that declaration under other names, so what is
//! measured is what `#[on_event]` expands to.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::{
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
};

use nekro_core::{
    ConfigDecl, HandlerDecl, PluginDecl,
    event::Approval,
    kernel::{Declarations, Kernel, Registry},
    prelude::{SessionId, event, on_event},
};
use tokio::sync::Notify;

/// Is it all right?
#[event(decision = Approval)]
#[derive(Debug)]
pub(crate) struct Question {
    /// The conversation.
    pub session: SessionId,
    /// What it is about.
    pub number: u64,
}

/// It happened.
#[event]
#[derive(Debug)]
pub(crate) struct Happened {
    /// The conversation.
    pub session: SessionId,
    /// What it is about.
    pub number: u64,
}

/// What every handler of a [`Question`] does, with the attribute and by hand.
pub(crate) fn weigh(question: &Question) -> Approval {
    if black_box(question.number) == u64::MAX { Approval::ask("too large") } else { Approval::Allow }
}

/// What every handler of a [`Happened`] does, with the attribute and by hand.
pub(crate) fn look(happened: &Happened) {
    black_box(happened.number);
    if LEFT.fetch_sub(1, Ordering::AcqRel) == 1 {
        HANDLED.notify_one();
    }
}

/// Waits until so many handlers have looked. They do so after `emit` at the earliest.
pub(crate) async fn handled(handlers: usize, emit: impl FnOnce()) {
    LEFT.store(handlers, Ordering::Release);
    emit();
    HANDLED.notified().await;
}

static LEFT: AtomicUsize = AtomicUsize::new(0);
static HANDLED: Notify = Notify::const_new();

#[on_event]
fn weigh_sync(question: &Question) -> Approval {
    weigh(question)
}

#[on_event]
async fn weigh_async(question: &Question) -> Approval {
    weigh(question)
}

#[on_event]
fn look_sync(happened: &Happened) {
    look(happened);
}

#[on_event]
async fn look_async(happened: &Happened) {
    look(happened);
}

pub(crate) fn question() -> Question {
    Question { session: "a".into(), number: 1 }
}

pub(crate) fn happened() -> Happened {
    Happened { session: "a".into(), number: 1 }
}

/// Declares this many handlers like the one of that name, in this many plugins.
pub(crate) fn declarations(handler: &str, handlers: usize, plugins: usize) -> Declarations {
    let mut all = Declarations::linked();
    let plugin = all.plugins[0];
    let original = all.handlers.iter().find(|decl| decl.name == handler).expect("a handler of that name is linked");
    let copies: Vec<&'static PluginDecl> = (0..plugins)
        .map(|at| {
            let config = ConfigDecl { read: plugin.config.read, schema: plugin.config.schema };
            &*Box::leak(Box::new(PluginDecl { id: format!("plugin_{at:05}").leak(), config, ..*plugin }))
        })
        .collect();
    all.handlers = (0..handlers)
        .map(|at| {
            let name = format!("handler_{at:05}").leak();
            &*Box::leak(Box::new(HandlerDecl { plugin: copies[at % plugins], name, ..**original }))
        })
        .collect();
    all.plugins.extend(copies);
    all
}

/// Starts a kernel with them.
pub(crate) async fn kernel(handler: &str, handlers: usize, plugins: usize) -> Kernel {
    let registry = Registry::new(declarations(handler, handlers, plugins)).expect("the declarations fit together");
    Kernel::builder(registry).start().await.expect("there is a runtime")
}

//! Running a future that never waits, without a runtime around it.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing in it waits"),
    }
}

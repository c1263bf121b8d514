//! Values that wait for something, such as a batch of a loader.

use std::{
    future::poll_fn,
    mem,
    task::{Context, Poll},
};

use async_graphql::ServerResult;

use super::{FieldFuture, JsonText};

/// A value that waits for something.
pub(super) struct Waiting<'a> {
    /// Index of the field or item.
    pub index: usize,
    /// Where the value is to be inserted.
    pub at: usize,
    /// The value.
    pub state: State<'a>,
}

/// The state of a value.
pub(super) enum State<'a> {
    Pending(FieldFuture<'a>),
    Done(ServerResult<JsonText>),
}

/// Polls a future once, with the waker of the operation.
pub(super) async fn poll_once(future: &mut FieldFuture<'_>) -> Option<ServerResult<JsonText>> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Waits for values that were polled once: they wake the operation when they go on. Returns index, place and value of each.
pub(super) async fn wait_for_all(mut waiting: Vec<Waiting<'_>>) -> Vec<(usize, usize, ServerResult<JsonText>)> {
    let mut are_polled = true;
    poll_fn(|context| match mem::take(&mut are_polled) {
        true => Poll::Pending,
        false => poll_all(&mut waiting, context),
    })
    .await;
    let values = waiting.into_iter().map(|Waiting { index, at, state }| match state {
        State::Done(result) => (index, at, result),
        State::Pending(_) => unreachable!("all values are done"),
    });
    values.collect()
}

fn poll_all(waiting: &mut [Waiting<'_>], context: &mut Context<'_>) -> Poll<()> {
    let mut are_done = true;
    for Waiting { state, .. } in waiting {
        let State::Pending(future) = state else { continue };
        match future.as_mut().poll(context) {
            Poll::Ready(result) => *state = State::Done(result),
            Poll::Pending => are_done = false,
        }
    }
    if are_done { Poll::Ready(()) } else { Poll::Pending }
}

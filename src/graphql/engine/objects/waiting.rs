//! Values that wait for something, such as a batch of a loader.

use std::{
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use async_graphql::ServerResult;
use futures_util::future::MaybeDone;

use super::{FieldFuture, JsonText};

/// A value that waits for something.
pub(super) struct Waiting<'a> {
    /// Index of the field or item.
    index: usize,
    /// Where the value is to be inserted.
    at: usize,
    value: MaybeDone<FieldFuture<'a>>,
}

impl<'a> Waiting<'a> {
    /// Creates the value of a field or item, which was polled once.
    pub(super) fn new(index: usize, at: usize, value: FieldFuture<'a>) -> Self {
        Self { index, at, value: MaybeDone::Future(value) }
    }
}

/// Waits for values that were polled once: they wake the operation when they go on. Returns index, place and value of each.
pub(super) async fn wait_for_all(mut waiting: Vec<Waiting<'_>>) -> Vec<(usize, usize, ServerResult<JsonText>)> {
    // `join_all` would poll them again at once, and so would each level above.
    let mut are_polled = true;
    poll_fn(|context| match mem::take(&mut are_polled) {
        true => Poll::Pending,
        false => poll_all(&mut waiting, context),
    })
    .await;
    let values = waiting.into_iter().map(|Waiting { index, at, mut value }| {
        let value = Pin::new(&mut value).take_output().expect("all values are done");
        (index, at, value)
    });
    values.collect()
}

fn poll_all(waiting: &mut [Waiting<'_>], context: &mut Context<'_>) -> Poll<()> {
    let mut are_done = true;
    for Waiting { value, .. } in waiting {
        are_done &= Pin::new(value).poll(context).is_ready();
    }
    if are_done { Poll::Ready(()) } else { Poll::Pending }
}

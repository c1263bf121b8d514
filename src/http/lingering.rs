//! Request bodies of which the server did not read everything, because it rejected the request.
//! Rule: the rest is received and discarded, within limits, while the response is sent. Closing a connection with unread
//! data resets it, and clients that are still sending (such as those of Node) report that instead of the response.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
};
use futures_util::StreamExt;
use http_body::{Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

/// Maximum number of bytes to discard: more than a file or image has, and little enough to be sent by strangers.
const MAX_BYTES: usize = 24 * 1024 * 1024;

/// Time limit for discarding them.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Returns the request with a body of which everything that stays unread is discarded.
pub fn discard_unread_body(request: Request) -> Request {
    // A client that waits for `100 Continue` does not send a body that the server does not read.
    if request.headers().contains_key(header::EXPECT) || request.body().is_end_stream() {
        return request;
    }
    request.map(|body| Body::new(LingeringBody { body, is_finished: false }))
}

/// A body whose rest is discarded when it is dropped.
struct LingeringBody {
    body: Body,
    is_finished: bool,
}

impl HttpBody for LingeringBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.is_finished = matches!(frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for LingeringBody {
    fn drop(&mut self) {
        if self.is_finished || self.body.is_end_stream() || std::thread::panicking() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(TIMEOUT, discard(mem::take(&mut self.body))));
        }
    }
}

async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    let mut discarded = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        discarded += chunk.len();
        if discarded > MAX_BYTES {
            break;
        }
    }
}

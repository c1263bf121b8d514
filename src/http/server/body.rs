//! The bodies of a connection's requests and responses.
//! Rule: a request's body fails when its client sends too slowly, on every route, also while it is discarded; a request ends
//! with the body of its response.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::{
    pace::Pace,
    phase::{Phase, RequestInProgress},
};

/// The error of a request's body whose client sends too slowly.
#[derive(Debug)]
pub struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body was not received in time")
    }
}

impl std::error::Error for TooSlow {}

/// The body of a request.
pub struct RequestBody {
    body: Incoming,
    pace: Pace,
    phase: Phase,
}

impl RequestBody {
    /// Creates the body of a request, whose client has to send at this pace.
    pub fn new(body: Incoming, pace: Pace, phase: Phase) -> Self {
        Self { body, pace, phase }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.phase.set_client_is_slow(frame.is_pending());
        match &frame {
            Poll::Ready(Some(Ok(frame))) => self.pace.add(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(_) => {}
            Poll::Pending => {
                if self.pace.poll_too_slow(context).is_ready() {
                    return Poll::Ready(Some(Err(Error::new(TooSlow))));
                }
            }
        }
        frame.map_err(Error::new)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.phase.set_client_is_slow(false);
    }
}

/// The body of a response, with the request that ends with it.
pub struct ResponseBody {
    body: Body,
    _request: RequestInProgress,
}

impl ResponseBody {
    /// Creates the body of the response to this request.
    pub fn new(body: Body, request: RequestInProgress) -> Self {
        Self { body, _request: request }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! Logs and request ids: one subscriber for the process, text or JSON.
//! Rule: a secret never reaches a log line; an operation writes one line, an internal error one more. An id that a client
//! sends is taken only where it can do no harm in a header or a log line.

use std::{fmt, io::IsTerminal, sync::Arc};

use uuid::Uuid;

use tracing_subscriber::{EnvFilter, prelude::*};

use crate::config::LogFormat;

/// Starts logging to standard error. The filter is that of `tracing`, say `info,souk=debug`.
pub fn start(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        eprintln!("SOUK_LOG is not a filter ({error}); using `info`");
        EnvFilter::new("info")
    });
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => registry.with(layer.compact()).init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
}

/// The id of one request; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Longest id taken from a client, in characters.
    const MAX_LENGTH: usize = 64;

    /// A new random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string().into())
    }

    /// The client's id: 1 to 64 of `A-Z a-z 0-9 . _ -`; none where it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

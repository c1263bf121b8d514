//! Logs and request ids: one tracing subscriber for the process, in text or JSON format.
//! Rule: secrets are never logged; an operation writes one line, an internal error one more. A request id sent by a
//! client is accepted only if it is safe in headers and log lines.

use std::{fmt, io::IsTerminal, sync::Arc};

use uuid::Uuid;

use tracing_subscriber::{EnvFilter, prelude::*};

use crate::config::LogFormat;

/// Starts logging to standard error. The filter has the syntax of `tracing`, such as `info,souk=debug`.
pub fn start(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        eprintln!("invalid log filter in SOUK_LOG ({error}); using `info`");
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

/// The id of a request; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Maximum length of an id sent by a client, in characters.
    const MAX_LENGTH: usize = 64;

    /// Creates a random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string().into())
    }

    /// Parses an id sent by a client: 1 to 64 characters from `A-Z a-z 0-9 . _ -`; returns none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| Self(text.into()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

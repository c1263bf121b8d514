//! Logs: one subscriber for the process, text or JSON.
//! Rule: a secret never reaches a log line; an operation writes one line, an internal error one more.

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::LogFormat;

/// Starts logging to standard error. The filter is that of `tracing`, say `info,souk=debug`.
pub fn start(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        eprintln!("SOUK_LOG is not a filter ({error}); using `info`");
        EnvFilter::new("info")
    });
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => registry.with(layer.compact()).init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
}

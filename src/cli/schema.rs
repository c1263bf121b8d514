//! `souk schema`.

use std::io::{ErrorKind, Write};

use super::Outcome;
use crate::graphql;

pub(super) fn schema() -> Outcome {
    match std::io::stdout().write_all(graphql::sdl().as_bytes()) {
        // `souk schema | head`: the reader has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

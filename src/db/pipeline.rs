//! Pipelines: several statements of one transaction in a single round trip.
//! Rule: their order is not guaranteed, because a statement that is not prepared yet is sent later; so none may depend on
//! another one.

use futures_util::future::BoxFuture;

use crate::error::{Error, Result};

/// Runs independent statements of one transaction in a pipeline, which takes a single round trip.
/// # Errors
/// Returns the error of the first statement that failed. The transaction is then aborted, which makes the other
/// statements fail too.
pub async fn run_pipelined<'a>(work: impl IntoIterator<Item = BoxFuture<'a, Result<()>>>) -> Result<()> {
    let done = futures_util::future::join_all(work).await;
    first_error(done.into_iter().map(Result::err)).map_or(Ok(()), Err)
}

/// Returns the error that aborted the transaction, of the errors of a pipeline.
pub fn first_error(errors: impl IntoIterator<Item = Option<Error>>) -> Option<Error> {
    // SQLSTATE 25P02, recognized by its English message, because diesel-async does not expose codes (see
    // `crate::error`).
    let is_aborted =
        |error: &Error| matches!(error, Error::Internal(why) if why.contains("current transaction is aborted"));
    let mut failed: Vec<Error> = errors.into_iter().flatten().collect();
    failed.sort_by_key(is_aborted);
    failed.into_iter().next()
}

/// Runs statements of one transaction as [`run_pipelined`] does, and evaluates to a `Result` with the tuple of their
/// results: `pipelined!(name: future, ...)`.
macro_rules! pipelined {
    ($($name:ident: $work:expr),+ $(,)?) => {{
        let $crate::db::pipeline::pipelined!(@pair $($name)+) =
            $crate::db::pipeline::pipelined!(@join $(($work))+).await;
        match ($($name,)+) {
            ($(Ok($name),)+) => Ok(($($name,)+)),
            ($($name,)+) => {
                let failed = $crate::db::pipeline::first_error([$($name.err()),+]);
                Err(failed.unwrap_or_else(|| $crate::error::Error::Internal("a pipeline failed".into())))
            }
        }
    }};
    (@join ($first:expr)) => { $first };
    (@join ($first:expr) $(($rest:expr))+) => {
        ::futures_util::future::join($first, $crate::db::pipeline::pipelined!(@join $(($rest))+))
    };
    (@pair $first:ident) => { $first };
    (@pair $first:ident $($rest:ident)+) => { ($first, $crate::db::pipeline::pipelined!(@pair $($rest)+)) };
}
pub(crate) use pipelined;

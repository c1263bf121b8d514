//! Work that follows a transaction, such as waking the worker of jobs.
//! Rule: it runs once the transaction has committed, and never if it was rolled back.

use std::cell::RefCell;

tokio::task_local! {
    static HOOKS: RefCell<Vec<fn()>>;
}

/// Calls the function once the current transaction has committed; immediately if there is none.
pub fn after_commit(hook: fn()) {
    if HOOKS.try_with(|hooks| hooks.borrow_mut().push(hook)).is_err() {
        hook();
    }
}

/// Runs the work of a transaction and returns its result with the functions to call after the commit.
pub(super) async fn collect<T>(work: impl Future<Output = T>) -> (T, Vec<fn()>) {
    let collected = async {
        let result = work.await;
        (result, HOOKS.with(RefCell::take))
    };
    HOOKS.scope(RefCell::default(), collected).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn hooks_are_collected_in_transactions_and_run_at_once_elsewhere() {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let hook = || {
            CALLS.fetch_add(1, Ordering::SeqCst);
        };
        let (result, hooks) = collect(async {
            after_commit(hook);
            7
        })
        .await;
        assert_eq!((result, hooks.len(), CALLS.load(Ordering::SeqCst)), (7, 1, 0));
        after_commit(hook);
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    }
}

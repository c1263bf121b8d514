//! Background jobs: work that runs outside requests, after the transaction that queued it has committed. Owns `jobs`.
//! Rule: a job runs at least once. If the process ends between the handler's work and the deletion of the row, the next
//! worker runs the job again, so handlers must be idempotent.

pub mod actions;
pub mod model;
pub mod store;
pub mod worker;

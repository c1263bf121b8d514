//! Background work: what leaves the request and is done after its transaction has committed. Owns `jobs`.
//! Rule: a job runs at least once. A process that ends between a handler's work and the deletion of the row leaves the job
//! to the next worker, so a handler does no harm where it runs twice.

pub mod actions;
pub mod model;
pub mod store;
pub mod worker;

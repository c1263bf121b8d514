//! Background jobs: the queue and its workers, recurring jobs, long jobs, and what staff can see and do.

mod long_jobs;
pub mod queue;
mod recurring;
mod staff;

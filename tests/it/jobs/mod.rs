//! Background jobs: the queue and its workers, recurring jobs, long jobs, and what staff see of them.

mod long_jobs;
mod queue;
mod recurring;
mod staff;

//! The audit log: what it holds, who reads it, and the entry that every mutation writes.

mod log;
mod mutations;

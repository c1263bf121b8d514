//! The command line: the binary as a user runs it. Every test starts processes, so all of them are slow.

mod slow;

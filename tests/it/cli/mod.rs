//! The command line. Tests that start the binary are slow.

mod demo;
mod slow;

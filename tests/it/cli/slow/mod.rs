//! Slow tests of the command line: they start the binary, most of them with a PostgreSQL of its own.

mod admin;
mod commands;
mod documents;

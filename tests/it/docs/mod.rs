//! README.md and docs/: their examples run against the demo market, their links lead somewhere, and what is generated is
//! what `souk docs` writes today.

mod examples;
mod generated;
mod links;
pub mod pages;
mod shell;
mod wildcard;

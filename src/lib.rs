//! Souk, a GraphQL commerce server: one binary in front of PostgreSQL.
//!
//! The house has five floors; a file imports lower floors and its own slice only.
//!
//! - Ground, which knows no noun: [`config`] settings, [`error`] errors, [`telemetry`] logs, [`db`] the way to PostgreSQL,
//!   [`paging`] lists, [`money`], [`ids`], [`text`] rules of text, [`auth`] viewers and passwords, [`storage`] files.
//! - The nouns, floors 1 (`model`, `store`) and 2 (`actions`): [`websites`], [`jobs`], [`sources`], [`users`], [`mail`], [`audit`],
//!   [`access`], [`categories`], [`brands`], [`suppliers`], [`groups`], [`products`], [`media`], [`reviews`],
//!   [`stock`], [`orders`], [`payments`], [`search`],
//!   [`access`], [`categories`], [`brands`], [`suppliers`], [`groups`], [`products`], [`stock`], [`prices`], [`orders`], [`payments`], [`search`],
//!   [`transfers`], [`analytics`], [`privacy`].
//! - Floor 3, the graph: [`graphql`]. Reads go to the loaders and stores, writes to the actions.
//! - Floor 4, the doors: [`http`] and [`cli`].
//!
//! `tests/it/architecture.rs` reads the sources and holds them to this.

// The mutations of all nouns are one type, as deep as there are nouns.
#![recursion_limit = "256"]
#![warn(missing_docs)]

pub mod config;
pub mod error;
pub mod telemetry;

pub mod auth;
pub mod db;
pub mod ids;
pub mod money;
pub mod paging;
pub mod storage;
pub mod text;

pub mod access;
pub mod analytics;
pub mod audit;
pub mod brands;
pub mod carts;
pub mod categories;
pub mod groups;
pub mod jobs;
pub mod mail;
pub mod media;
pub mod orders;
pub mod payments;
pub mod prices;
pub mod privacy;
pub mod products;
pub mod reviews;
pub mod search;
pub mod sources;
pub mod stock;
pub mod suppliers;
pub mod transfers;
pub mod users;
pub mod websites;

pub mod graphql;

pub mod cli;
pub mod http;

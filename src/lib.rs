//! Souk, a GraphQL commerce server: one binary in front of PostgreSQL.
//!
//! The crate has five layers; a file imports lower layers and its own module only.
//!
//! - Layer 0, the foundation, which knows no domain: [`config`] settings, [`error`] errors, [`telemetry`] logs, [`db`] the
//!   way to PostgreSQL, [`paging`] lists, [`money`], [`ids`], [`text`] rules of text, [`auth`] viewers and passwords,
//!   [`storage`] files; `registry` lists the domains, and what follows from each.
//! - Layers 1 (`model`, `store`) and 2 (`actions`), the domains, each line may use the lines above it:
//!   [`websites`], [`jobs`], [`sources`];
//!   [`users`], [`mail`], [`audit`], [`categories`], [`brands`], [`suppliers`], [`groups`];
//!   [`access`], [`products`]; [`media`], [`reviews`], [`stock`], [`prices`]; [`carts`]; [`wishlists`], [`orders`]; [`payments`];
//!   [`search`]; [`transfers`], [`analytics`]; [`privacy`].
//! - Layer 3, the GraphQL API: [`graphql`]. Reads go to the loaders and stores, writes to the actions.
//! - Layer 4, the transports: [`http`] and [`cli`].
//!
//! `tests/it/architecture.rs` reads the sources and checks this.

#![warn(missing_docs)]

// The code that `souk-macros` writes names this crate, here and in the tests, by its name.
extern crate self as souk;

mod registry;

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
pub mod wishlists;

pub mod graphql;

pub mod cli;
pub mod http;

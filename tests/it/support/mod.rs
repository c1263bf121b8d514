//! Shared support code of the tests: the server in process ([`TestApp`]), databases ([`TestDb`]), actors, fixtures and
//! test servers.

pub mod accounts;
mod actor;
mod app;
pub mod builder;
pub mod bulk;
mod client;
mod commit_proxy;
mod db;
pub mod domain_fixtures;
pub mod email;
pub mod failing_fields;
pub mod fixtures;
pub mod forged_token;
pub mod generated_operations;
pub mod image_server;
pub mod mailbox;
pub mod multipart_form;
mod mutations;
pub mod object_fields;
pub mod payments;
mod plans;
pub mod process;
mod proxy;
pub mod psql;
mod redis;
mod response;
pub mod scenario;
pub mod sdl;
pub mod shopper;
pub mod smtp;
pub mod source;
pub mod stress;
pub mod websocket;

pub use self::{
    actor::Actor,
    app::TestApp,
    builder::{PAYMENT_SECRET, SECRET, TestAppBuilder},
    client::Client,
    commit_proxy::{CommitFault, CommitProxy},
    db::{TestDb, query_scalar},
    fixtures::ProductSpec,
    proxy::Proxy,
    redis::RedisServer,
    response::TestResponse,
};

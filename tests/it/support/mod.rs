//! Shared support code of the tests: the server in process ([`TestApp`]), databases ([`TestDb`]), actors, fixtures and
//! test servers.

pub mod accounts;
mod actor;
mod response;
mod app;
pub mod builder;
pub mod bulk;
pub mod generated_operations;
mod client;
mod commit_proxy;
mod db;
pub mod email;
pub mod failing_fields;
pub mod fixtures;
pub mod forged_token;
pub mod mailbox;
pub mod multipart_form;
mod mutations;
pub mod object_fields;
pub mod payments;
mod plans;
pub mod process;
mod proxy;
pub mod psql;
pub mod scenario;
pub mod sdl;
pub mod shopper;
pub mod smtp;
pub mod source;
pub mod domain_fixtures;
pub mod stress;

pub use self::{
    actor::Actor,
    response::TestResponse,
    app::TestApp,
    builder::{PAYMENT_SECRET, SECRET, TestAppBuilder},
    client::Client,
    commit_proxy::{CommitProxy, CommitFault},
    db::{TestDb, query_scalar},
    fixtures::ProductSpec,
    proxy::Proxy,
};

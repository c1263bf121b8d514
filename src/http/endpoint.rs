//! The state of `/graphql`.

use std::sync::Arc;

use super::{client_limits::ClientLimits, subscriptions::Connections};
use crate::{
    config::{Environment, HttpSettings, Introspection},
    graphql::{engine::Engine, schema::context::Services},
    storage::space::UploadSpace,
};

/// The state of the endpoint.
pub struct Endpoint {
    /// The engine that executes operations.
    pub engine: Engine,
    /// The services that resolvers use.
    pub services: Arc<Services>,
    /// The HTTP settings.
    pub settings: HttpSettings,
    /// The limits of clients.
    pub limits: ClientLimits,
    /// The kind of deployment.
    pub environment: Environment,
    /// The connections of subscriptions.
    pub connections: Connections,
    /// The space for the files of multipart requests.
    pub upload_space: UploadSpace,
    /// Whether responses report their cost, and the number and time of their SQL statements.
    pub show_sql: bool,
    /// Who may query the schema itself.
    pub introspection: Introspection,
    /// Whether cookies are for TLS only, whatever the request says. Otherwise those of requests that arrived by TLS are.
    pub has_secure_cookies: bool,
}

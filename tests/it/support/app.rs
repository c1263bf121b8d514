//! The server in process, and the actors that log in to it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use souk::access;
use souk::access::model::NewRole;
use souk::access::model::NewSession;
use souk::access::model::Role;
use souk::auth::AuthMethod;
use souk::auth::Identity;
use souk::auth::Permission;
use souk::auth::Viewer;
use souk::config::ConnectionSettings;
use souk::graphql::schema::context::Services;
use souk::ids::UserId;
use souk::ids::WebsiteId;
use souk::users;
use souk::users::model::NewUser;
use tokio::{net::TcpListener, task::JoinHandle};
use tower::ServiceExt;

use super::{Actor, TestAppBuilder, TestDb, mailbox::LazyMailWorker};

/// A server in process with a database of its own.
pub struct TestApp {
    /// The server's database.
    pub database: TestDb,
    /// The services that the resolvers use.
    pub services: Arc<Services>,
    /// Whether the cache sees all changes before each request.
    pub(super) catches_up: bool,
    pub(super) mail_worker: LazyMailWorker,
    pub(super) router: Router,
    pub(super) drain: Box<dyn Fn() + Send + Sync>,
}

impl TestApp {
    /// Starts a server with an empty, migrated database and default options; [`TestApp::builder`] takes others.
    pub async fn new() -> Self {
        Self::builder().build().await
    }

    /// Returns a builder for a server with options.
    pub fn builder() -> TestAppBuilder {
        TestAppBuilder::default()
    }

    /// Tells the server that it is about to stop.
    pub fn drain(&self) {
        (self.drain)();
    }

    /// Returns an actor that is not logged in.
    pub fn anonymous(&self) -> Actor<'_> {
        Actor { app: self, token: None, key: None, cart: None, visitor: None, address: None, id: UserId(0) }
    }

    /// Creates a user with the role `customer`.
    pub async fn customer(&self) -> Actor<'_> {
        self.user("customer").await
    }

    /// Creates a user with the role `seller`.
    pub async fn seller(&self) -> Actor<'_> {
        self.user("seller").await
    }

    /// Creates a user with the role `manager`.
    pub async fn manager(&self) -> Actor<'_> {
        self.user("manager").await
    }

    /// Creates a user with the role `admin`.
    pub async fn admin(&self) -> Actor<'_> {
        self.user("admin").await
    }

    /// Creates a user with this role and logs in. The email address is `<role>-<n>@souk.example`; there is no password.
    pub async fn user(&self, role: &str) -> Actor<'_> {
        let role = role.to_owned();
        let (user, role) = self
            .database
            .db
            .transaction(async |conn| {
                let role = access::store::roles::find_by_code(conn, &role).await?.expect("a role");
                let new = NewUser {
                    name: format!("A {}", role.row.name),
                    phone: None,
                    email: Some(format!("{}-{}@souk.example", role.row.code, uuid::Uuid::new_v4().simple())),
                    password_hash: None,
                    role_id: role.row.id,
                    source_website_id: None,
                };
                Ok((users::store::insert(conn, &new).await?, role))
            })
            .await
            .expect("a new user");
        self.log_in(user.id, role).await
    }

    /// Creates a user with a new role that grants exactly these permissions, for these websites or, if empty, for all.
    pub async fn user_with(&self, permissions: &[Permission], websites: &[WebsiteId]) -> Actor<'_> {
        let code = format!("r{}", uuid::Uuid::new_v4().simple());
        let new = NewRole { code: code.clone(), name: "Holder".into(), description: String::new() };
        let grant = access::actions::roles::GrantPatch {
            permissions: Some(permissions.iter().copied().collect()),
            websites: Some(websites.to_vec()),
        };
        let (db, live) = (&self.database.db, &self.services.permission_cache);
        access::actions::roles::create(db, live, &Viewer::system(), new, grant).await.expect("a role");
        self.user(&code).await
    }

    /// Logs in a user who is already in the database, with the permissions of a role.
    pub async fn existing_user(&self, user: UserId, role: &str) -> Actor<'_> {
        let role = role.to_owned();
        let found = self.database.db.read(async |conn| access::store::roles::find_by_code(conn, &role).await).await;
        self.log_in(user, found.expect("roles").expect("a role")).await
    }

    /// Opens a session for a user, without a password.
    async fn log_in(&self, user: UserId, role: Role) -> Actor<'_> {
        let session = NewSession {
            user_id: user,
            device: Some("test".to_owned()),
            address: None,
            expires_at: chrono::Utc::now() + chrono::Duration::days(1),
        };
        let opened =
            self.database.db.transaction(async |conn| access::store::sessions::insert(conn, &session).await).await;
        if self.services.permission_cache.changes_since().is_none() {
            // A server does this when it starts; done here so that no test counts these statements.
            access::actions::cache::refresh_cache(&self.database.db, &self.services.permission_cache)
                .await
                .expect("the permission cache");
        }
        let identity = Identity {
            user,
            auth_method: AuthMethod::Session(opened.expect("a session").id),
            role: role.row.code,
            permissions: role.permissions,
            websites: role.websites,
        };
        self.with_token(self.services.jwt.issue(&identity).expect("a token").token, user)
    }

    /// Returns an actor that sends this access token.
    pub fn with_token(&self, token: String, id: UserId) -> Actor<'_> {
        Actor { app: self, token: Some(token), key: None, cart: None, visitor: None, address: None, id }
    }

    /// Returns an actor that sends this API key of a user.
    pub fn with_key(&self, key: String, id: UserId) -> Actor<'_> {
        Actor { app: self, token: None, key: Some(key), cart: None, visitor: None, address: None, id }
    }

    /// Starts another server on the same database.
    pub async fn second_server(&self) -> Self {
        Self::builder().database(self.database.second_handle().await).build().await
    }

    /// Listens on a free port until the test ends.
    pub async fn listen(&self) -> SocketAddr {
        // All tests' clients have the same address.
        let settings = ConnectionSettings { max_connections_per_address: usize::MAX, ..ConnectionSettings::default() };
        self.listen_with(settings, std::future::pending()).await.0
    }

    /// Listens on a free port with these settings until the shutdown, after which the returned task ends.
    pub async fn listen_with(
        &self,
        settings: ConnectionSettings,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        (address, tokio::spawn(souk::http::serve(listener, self.router.clone(), settings, 0, shutdown)))
    }

    /// Sends any HTTP request, to the host `souk` unless it names one.
    pub async fn send(&self, mut request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
        if self.catches_up {
            self.services.responses.catch_up().await;
        }
        request.headers_mut().entry(header::HOST).or_insert(HeaderValue::from_static("souk"));
        let (head, body) = self.router.clone().oneshot(request).await.expect("axum is infallible").into_parts();
        let bytes = body.collect().await.expect("a complete body").to_bytes();
        (head.status, head.headers, bytes.to_vec())
    }
}

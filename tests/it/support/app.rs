//! The server in process, and the people who use it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header, request::Builder},
    serve::ListenerExt,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use souk::access;
use souk::access::model::NewRole;
use souk::access::model::NewSession;
use souk::access::model::Role;
use souk::analytics::recorder::SearchRecorder;
use souk::auth::Identity;
use souk::auth::JwtKeys;
use souk::auth::Live;
use souk::auth::PasswordCost;
use souk::auth::Passwords;
use souk::auth::Permission;
use souk::auth::Via;
use souk::auth::Viewer;
use souk::config::AccountSettings;
use souk::config::Limits;
use souk::config::PaymentCapture;
use souk::config::ReviewSettings;
use souk::config::SellingSettings;
use souk::db::recorder::Recorder;
use souk::graphql;
use souk::graphql::schema::context::Currencies;
use souk::graphql::schema::context::Services;
use souk::http;
use souk::http::HttpSettings;
use souk::ids::RowId;
use souk::ids::UserId;
use souk::ids::WebsiteId;
use souk::media::actions::Studio;
use souk::media::fetch::Rules;
use souk::payments::model::ProviderName;
use souk::payments::providers::Providers;
use souk::payments::providers::manual::Manual;
use souk::payments::providers::test::Pace;
use souk::payments::providers::test::TestProvider;
use souk::storage::Place;
use souk::storage::Storage;
use souk::users;
use souk::users::model::NewUser;
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::{Answer, TestDb, mailbox::PostOffice};

/// The secret of every test's tokens.
pub const SECRET: &str = "a secret of the tests, long enough for HS256";

/// The cheapest that argon2 takes: tests hash many.
const CHEAP: PasswordCost = PasswordCost { memory: 8, passes: 1 };

/// The secret of every test's webhooks.
pub const PAYMENT_SECRET: &str = "a secret of the tests that signs webhooks";

/// The pace of the test provider in tests: what is late comes never, and the test says when it is later.
pub const PACE: Pace =
    Pace { later: Duration::from_secs(3600), late: Duration::from_secs(3600), early: Duration::from_millis(200) };

/// The longest file of an upload in tests.
pub const UPLOAD_BYTES: u64 = 1024 * 1024;

/// A studio that fetches from this machine, too.
pub fn studio(storage: &Storage) -> Studio {
    Studio::new(storage.clone(), "/media", Rules { most: UPLOAD_BYTES, private: true })
}

/// The providers of a test's server.
fn payments(database: &TestDb) -> Providers {
    let test = TestProvider::new(database.db.clone(), PAYMENT_SECRET.to_owned(), PACE);
    Providers::new(Duration::from_secs(5), PaymentCapture::ByHand)
        .with(ProviderName::Manual, Arc::new(Manual))
        .with_test(test)
}

/// The router over a database of its own.
pub struct TestApp {
    /// The database.
    pub database: TestDb,
    /// What the resolvers use.
    pub services: Arc<Services>,
    pub(super) post_office: PostOffice,
    router: Router,
    drain: Box<dyn Fn() + Send + Sync>,
}

impl TestApp {
    /// A server with an empty, migrated database.
    pub async fn new() -> Self {
        Self::over(TestDb::new().await, &Self::settings())
    }

    /// The settings of the doors; a test that needs others changes some.
    pub fn settings() -> HttpSettings {
        HttpSettings {
            body_limit: 1024 * 1024,
            timeout: Duration::from_secs(30),
            ide: true,
            show_sql: true,
            cors_origins: vec!["https://shop.example".to_owned()],
            trusted_proxies: 1,
            upload_bytes: UPLOAD_BYTES,
        }
    }

    /// A server over this database, with these settings of the doors.
    pub fn over(database: TestDb, settings: &HttpSettings) -> Self {
        Self::signing(database, settings, JwtKeys::new(SECRET, chrono::Duration::minutes(60)))
    }

    /// A server over this database, with these keys.
    pub fn signing(database: TestDb, settings: &HttpSettings, jwt: JwtKeys) -> Self {
        Self::hashing(database, settings, jwt, CHEAP)
    }

    /// A server with an empty, migrated database and these rules of accounts.
    pub async fn with_accounts(accounts: AccountSettings) -> Self {
        let database = TestDb::new().await;
        let jwt = JwtKeys::new(SECRET, chrono::Duration::minutes(60));
        let services = Services { accounts, ..Self::services(&database, jwt, CHEAP) };
        Self::serving(database, &Self::settings(), services)
    }

    /// A server with an empty, migrated database and these rules of reviews.
    pub async fn with_reviews(reviews: ReviewSettings) -> Self {
        let database = TestDb::new().await;
        let jwt = JwtKeys::new(SECRET, chrono::Duration::minutes(60));
        let services = Services { reviews, ..Self::services(&database, jwt, CHEAP) };
        Self::serving(database, &Self::settings(), services)
    }

    /// A server over this database, whose passwords cost this.
    pub fn hashing(database: TestDb, settings: &HttpSettings, jwt: JwtKeys, cost: PasswordCost) -> Self {
        let services = Self::services(&database, jwt, cost);
        Self::serving(database, settings, services)
    }

    fn services(database: &TestDb, jwt: JwtKeys, cost: PasswordCost) -> Services {
        let storage = Storage::open(&Place::Memory).expect("a store");
        Services {
            db: database.db.clone(),
            passwords: Passwords::new(cost).expect("a cost"),
            live: Arc::new(Live::new(chrono::Duration::minutes(60))),
            session_life: chrono::Duration::days(30),
            accounts: AccountSettings::default(),
            selling: SellingSettings::default(),
            reviews: ReviewSettings::default(),
            jwt,
            currencies: Currencies::default(),
            providers: Arc::new(payments(database)),
            studio: studio(&storage),
            recorder: SearchRecorder::start(database.db.clone()),
            storage,
        }
    }

    /// A server with an empty, migrated database and these providers of payments.
    pub async fn paid_by(providers: impl FnOnce(&TestDb) -> Providers) -> Self {
        let database = TestDb::new().await;
        let jwt = JwtKeys::new(SECRET, chrono::Duration::minutes(60));
        let providers = Arc::new(providers(&database));
        let services = Services { providers, ..Self::services(&database, jwt, CHEAP) };
        Self::serving(database, &Self::settings(), services)
    }

    /// A server with an empty, migrated database that records nothing of what is searched.
    pub async fn unrecorded() -> Self {
        let database = TestDb::new().await;
        let jwt = JwtKeys::new(SECRET, chrono::Duration::minutes(60));
        let services = Services { recorder: SearchRecorder::off(), ..Self::services(&database, jwt, CHEAP) };
        Self::serving(database, &Self::settings(), services)
    }

    fn serving(database: TestDb, settings: &HttpSettings, services: Services) -> Self {
        let services = Arc::new(services);
        let engine = graphql::engine(&services, &Limits::default());
        let (router, health) = http::router(engine, Arc::clone(&services), settings);
        Self { database, services, post_office: PostOffice::new(), router, drain: Box::new(move || health.drain()) }
    }

    /// Tells the server that it is about to stop.
    pub fn drain(&self) {
        (self.drain)();
    }

    /// Somebody who is not logged in.
    pub fn anonymous(&self) -> Actor<'_> {
        Actor { app: self, token: None, key: None, cart: None, visitor: None, id: UserId(0) }
    }

    /// A new user with the role `customer`.
    pub async fn customer(&self) -> Actor<'_> {
        self.user("customer").await
    }

    /// A new user with the role `seller`.
    pub async fn seller(&self) -> Actor<'_> {
        self.user("seller").await
    }

    /// A new user with the role `manager`.
    pub async fn manager(&self) -> Actor<'_> {
        self.user("manager").await
    }

    /// A new user with the role `admin`.
    pub async fn admin(&self) -> Actor<'_> {
        self.user("admin").await
    }

    /// A new user with a role, logged in. The e-mail address is `<role>-<n>@souk.example`, without a password.
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

    /// A new user with a role of their own, which gives just this: at these websites, or everywhere without.
    pub async fn holder(&self, permissions: &[Permission], websites: &[WebsiteId]) -> Actor<'_> {
        let code = format!("r{}", uuid::Uuid::new_v4().simple());
        let new = NewRole { code: code.clone(), name: "Holder".into(), description: String::new() };
        let grant = access::actions::roles::GrantPatch {
            permissions: Some(permissions.iter().copied().collect()),
            websites: Some(websites.to_vec()),
        };
        let (db, live) = (&self.database.db, &self.services.live);
        access::actions::roles::create(db, live, &Viewer::system(), new, grant).await.expect("a role");
        self.user(&code).await
    }

    /// Somebody who is in the database already, logged in with what a role gives.
    pub async fn known(&self, user: UserId, role: &str) -> Actor<'_> {
        let role = role.to_owned();
        let found = self.database.db.read(async |conn| access::store::roles::find_by_code(conn, &role).await).await;
        self.log_in(user, found.expect("roles").expect("a role")).await
    }

    /// A session of a user, without a password.
    async fn log_in(&self, user: UserId, role: Role) -> Actor<'_> {
        let session = NewSession {
            user_id: user,
            device: Some("test".to_owned()),
            address: None,
            expires_at: chrono::Utc::now() + chrono::Duration::days(1),
        };
        let opened =
            self.database.db.transaction(async |conn| access::store::sessions::insert(conn, &session).await).await;
        if self.services.live.since().is_none() {
            // As a server does when it starts, so that no test counts these statements.
            access::actions::live::catch_up(&self.database.db, &self.services.live).await.expect("the register");
        }
        let identity = Identity {
            user,
            via: Via::Session(opened.expect("a session").id),
            role: role.row.code,
            permissions: role.permissions,
            websites: role.websites,
        };
        self.with_token(self.services.jwt.issue(&identity).expect("a token").token, user)
    }

    /// Somebody who sends this token.
    pub fn with_token(&self, token: String, id: UserId) -> Actor<'_> {
        Actor { app: self, token: Some(token), key: None, cart: None, visitor: None, id }
    }

    /// A machine that sends this API key of somebody.
    pub fn with_key(&self, key: String, id: UserId) -> Actor<'_> {
        Actor { app: self, token: None, key: Some(key), cart: None, visitor: None, id }
    }

    /// Another server over the same database, just started.
    pub async fn beside(&self) -> Self {
        Self::over(self.database.beside().await, &Self::settings())
    }

    /// Serves on a port of its own, until the test ends.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket"));
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async { axum::serve(listener, service).await });
        address
    }

    /// Sends any request.
    pub async fn send(&self, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
        let (head, body) = self.router.clone().oneshot(request).await.expect("axum is infallible").into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        (head.status, head.headers, bytes.to_vec())
    }
}

/// A person who uses the graph.
pub struct Actor<'a> {
    /// Where.
    pub app: &'a TestApp,
    token: Option<String>,
    key: Option<String>,
    cart: Option<String>,
    visitor: Option<String>,
    /// Who; 0 for somebody who is not logged in.
    pub id: UserId,
}

impl<'a> Actor<'a> {
    /// The same person, logged in anew.
    pub async fn again(&self) -> Actor<'a> {
        let id = self.id;
        if self.token.is_none() {
            let (key, cart, visitor) = (self.key.clone(), self.cart.clone(), self.visitor.clone());
            return Actor { app: self.app, token: None, key, cart, visitor, id };
        }
        let role = format!("SELECT code FROM roles JOIN users ON role_id = roles.id WHERE users.id = {}", id.0);
        self.app.known(id, &self.app.database.ask(&role).await).await.with_cart(self.cart.clone())
    }

    /// The same person, who sends this cart token along, or none.
    pub fn with_cart(self, cart: Option<String>) -> Actor<'a> {
        Actor { cart, ..self }
    }

    /// The same person, whose browser sends this id.
    pub fn with_visitor(self, visitor: &str) -> Actor<'a> {
        Actor { visitor: Some(visitor.to_owned()), ..self }
    }
}

impl Actor<'_> {
    /// The access token that they send, if they do.
    pub fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Their global id.
    pub fn global_id(&self) -> String {
        self.id.global()
    }

    /// Runs an operation without variables.
    pub async fn run(&self, document: &str) -> Answer {
        self.run_with(document, json!({})).await
    }

    /// Runs an operation.
    pub async fn run_with(&self, document: &str, variables: Value) -> Answer {
        self.run_by(self.request(), document, variables).await
    }

    /// The head of a request of theirs.
    pub fn request(&self) -> Builder {
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        let request = match &self.cart {
            Some(cart) => request.header(http::header_names::X_CART_TOKEN, cart),
            None => request,
        };
        let request = match &self.visitor {
            Some(visitor) => request.header(http::header_names::X_VISITOR_ID, visitor),
            None => request,
        };
        match (&self.token, &self.key) {
            (Some(token), _) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            (None, Some(key)) => request.header(http::header_names::X_API_KEY, key),
            (None, None) => request,
        }
    }

    /// Runs an operation by a request with this head.
    pub async fn run_by(&self, request: Builder, document: &str, variables: Value) -> Answer {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let recorder = Recorder::with_texts();
        let sent = self.app.send(request.body(Body::from(body)).expect("a request"));
        let (_, _, bytes) = recorder.clone().scope(sent).await;
        Answer::new(document, String::from_utf8(bytes).expect("UTF-8"), recorder.texts())
    }
}

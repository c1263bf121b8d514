//! The options of a test's server. Every option has a default; a test sets only those that it is about.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use souk::analytics::recorder::SearchRecorder;
use souk::auth::JwtKeys;
use souk::auth::NetworkHasher;
use souk::auth::PasswordCost;
use souk::auth::Passwords;
use souk::auth::PermissionCache;
use souk::config::AccountSettings;
use souk::config::AttemptSettings;
use souk::config::CartSettings;
use souk::config::Environment;
use souk::config::LimitSettings;
use souk::config::OrderSettings;
use souk::config::PaymentCapture;
use souk::config::ReviewSettings;
use souk::config::SubscriptionSettings;
use souk::config::UploadSettings;
use souk::config::{HttpSettings, RateSettings};
use souk::events::actions::feed::EventFeed;
use souk::graphql;
use souk::graphql::schema::caches::Caches;
use souk::graphql::schema::context::CurrencyCache;
use souk::graphql::schema::context::Services;
use souk::http;
use souk::media::actions::ImageProcessor;
use souk::media::fetch::FetchPolicy;
use souk::outbound::Addresses;
use souk::paging::CursorSeal;
use souk::payments::model::ProviderName;
use souk::payments::providers::Providers;
use souk::payments::providers::manual::Manual;
use souk::payments::providers::test::TestDelays;
use souk::payments::providers::test::TestProvider;
use souk::redis::Redis;
use souk::search::word_cache::WordCache;
use souk::storage::Storage;
use souk::storage::StorageLocation;
use souk::trusted_documents::lookup::TrustedDocuments;

use super::{RedisServer, TestApp, TestDb, mailbox::LazyMailWorker, stress::env_number};

/// Secret that signs the access tokens in tests.
pub const SECRET: &str = "a secret of the tests, long enough for HS256";

/// The lowest cost that argon2 accepts, because tests hash many passwords.
const CHEAP_PASSWORD_COST: PasswordCost = PasswordCost { memory: 8, passes: 1 };

/// Secret that signs the webhooks in tests.
pub const PAYMENT_SECRET: &str = "a secret of the tests that signs webhooks";

/// Delays of the test provider. `later` and `late` outcomes arrive only when the test makes them due.
pub const PACE: TestDelays =
    TestDelays { later: Duration::from_secs(3600), late: Duration::from_secs(3600), early: Duration::from_millis(200) };

/// Maximum size of an uploaded file in tests, in bytes.
pub const UPLOAD_BYTES: u64 = 1024 * 1024;

/// Returns an image processor that may also fetch from private addresses.
pub fn image_processor(storage: &Storage) -> ImageProcessor {
    ImageProcessor::new(storage.clone(), "/media", FetchPolicy { max_bytes: UPLOAD_BYTES, addresses: Addresses::All })
}

/// Size of the cache, to run all tests with one. The tests write around the server and read at once, so the cache sees all
/// changes before each request.
const CACHE_BYTES: &str = "SOUK_CACHE_BYTES";

/// Returns the default payment providers.
fn payments(database: &TestDb) -> Providers {
    let test = TestProvider::new(database.db.clone(), PAYMENT_SECRET.to_owned(), PACE);
    Providers::new(Duration::from_secs(5), PaymentCapture::ByHand)
        .with(ProviderName::Manual, Arc::new(Manual))
        .with_test(test)
}

/// Returns the default HTTP settings, which a test can change.
pub fn http_settings() -> HttpSettings {
    HttpSettings {
        body_limit: 1024 * 1024,
        max_batch: 10,
        timeout: Duration::from_secs(30),
        ide: Some(true),
        introspection: None,
        cors_origins: vec!["https://shop.example".to_owned()],
        trusted_proxies: 1,
        public_url: None,
        cache_max_age: 0,
        rates: RateSettings::unlimited(),
        uploads: UploadSettings::default(),
        subscriptions: SubscriptionSettings::default(),
    }
}

/// Builder of a [`TestApp`].
pub struct TestAppBuilder {
    database: Option<TestDb>,
    http: HttpSettings,
    environment: Environment,
    jwt: JwtKeys,
    password_cost: PasswordCost,
    accounts: AccountSettings,
    attempts: AttemptSettings,
    reviews: ReviewSettings,
    orders: OrderSettings,
    payment_providers: Box<dyn FnOnce(&TestDb) -> Providers + Send>,
    is_recording_searches: bool,
    cache_bytes: u64,
    limits: LimitSettings,
    redis: Option<String>,
}

impl Default for TestAppBuilder {
    fn default() -> Self {
        Self {
            database: None,
            http: http_settings(),
            environment: Environment::Development,
            jwt: JwtKeys::new(SECRET, chrono::Duration::minutes(60)),
            password_cost: CHEAP_PASSWORD_COST,
            accounts: AccountSettings::default(),
            attempts: AttemptSettings::default(),
            reviews: ReviewSettings::default(),
            orders: OrderSettings::unlimited(),
            payment_providers: Box::new(payments),
            is_recording_searches: true,
            cache_bytes: env_number(CACHE_BYTES, 0),
            limits: LimitSettings::default(),
            redis: None,
        }
    }
}

impl TestAppBuilder {
    /// Uses this database instead of an empty, migrated one.
    pub fn database(self, database: TestDb) -> Self {
        Self { database: Some(database), ..self }
    }

    /// Changes the HTTP settings, which start as [`http_settings`].
    pub fn http(mut self, change: impl FnOnce(&mut HttpSettings)) -> Self {
        change(&mut self.http);
        self
    }

    /// Runs in this environment instead of development.
    pub fn environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// Signs and verifies access tokens with these keys instead of [`SECRET`].
    pub fn jwt_keys(self, jwt: JwtKeys) -> Self {
        Self { jwt, ..self }
    }

    /// Hashes passwords at this cost instead of the lowest.
    pub fn password_cost(self, password_cost: PasswordCost) -> Self {
        Self { password_cost, ..self }
    }

    /// Sets the account settings.
    pub fn accounts(self, accounts: AccountSettings) -> Self {
        Self { accounts, ..self }
    }

    /// Sets the limits of attempts.
    pub fn attempts(self, attempts: AttemptSettings) -> Self {
        Self { attempts, ..self }
    }

    /// Sets the review settings.
    pub fn reviews(self, reviews: ReviewSettings) -> Self {
        Self { reviews, ..self }
    }

    /// Sets the order settings, instead of none that limit what a client may hold.
    pub fn orders(self, orders: OrderSettings) -> Self {
        Self { orders, ..self }
    }

    /// Uses these payment providers instead of the test provider and manual payment.
    pub fn payment_providers(self, providers: impl FnOnce(&TestDb) -> Providers + Send + 'static) -> Self {
        Self { payment_providers: Box::new(providers), ..self }
    }

    /// Sets the limits of documents and responses.
    pub fn limits(self, limits: LimitSettings) -> Self {
        Self { limits, ..self }
    }

    /// Keeps responses to anonymous queries in a cache.
    pub fn cached(self) -> Self {
        self.cache_bytes(16 * 1024 * 1024)
    }

    /// Keeps responses to anonymous queries in a cache of this size; 0 for none.
    pub fn cache_bytes(self, bytes: u64) -> Self {
        Self { cache_bytes: bytes, ..self }
    }

    /// Does not record searches.
    pub fn without_search_recorder(self) -> Self {
        Self { is_recording_searches: false, ..self }
    }

    /// Shares caches and rate limits with other servers by Redis.
    pub fn redis(self, server: &RedisServer) -> Self {
        self.redis_url(server.url())
    }

    /// Shares caches and rate limits with other servers by the Redis at this URL.
    pub fn redis_url(self, url: String) -> Self {
        Self { redis: Some(url), ..self }
    }

    /// Starts the server.
    pub async fn build(self) -> TestApp {
        let database = match self.database {
            Some(database) => database,
            None => TestDb::new().await,
        };
        let storage = Storage::open(&StorageLocation::Memory).expect("a store");
        let search_recorder = match self.is_recording_searches {
            true => SearchRecorder::start(database.db.clone(), NetworkHasher::new([7; 32])),
            false => SearchRecorder::disabled(),
        };
        let redis = match &self.redis {
            None => None,
            Some(url) => Some(Redis::open(url).await.expect("a URL")),
        };
        let shared = redis.clone().map(|redis| (redis, "a build".to_owned()));
        let caches = Caches::open(self.cache_bytes, 10_000, database.db.clone(), &search_recorder, shared);
        caches.responses.catch_up().await;
        let services = Arc::new(Services {
            db: database.db.clone(),
            passwords: Passwords::new(self.password_cost).expect("a cost"),
            permission_cache: Arc::new(PermissionCache::new(chrono::Duration::minutes(60))),
            session_lifetime: chrono::Duration::days(30),
            accounts: self.accounts,
            attempts: self.attempts,
            selling: CartSettings::default(),
            orders: self.orders,
            reviews: self.reviews,
            jwt: self.jwt,
            currency_cache: CurrencyCache::default(),
            providers: Arc::new((self.payment_providers)(&database)),
            image_processor: image_processor(&storage),
            search_recorder,
            word_cache: WordCache::default(),
            cursor_seal: CursorSeal::new([8; 32]),
            shared_loads: Arc::default(),
            responses: caches.responses,
            events: EventFeed::start(database.db.clone()),
            trusted_documents: TrustedDocuments::new(database.db.clone(), self.limits.trusted_documents_only),
            engine: OnceLock::new(),
            entities: caches.entities,
            redis,
            storage,
        });
        let engine = graphql::engine(&services, &self.limits);
        let (router, health) = http::router(engine, Arc::clone(&services), &self.http, self.environment);
        TestApp {
            database,
            services,
            catches_up: env_number(CACHE_BYTES, 0) > 0,
            mail_worker: LazyMailWorker::new(),
            router,
            drain: Box::new(move || health.drain()),
        }
    }
}

//! `souk serve`: starts the server and runs it until it receives a stop signal.
//! Rule: settings are checked before the database is opened, so that an invalid one is reported at once.

use std::{
    fs::File,
    io::{BufRead, BufReader, IsTerminal},
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use sha2::{Digest, Sha256};
use tokio::{
    net::TcpSocket,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use super::{
    CommandError, CommandResult,
    database::Database,
    demo::{self, SeedReport},
    descriptors,
    job_handlers::{self, JobContext},
};
use crate::access::actions::cache::refresh_cache;
use crate::access::actions::cache_task;
use crate::analytics::recorder::SearchRecorder;
use crate::auth::JwtKeys;
use crate::auth::NetworkHasher;
use crate::auth::PasswordCost;
use crate::auth::Passwords;
use crate::auth::PermissionCache;
use crate::config::CacheSettings;
use crate::config::ConnectionSettings;
use crate::config::Environment;
use crate::config::HttpSettings;
use crate::config::ServeSettings;
use crate::config::Settings;
use crate::db::Db;
use crate::db::migrations;
use crate::events::actions::feed::EventFeed;
use crate::graphql;
use crate::graphql::schema::caches::Caches;
use crate::graphql::schema::context::CurrencyCache;
use crate::graphql::schema::context::Services;
use crate::graphql::schema::webhooks::payload::payload_source;
use crate::http;
use crate::jobs::worker::Worker;
use crate::mail::actions::Mailer;
use crate::media::actions::ImageProcessor;
use crate::paging::CursorSeal;
use crate::payments::providers::Providers;
use crate::payments::providers::test::TestDelays;
use crate::payments::providers::test::TestProvider;
use crate::redis::Redis;
use crate::search::word_cache::WordCache;
use crate::storage::Storage;
use crate::storage::temporary::TemporaryDirectory;
use crate::trusted_documents::lookup::TrustedDocuments;

/// Time limit for writing the last recorded searches at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Components that are opened before the database, so that an invalid setting is reported at once.
struct Components {
    jwt: JwtKeys,
    mailer: Option<Arc<Mailer>>,
    test_payment_secret: Option<String>,
    storage: Storage,
    redis: Option<Redis>,
}

impl Components {
    async fn open(settings: &Settings, serve: &ServeSettings) -> Result<Self, CommandError> {
        let jwt = serve.tokens.jwt(settings)?;
        let mailer = Mailer::open(&serve.mail, settings)?.map(Arc::new);
        let test_payment_secret = serve.payments.test_secret(settings)?;
        let storage = Storage::open(&serve.files.storage_location(settings)?)?;
        if mailer.is_none() {
            tracing::warn!("SOUK_SMTP_URL is not set: emails stay in the queue until it is");
        }
        let redis = serve.redis.open().await?;
        Ok(Self { jwt, mailer, test_payment_secret, storage, redis })
    }
}

pub(super) async fn serve(settings: &Settings, serve: &ServeSettings, with_demo: bool) -> CommandResult {
    if with_demo {
        demo::check_environment(settings)?;
    }
    let components = Components::open(settings, serve).await?;
    let address = serve.listen.address;
    let socket = bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let stop = stop_signal()?;
    let temporary_files = TemporaryDirectory::create(&Settings::temporary_directory())?;
    Settings::use_temporary_directory(temporary_files.path());
    let database = Database::open(settings).await?;
    let result = run(settings, serve, with_demo, &database.url, components, socket, stop).await;
    database.close().await;
    result
}

async fn run(
    settings: &Settings,
    serve: &ServeSettings,
    with_demo: bool,
    url: &str,
    components: Components,
    socket: TcpSocket,
    stop: oneshot::Receiver<()>,
) -> CommandResult {
    let migrated = migrations::migrate(url).await?;
    if !migrated.applied.is_empty() {
        tracing::info!(count = migrated.applied.len(), "database migrated");
    }
    let db = Db::connect(url, &settings.db()).await?;
    let passwords = Passwords::new(PasswordCost::default())?;
    let image_processor =
        demo::image_processor(components.storage.clone(), &serve.files, serve.http.public_url.as_deref());
    let demo = if with_demo { Some(demo::seed(&db, &passwords, &image_processor).await?) } else { None };
    let mailer = components.mailer.clone();
    tokio::spawn(remove_incomplete_files(components.storage.clone()));
    let services = Arc::new(build_services(settings, serve, db, passwords, image_processor, components).await?);
    let watcher = tokio::spawn(cache_task::run(services.db.clone(), Arc::clone(&services.permission_cache)));
    let engine = graphql::engine(&services, &serve.limits);
    let worker = job_handlers::build_worker(JobContext {
        db: services.db.clone(),
        mailer,
        providers: Arc::clone(&services.providers),
        image_processor: services.image_processor.clone(),
        analytics: serve.analytics,
        payloads: payload_source(&services, serve.http.public_url.as_deref()),
    });
    let search_recorder = services.search_recorder.clone();
    let (router, health) = http::router(engine, services, &serve.http, settings.environment);
    let connections = ConnectionSettings {
        max_connections: descriptors::max_connections(serve.connections.max_connections),
        ..serve.connections
    };
    let listener =
        socket.listen(BACKLOG).map_err(|error| format!("cannot listen on {}: {error}", serve.listen.address))?;
    print_welcome(listener.local_addr()?, &serve.http, settings.environment, demo.as_ref());
    let server = async move |shutdown: BoxFuture<'static, ()>| {
        http::serve(listener, router, connections, serve.http.trusted_proxies, shutdown).await;
    };
    let drain = Duration::from_millis(serve.drain_ms);
    let result = serve_until_stopped(server, move || health.drain(), worker, stop, drain).await;
    // Writes the last recorded searches. The timeout keeps an unreachable database from blocking the shutdown.
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, search_recorder.flush()).await;
    watcher.abort();
    result
}

/// Removes the files that killed servers were writing to the storage.
async fn remove_incomplete_files(storage: Storage) {
    match storage.remove_incomplete_files().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "incomplete files removed"),
        Err(error) => tracing::warn!(%error, "incomplete files could not be removed"),
    }
}

/// Reserves the address, so that one in use is reported at once. Connections are refused until the socket listens, when
/// the server can respond.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Builds the services that resolvers use.
async fn build_services(
    settings: &Settings,
    serve: &ServeSettings,
    db: Db,
    passwords: Passwords,
    image_processor: ImageProcessor,
    components: Components,
) -> Result<Services, CommandError> {
    let Components { jwt, test_payment_secret, storage, redis, .. } = components;
    let currency_cache = CurrencyCache::default();
    currency_cache.preload(&db).await?;
    let permission_cache = Arc::new(PermissionCache::new(jwt.lifetime()));
    refresh_cache(&db, &permission_cache).await?;
    let test_provider = test_payment_secret.map(|secret| TestProvider::new(db.clone(), secret, TestDelays::default()));
    let names = serve.payments.provider_names(settings);
    let providers = Arc::new(Providers::open(&names, serve.payments.payment_capture, test_provider)?);
    let search_recorder = match serve.analytics.is_on() {
        true => SearchRecorder::start(db.clone(), NetworkHasher::new(jwt.derive_key("networks of searches")?)),
        false => SearchRecorder::disabled(),
    };
    let CacheSettings { bytes, entries } = serve.cache;
    let shared = match redis.as_ref().filter(|_| bytes > 0) {
        None => None,
        Some(redis) => match tokio::task::spawn_blocking(program_hash).await? {
            Ok(hash) => Some((redis.clone(), hash)),
            Err(error) => {
                tracing::warn!(%error, "program could not be read: responses are not shared");
                None
            }
        },
    };
    let caches = Caches::open(bytes, entries, db.clone(), &search_recorder, shared);
    let events = EventFeed::start(db.clone());
    let trusted_documents = TrustedDocuments::new(db.clone(), serve.limits.trusted_documents_only);
    let cursor_seal = CursorSeal::new(jwt.derive_key("cursors")?);
    Ok(Services {
        db,
        passwords,
        jwt,
        permission_cache,
        session_lifetime: chrono::Duration::days(i64::from(serve.tokens.session_days)),
        accounts: serve.accounts,
        attempts: serve.attempts,
        selling: serve.carts,
        orders: serve.orders,
        reviews: serve.reviews,
        currency_cache,
        providers,
        storage,
        image_processor,
        search_recorder,
        word_cache: WordCache::default(),
        cursor_seal,
        shared_loads: Arc::default(),
        responses: caches.responses,
        entities: caches.entities,
        events,
        trusted_documents,
        engine: OnceLock::new(),
        redis,
    })
}

/// Returns the hash of this program, which stands for its version: servers of the same version share responses.
fn program_hash() -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = BufReader::with_capacity(1 << 20, File::open(Settings::program()?)?);
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(bytes);
        let length = bytes.len();
        file.consume(length);
    }
}

/// Serves requests and runs jobs until stopped. Then calls `start_draining` and gives running work up to `drain` to
/// finish.
async fn serve_until_stopped(
    server: impl AsyncFnOnce(BoxFuture<'static, ()>),
    start_draining: impl FnOnce() + Send + 'static,
    worker: Worker,
    stop: oneshot::Receiver<()>,
    drain: Duration,
) -> CommandResult {
    let (stop_worker_tx, stop_worker_rx) = oneshot::channel::<()>();
    let worker_task = tokio::spawn(async move {
        let stop = async { drop(stop_worker_rx.await) };
        worker.run(stop).await;
    });
    let (drain_started_tx, drain_started_rx) = oneshot::channel();
    let shutdown = async move {
        let _ = stop.await;
        tracing::info!("shutting down: waiting for running operations and jobs");
        start_draining();
        let _ = stop_worker_tx.send(());
        let _ = drain_started_tx.send(());
    };
    let result = async {
        server(shutdown.boxed()).await;
        Ok::<_, CommandError>(worker_task.await?)
    };
    tokio::select! {
        result = result => result,
        () = async { let _ = drain_started_rx.await; tokio::time::sleep(drain).await } => {
            tracing::warn!("shutdown timed out: some operations or jobs did not finish");
            Ok(())
        }
    }
}

/// Returns a receiver that fires on SIGTERM or Ctrl-C. A second signal ends the process at once.
fn stop_signal() -> std::io::Result<oneshot::Receiver<()>> {
    let (send, receive) = oneshot::channel();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        let _ = send.send(());
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::warn!("second stop signal: exiting at once");
        std::process::exit(1);
    });
    Ok(receive)
}

fn print_welcome(address: SocketAddr, settings: &HttpSettings, environment: Environment, demo: Option<&SeedReport>) {
    let mut lines =
        vec![format!("souk {}", env!("CARGO_PKG_VERSION")), format!("GraphQL     http://{address}/graphql")];
    if settings.has_ide(environment) {
        lines.push(format!("GraphiQL    http://{address}/graphiql"));
        lines.push(format!("Playground  http://{address}/playground"));
    }
    lines.push(format!("Manual      http://{address}/docs"));
    lines.push(format!("Health      http://{address}/readyz"));
    if let Some(SeedReport { outcome, logins }) = demo {
        lines.push(String::new());
        lines.extend(outcome.message().map(str::to_owned));
        if !logins.is_empty() {
            lines.push("Demo logins: role, email, password".to_owned());
            lines.extend(logins.iter().map(ToString::to_string));
        }
    }
    if settings.cors_origins.is_empty() {
        let allowed = match environment {
            Environment::Development => "this origin and from localhost on any port",
            Environment::Production => "this origin only",
        };
        lines.push(String::new());
        lines.push(format!("Browsers may call from {allowed}. To allow other origins:"));
        lines.push("souk serve --cors-origins https://shop.example".to_owned());
    }
    if std::io::stdout().is_terminal() {
        lines.push(String::new());
        lines.push("Press Ctrl-C to stop.".to_owned());
    }
    print_line!("{}", lines.join("\n"));
}

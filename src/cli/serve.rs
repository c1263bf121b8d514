//! `souk serve`: opens what the server needs, and runs it until it is told to stop.
//! Rule: settings are checked before the database is opened, so that a wrong one is reported at once.

use std::{io::IsTerminal, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use super::{
    Failed, Outcome,
    database::Database,
    demo,
    work::{self, JobContext},
};
use crate::access::actions::live::catch_up;
use crate::access::actions::watch::keep_up;
use crate::analytics::recorder::SearchRecorder;
use crate::auth::JwtKeys;
use crate::auth::Live;
use crate::auth::PasswordCost;
use crate::auth::Passwords;
use crate::config::ServeSettings;
use crate::config::Settings;
use crate::db::Db;
use crate::db::migrations;
use crate::graphql;
use crate::graphql::schema::context::Currencies;
use crate::graphql::schema::context::Services;
use crate::http;
use crate::jobs::worker::Worker;
use crate::mail::actions::Mailer;
use crate::media::actions::Studio;
use crate::media::fetch::Rules;
use crate::payments::providers::Providers;
use crate::payments::providers::test::Pace;
use crate::payments::providers::test::TestProvider;
use crate::storage::Storage;

/// How long what was searched last may take to be written when the server ends.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// What is opened before the database, so that a wrong setting is told at once.
struct Parts {
    jwt: JwtKeys,
    mailer: Option<Arc<Mailer>>,
    test_payments: Option<String>,
    storage: Storage,
}

impl Parts {
    fn open(settings: &Settings, serve: &ServeSettings) -> Result<Self, Failed> {
        let jwt = serve.tokens.jwt(settings)?;
        let mailer = Mailer::open(&serve.mail, settings)?.map(Arc::new);
        let test_payments = serve.payments.test_secret(settings)?;
        let storage = Storage::open(&serve.files.place(settings)?)?;
        if mailer.is_none() {
            tracing::warn!("SOUK_SMTP_URL is not set: mail is queued, and waits until there is a server to take it");
        }
        Ok(Self { jwt, mailer, test_payments, storage })
    }
}

pub(super) async fn serve(settings: &Settings, serve: &ServeSettings, with_demo: bool) -> Outcome {
    let parts = Parts::open(settings, serve)?;
    let listener =
        TcpListener::bind(serve.listen).await.map_err(|error| format!("cannot listen on {}: {error}", serve.listen))?;
    let stop = stop_signal()?;
    let database = Database::open(settings).await?;
    let done = run(settings, serve, with_demo, &database.url, parts, listener, stop).await;
    database.close().await;
    done
}

async fn run(
    settings: &Settings,
    serve: &ServeSettings,
    with_demo: bool,
    url: &str,
    parts: Parts,
    listener: TcpListener,
    stop: oneshot::Receiver<()>,
) -> Outcome {
    let migrated = migrations::migrate(url).await?;
    if !migrated.applied.is_empty() {
        tracing::info!(count = migrated.applied.len(), "migrated the database");
    }
    let db = Db::connect(url, &settings.db()).await?;
    let passwords = Passwords::new(PasswordCost::default())?;
    let logins = if with_demo { demo::fill(&db, &passwords).await? } else { Vec::new() };
    let mailer = parts.mailer.clone();
    let services = Arc::new(services(settings, serve, db, passwords, parts).await?);
    let watch = tokio::spawn(keep_up(services.db.clone(), Arc::clone(&services.live)));
    let worker = work::worker(JobContext {
        db: services.db.clone(),
        mailer,
        providers: Arc::clone(&services.providers),
        studio: services.studio.clone(),
        analytics: serve.analytics,
    });
    let recorder = services.recorder.clone();
    let engine = graphql::engine(&services, &serve.limits);
    let (router, health) = http::router(engine, services, &serve.http, settings.environment);
    print_welcome(listener.local_addr()?, serve.http.has_ide(settings.environment), &logins);
    let done =
        answer(router, move || health.drain(), worker, listener, stop, Duration::from_millis(serve.drain_ms)).await;
    // What was searched last. A database that is away is not waited for.
    let _ = tokio::time::timeout(LAST_WRITE, recorder.flush()).await;
    watch.abort();
    done
}

/// What the resolvers work with.
async fn services(
    settings: &Settings,
    serve: &ServeSettings,
    db: Db,
    passwords: Passwords,
    parts: Parts,
) -> Result<Services, Failed> {
    let Parts { jwt, test_payments, storage, .. } = parts;
    let currencies = Currencies::default();
    currencies.fill(&db).await?;
    let live = Arc::new(Live::new(jwt.lifetime()));
    catch_up(&db, &live).await?;
    let test = test_payments.map(|secret| TestProvider::new(db.clone(), secret, Pace::default()));
    let names = serve.payments.names(settings);
    let providers = Arc::new(Providers::open(&names, serve.payments.payment_capture, test)?);
    let files = &serve.files;
    let fetching = Rules { most: files.upload_bytes, private: files.fetch_private };
    let studio = Studio::new(storage.clone(), &files.media_url, fetching);
    let recorder = if serve.analytics.is_on() { SearchRecorder::start(db.clone()) } else { SearchRecorder::off() };
    Ok(Services {
        db,
        passwords,
        jwt,
        live,
        session_life: chrono::Duration::days(i64::from(serve.tokens.session_days)),
        accounts: serve.accounts,
        selling: serve.selling,
        reviews: serve.reviews,
        currencies,
        providers,
        storage,
        studio,
        recorder,
    })
}

/// Answers requests and runs jobs until told to stop. Then it calls `leave`, and what runs may take as long as `drain`.
async fn answer(
    router: Router,
    leave: impl FnOnce() + Send + 'static,
    worker: Worker,
    listener: TcpListener,
    stop: oneshot::Receiver<()>,
    drain: Duration,
) -> Outcome {
    let (stop_work, work_stopped) = oneshot::channel::<()>();
    let working = tokio::spawn(async move {
        let stop = async { drop(work_stopped.await) };
        worker.run(stop).await;
    });
    let (drained, wait_for_drain) = oneshot::channel();
    let shutdown = async move {
        let _ = stop.await;
        tracing::info!("stopping: running operations and jobs may finish");
        leave();
        let _ = stop_work.send(());
        let _ = drained.send(());
    };
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the next packet.
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(shutdown);
    let done = async {
        serving.await?;
        Ok::<_, Failed>(working.await?)
    };
    tokio::select! {
        done = done => done,
        () = async { let _ = wait_for_drain.await; tokio::time::sleep(drain).await } => {
            tracing::warn!("some operations or jobs did not finish in time");
            Ok(())
        }
    }
}

/// Fires at SIGTERM or Ctrl-C; a second one ends the process at once.
fn stop_signal() -> std::io::Result<oneshot::Receiver<()>> {
    let (send, receive) = oneshot::channel();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        let _ = send.send(());
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::warn!("told to stop twice: ending at once");
        std::process::exit(1);
    });
    Ok(receive)
}

fn print_welcome(address: SocketAddr, ide: bool, logins: &[demo::Login]) {
    let mut lines =
        vec![format!("souk {}", env!("CARGO_PKG_VERSION")), format!("GraphQL     http://{address}/graphql")];
    if ide {
        lines.push(format!("GraphiQL    http://{address}/graphiql"));
        lines.push(format!("Playground  http://{address}/playground"));
    }
    lines.push(format!("Health      http://{address}/readyz"));
    if !logins.is_empty() {
        lines.push(String::new());
        lines.push("Demo logins: role, e-mail, password".to_owned());
        lines.extend(logins.iter().map(ToString::to_string));
    }
    if std::io::stdout().is_terminal() {
        lines.push(String::new());
        lines.push("Press Ctrl-C to stop.".to_owned());
    }
    say!("{}", lines.join("\n"));
}

//! Email and background jobs of a test's server: nothing runs by itself; the test says when.

use std::sync::Arc;

use clap::Parser;
use serde_json::Value;
use souk::{
    cli::job_handlers::{self, JobContext},
    config::{AnalyticsSettings, MailSettings, PaymentCapture, Settings},
    db::Db,
    graphql::schema::webhooks::payload::payload_source,
    ids::WebsiteId,
    jobs::worker::Worker,
    mail::{
        actions::{Mailer, queue},
        model::{Message, Template},
    },
    payments::providers::{Providers, RESPONSE_TIMEOUT},
    storage::{Storage, StorageLocation},
    webhooks::actions::deliver::{Payload, PayloadSource},
};
use tokio::sync::OnceCell;

use super::{TestApp, TestDb, builder::image_processor, email::Email, smtp::SmtpSink};

/// Token of every email made by [`message`].
pub const TOKEN: &str = "dGhlLXRva2VuLW9mLXRoaXMtdGVzdC1pcy1zZWNyZXQ";

/// Mail server and worker of a test's server, started on first use.
pub type LazyMailWorker = OnceCell<(SmtpSink, Worker)>;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    mail: MailSettings,
}

/// Returns the settings for these flags.
pub fn mail_settings(flags: &[&str]) -> (MailSettings, Settings) {
    let Command { settings, mail } = Command::parse_from([&["souk"], flags].concat());
    (mail, settings)
}

/// Returns the error for flags that are rejected.
#[track_caller]
pub fn mailer_error(flags: &[&str]) -> String {
    let (mail, settings) = mail_settings(flags);
    let opened = Mailer::open(&mail, &settings).map(drop);
    opened.err().unwrap_or_else(|| panic!("{flags:?} were accepted")).to_string()
}

/// Returns a mailer that sends to this server, with more flags.
pub fn mailer(sink: &SmtpSink, flags: &[&str]) -> Mailer {
    let url = sink.url();
    let own = ["--smtp-url", &url, "--mail-from", "post@shop.example", "--shop-url", "https://shop.example"];
    let (mail, settings) = mail_settings(&[&own, flags].concat());
    Mailer::open(&mail, &settings).expect("valid settings").expect("a configured mail server")
}

/// Returns a source of no payloads.
pub fn no_payloads() -> PayloadSource {
    Arc::new(|_| Box::pin(async { Ok(Payload::Nothing) }))
}

/// Returns a worker without payment providers.
pub fn worker(db: &Db, mailer: Option<Mailer>) -> Worker {
    let storage = Storage::open(&StorageLocation::Memory).expect("a store");
    job_handlers::build_worker(JobContext {
        db: db.clone(),
        mailer: mailer.map(Arc::new),
        providers: Arc::new(Providers::new(RESPONSE_TIMEOUT, PaymentCapture::ByHand)),
        image_processor: image_processor(&storage),
        analytics: AnalyticsSettings::default(),
        payloads: no_payloads(),
    })
}

impl TestApp {
    async fn mail_worker(&self) -> &(SmtpSink, Worker) {
        let open = async || {
            let sink = SmtpSink::start().await;
            let worker = job_handlers::build_worker(JobContext {
                db: self.database.db.clone(),
                mailer: Some(Arc::new(mailer(&sink, &[]))),
                providers: Arc::clone(&self.services.providers),
                image_processor: self.services.image_processor.clone(),
                analytics: AnalyticsSettings::default(),
                payloads: payload_source(&self.services, None),
            });
            (sink, worker)
        };
        self.mail_worker.get_or_init(open).await
    }

    /// Runs the jobs that are due until none is left; returns how many ran.
    pub async fn run_jobs(&self) -> usize {
        self.mail_worker().await.1.run_due().await
    }

    /// Runs the jobs that are due and returns the emails sent since the last call, in the order they were queued.
    pub async fn emails(&self) -> Vec<Email> {
        self.run_jobs().await;
        self.mail_worker().await.0.take()
    }
}

/// Returns a message with valid values and these changes.
pub fn message(template: Template, changes: Value) -> Message {
    let mut values = template.sample();
    if values["token"].is_string() {
        values["token"] = TOKEN.into();
    }
    values.as_object_mut().expect("values").extend(changes.as_object().expect("changes").clone());
    Message { template, to: "ada@souk.example".to_owned(), user: None, website: None, values }
}

/// Queues an email.
pub async fn enqueue(database: &TestDb, message: &Message) {
    database.db.transaction(async |conn| queue(conn, message).await).await.expect("a queued email");
}

/// A database, a mail server, and a worker that sends the queued emails of one to the other.
pub struct MailSystem {
    /// The database.
    pub database: TestDb,
    /// The mail server.
    pub sink: SmtpSink,
    /// The worker that sends the emails.
    pub worker: Worker,
}

impl MailSystem {
    /// Starts all three, the mailer with these flags.
    pub async fn start(flags: &[&str]) -> Self {
        let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
        let worker = worker(&database.db, Some(mailer(&sink, flags)));
        Self { database, sink, worker }
    }

    /// Queues this message, sends it and returns the only email that arrives.
    pub async fn send(&self, message: &Message) -> Email {
        enqueue(&self.database, message).await;
        assert_eq!(self.worker.run_due().await, 1);
        assert_eq!(self.database.scalar("SELECT last_error FROM jobs").await, "");
        let [mail] = self.sink.take().try_into().expect("one email");
        mail
    }

    /// Creates a website with this code.
    pub async fn website(&self, code: &str, name: &str) -> WebsiteId {
        let insert = format!(
            "INSERT INTO websites (code, name, base_url, currency)
             VALUES ('{code}', '{name}', 'https://{code}.example/', 'EUR') RETURNING id"
        );
        WebsiteId(self.database.scalar(&insert).await.parse().expect("an id"))
    }
}

//! The mail and the background work of a test's server: nothing runs by itself, the test says when.

use std::sync::Arc;

use clap::Parser;
use serde_json::Value;
use souk::{
    cli::job_handlers::{self, JobContext},
    config::{AnalyticsSettings, MailSettings, PaymentCapture, Settings},
    db::Db,
    ids::WebsiteId,
    jobs::worker::Worker,
    mail::{
        actions::{Mailer, queue},
        model::{Message, Template},
    },
    payments::providers::{Providers, RESPONSE_TIMEOUT},
    storage::{Storage, StorageLocation},
};
use tokio::sync::OnceCell;

use super::{TestApp, TestDb, builder::image_processor, email::Email, smtp::SmtpSink};

/// The token of every mail of [`message`].
pub const TOKEN: &str = "dGhlLXRva2VuLW9mLXRoaXMtdGVzdC1pcy1zZWNyZXQ";

/// The post office of a test's server, opened by the first who asks.
pub type LazyMailWorker = OnceCell<(SmtpSink, Worker)>;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    mail: MailSettings,
}

/// The settings that these flags make.
pub fn mail_settings(flags: &[&str]) -> (MailSettings, Settings) {
    let Command { settings, mail } = Command::parse_from([&["souk"], flags].concat());
    (mail, settings)
}

/// Why these flags make no mailer.
#[track_caller]
pub fn mailer_error(flags: &[&str]) -> String {
    let (mail, settings) = mail_settings(flags);
    let opened = Mailer::open(&mail, &settings).map(drop);
    opened.err().unwrap_or_else(|| panic!("{flags:?} are taken")).to_string()
}

/// A mailer that sends to this server, with more flags.
pub fn mailer(sink: &SmtpSink, flags: &[&str]) -> Mailer {
    let url = sink.url();
    let own = ["--smtp-url", &url, "--mail-from", "post@shop.example", "--shop-url", "https://shop.example"];
    let (mail, settings) = mail_settings(&[&own, flags].concat());
    Mailer::open(&mail, &settings).expect("sound settings").expect("there is a server")
}

/// A worker of a shop where nothing is paid.
pub fn worker(db: &Db, mailer: Option<Mailer>) -> Worker {
    let storage = Storage::open(&StorageLocation::Memory).expect("a store");
    job_handlers::build_worker(JobContext {
        db: db.clone(),
        mailer: mailer.map(Arc::new),
        providers: Arc::new(Providers::new(RESPONSE_TIMEOUT, PaymentCapture::ByHand)),
        image_processor: image_processor(&storage),
        analytics: AnalyticsSettings::default(),
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
            });
            (sink, worker)
        };
        self.mail_worker.get_or_init(open).await
    }

    /// Runs the jobs that are due until nothing is; how many were run.
    pub async fn run_jobs(&self) -> usize {
        self.mail_worker().await.1.run_due().await
    }

    /// Runs the jobs that are due, and gives the mails that came since the last time, in the order they were queued.
    pub async fn emails(&self) -> Vec<Email> {
        self.run_jobs().await;
        self.mail_worker().await.0.take()
    }
}

/// A mail with sound values, but for these.
pub fn message(template: Template, changes: Value) -> Message {
    let mut values = template.sample();
    if values["token"].is_string() {
        values["token"] = TOKEN.into();
    }
    values.as_object_mut().expect("values").extend(changes.as_object().expect("changes").clone());
    Message { template, to: "ada@souk.example".to_owned(), user: None, website: None, values }
}

/// Queues a mail.
pub async fn enqueue(database: &TestDb, message: &Message) {
    database.db.transaction(async |conn| queue(conn, message).await).await.expect("a mail");
}

/// A database, a mail server, and a worker that sends the mail of one to the other.
pub struct MailSystem {
    /// The database.
    pub database: TestDb,
    /// The mail server.
    pub sink: SmtpSink,
    /// What sends the mail of one to the other.
    pub worker: Worker,
}

impl MailSystem {
    /// All three, the mailer with these flags.
    pub async fn start(flags: &[&str]) -> Self {
        let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
        let worker = worker(&database.db, Some(mailer(&sink, flags)));
        Self { database, sink, worker }
    }

    /// The only mail that came of this message.
    pub async fn send(&self, message: &Message) -> Email {
        enqueue(&self.database, message).await;
        assert_eq!(self.worker.run_due().await, 1);
        assert_eq!(self.database.scalar("SELECT last_error FROM jobs").await, "");
        let [mail] = self.sink.take().try_into().expect("one mail");
        mail
    }

    /// A website with this code.
    pub async fn website(&self, code: &str, name: &str) -> WebsiteId {
        let insert = format!(
            "INSERT INTO websites (code, name, base_url, currency)
             VALUES ('{code}', '{name}', 'https://{code}.example/', 'EUR') RETURNING id"
        );
        WebsiteId(self.database.scalar(&insert).await.parse().expect("an id"))
    }
}

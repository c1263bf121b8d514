//! Delivery of emails: SMTP settings, rejected emails, and servers without SMTP.

use std::fs;

use serde_json::json;
use souk::mail::{
    actions::Mailer,
    model::{Message, Template},
};

use crate::support::{
    TestApp, TestDb,
    email::Email,
    mailbox::{MailSystem, TOKEN, enqueue, mail_settings, mailer, mailer_error, message, worker},
    process::{DataDir, ServerProcess},
    query_scalar,
    smtp::{SmtpBehavior, SmtpSink},
};

const JOB: &str = "SELECT concat_ws(' ', state, attempts, last_error) FROM jobs";
const ALL_DUE: &str = "UPDATE jobs SET run_at = now()";

#[tokio::test]
async fn ambiguous_smtp_settings_are_rejected() {
    let from = ["--mail-from", "Shop <post@shop.example>"];
    for (url, words) in [
        ("smtp://mail.example", "?tls=required"),
        ("smtp://mail.example:587", "?tls=required"),
        ("smtp://mail.example?tls=maybe", "SOUK_SMTP_URL"),
        ("smtp://mail.example?tsl=required", "?tls=required"),
        ("SMTP://mail.example", "SOUK_SMTP_URL"),
        ("smtp://pass:12#34@mail.example?tls=required", "%23"),
        ("smtps://eve@mail.example", "password"),
        ("http://mail.example", "SOUK_SMTP_URL"),
        ("mail.example", "SOUK_SMTP_URL"),
        ("smtps://", "a host is required"),
        ("smtps://eve:secret@:465", "a host is required"),
    ] {
        let error = mailer_error(&[&["--smtp-url", url], from.as_slice()].concat());
        assert!(error.starts_with("SOUK_SMTP_URL: ") && error.contains(words), "{url}: {error}");
        assert!(!error.contains("eve"), "{error}");
    }
    let smtp = ["--smtp-url", "smtps://eve:secret@mail.example"];
    assert!(mailer_error(&smtp).contains("SOUK_MAIL_FROM: a sender is required"));
    assert!(mailer_error(&[&["--mail-from", "Shop"], smtp.as_slice()].concat()).starts_with("SOUK_MAIL_FROM: "));
    assert!(mailer_error(&["--shop-url", "shop.example"]).starts_with("SOUK_SHOP_URL: "));
    for url in [
        "smtps://mail.example",
        "smtps://eve:p%40ss@mail.example:4650/shop.example",
        "smtp://eve:secret@mail.example?tls=required",
        "smtp://[::1]:25?tls=none",
        "smtp://mail.example?tls=opportunistic",
    ] {
        let (mail, settings) = mail_settings(&[&["--smtp-url", url], from.as_slice()].concat());
        assert!(Mailer::open(&mail, &settings).is_ok_and(|mailer| mailer.is_some()), "{url}");
    }
}

#[tokio::test]
async fn temporary_smtp_rejection_is_retried_and_permanent_one_is_dead() {
    let mail_system = MailSystem::start(&[]).await;
    mail_system.sink.set_behavior(SmtpBehavior::Reject("451 4.7.1 try later"));
    enqueue(&mail_system.database, &message(Template::PasswordReset, json!({}))).await;
    assert_eq!(mail_system.worker.run_due().await, 1);
    let job = mail_system.database.scalar(JOB).await;
    assert!(job.starts_with("queued 1 SMTP: transient error (451)"), "{job}");
    mail_system.sink.set_behavior(SmtpBehavior::Accept);
    mail_system.database.sql(ALL_DUE).await;
    assert_eq!((mail_system.worker.run_due().await, mail_system.sink.take().len()), (1, 1));

    mail_system.sink.set_behavior(SmtpBehavior::Reject("550 5.1.1 nobody here"));
    enqueue(&mail_system.database, &message(Template::PasswordReset, json!({}))).await;
    assert_eq!(mail_system.worker.run_due().await, 1);
    let job = mail_system.database.scalar(JOB).await;
    assert!(job.starts_with("dead 1 SMTP: permanent error (550)") && job.ends_with("nobody here"), "{job}");
    mail_system.sink.set_behavior(SmtpBehavior::Accept);
    mail_system.database.sql(ALL_DUE).await;
    assert_eq!((mail_system.worker.run_due().await, mail_system.sink.take().len()), (0, 0));
}

#[tokio::test]
async fn invalid_recipient_is_not_retried() {
    let mail_system = MailSystem::start(&[]).await;
    for to in ["", "nobody", "ada@souk.example\r\nBcc: eve@souk.example", "a@b.example, c@d.example", "<a@b.example>"] {
        enqueue(&mail_system.database, &Message { to: to.to_owned(), ..message(Template::VerifyEmail, json!({})) })
            .await;
        assert_eq!(mail_system.worker.run_due().await, 1);
        let job = mail_system.database.scalar(JOB).await;
        assert!(job.starts_with("dead 1 the email cannot be composed"), "{to:?}: {job}");
        mail_system.database.sql("DELETE FROM jobs").await;
    }
    assert!(mail_system.sink.take().is_empty());
}

#[tokio::test]
async fn smtp_error_does_not_contain_the_token() {
    let mail_system = MailSystem::start(&[]).await;
    for response in ["554 5.7.1 we block %", "451 4.7.1 greylisted: %", "550 5.7.1 (secret: <%>)"] {
        mail_system.sink.set_behavior(SmtpBehavior::Reject(response));
        enqueue(&mail_system.database, &message(Template::PasswordReset, json!({}))).await;
        assert_eq!(mail_system.worker.run_due().await, 1);
        let error = mail_system.database.scalar("SELECT last_error FROM jobs ORDER BY id DESC LIMIT 1").await;
        assert!(error.contains("[hidden]") && error.contains(&response[4..8]), "{error}");
        assert!(
            TOKEN.as_bytes().windows(8).all(|piece| !error.contains(std::str::from_utf8(piece).unwrap())),
            "{error}"
        );
    }
}

#[tokio::test]
async fn rejected_smtp_login_is_retried() {
    let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
    let url = format!("smtp://sh%40p:p%2Fss%20word@{}?tls=none", sink.address);
    let (settings, place) = mail_settings(&["--smtp-url", &url, "--mail-from", "Shop <post@shop.example>"]);
    let worker = worker(&database.db, Mailer::open(&settings, &place).unwrap());
    sink.set_behavior(SmtpBehavior::RejectLogins);
    enqueue(&database, &message(Template::PasswordReset, json!({}))).await;
    assert_eq!(worker.run_due().await, 1);
    let job = database.scalar(JOB).await;
    assert!(job.starts_with("queued 1 SMTP: permanent error (535)"), "{job}");
    sink.set_behavior(SmtpBehavior::Accept);
    database.sql(ALL_DUE).await;
    assert_eq!(worker.run_due().await, 1);
    let [mail] = sink.take().try_into().unwrap();
    assert_eq!(mail.header("from"), "Shop <post@shop.example>");
    assert_eq!(sink.logins(), ["sh@p p/ss word", "sh@p p/ss word"]);
}

#[tokio::test]
async fn email_that_may_have_arrived_is_resent_with_the_same_message_id() {
    let mail_system = MailSystem::start(&[]).await;
    mail_system.sink.set_behavior(SmtpBehavior::AcceptThenDisconnect);
    enqueue(&mail_system.database, &message(Template::PasswordReset, json!({}))).await;
    assert_eq!(mail_system.worker.run_due().await, 1);
    assert!(mail_system.database.scalar(JOB).await.starts_with("queued 1 SMTP: "));
    mail_system.sink.set_behavior(SmtpBehavior::Accept);
    mail_system.database.sql(ALL_DUE).await;
    assert_eq!(mail_system.worker.run_due().await, 1);
    let [first, second] = mail_system.sink.take().try_into().unwrap_or_else(|emails: Vec<Email>| panic!("{emails:?}"));
    let other = mail_system.send(&message(Template::PasswordReset, json!({}))).await;
    for header in ["message-id", "date"] {
        assert_eq!(first.header(header), second.header(header));
    }
    assert!(first.header("message-id").ends_with("@shop.example>"), "{first:?}");
    assert_ne!(first.header("message-id"), other.header("message-id"));
}

#[tokio::test]
async fn nothing_is_sent_unencrypted_when_tls_is_required() {
    let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
    let send = async |tls: &str| {
        let url = format!("smtp://shop:secret@{}?tls={tls}", sink.address);
        let (mail, settings) = mail_settings(&["--smtp-url", &url, "--mail-from", "post@shop.example"]);
        let worker = worker(&database.db, Mailer::open(&mail, &settings).unwrap());
        database.sql(ALL_DUE).await;
        worker.run_due().await
    };
    enqueue(&database, &message(Template::PasswordReset, json!({}))).await;
    // This server does not support TLS.
    assert_eq!(send("required").await, 1);
    assert!(sink.take().is_empty() && sink.logins().is_empty());
    assert!(database.scalar(JOB).await.starts_with("queued 1 SMTP: "));
    assert_eq!(send("opportunistic").await, 1);
    assert_eq!((sink.take().len(), sink.logins().len()), (1, 1));
}

#[tokio::test]
async fn production_queues_email_until_a_mail_server_is_configured() {
    let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
    for unset in [&[][..], &["--smtp-url", ""]] {
        let (settings, place) = mail_settings(&[&["--env", "production"], unset].concat());
        let none = Mailer::open(&settings, &place).unwrap();
        assert!(none.is_none());
        enqueue(&database, &message(Template::PasswordReset, json!({}))).await;
        assert_eq!(worker(&database.db, none).run_due().await, 0);
    }
    assert_eq!(database.scalar("SELECT string_agg(state || attempts, ' ') FROM jobs").await, "queued0 queued0");
    assert_eq!(worker(&database.db, Some(mailer(&sink, &["--env", "production"]))).run_due().await, 2);
    assert_eq!(sink.take().len(), 2);
}

#[tokio::test]
async fn development_writes_email_to_a_directory() {
    let (database, dir) = (TestDb::new().await, DataDir::new());
    let (settings, place) = mail_settings(&["--data-dir", dir.0.to_str().unwrap()]);
    let worker = worker(&database.db, Mailer::open(&settings, &place).unwrap());
    for _ in 0..2 {
        enqueue(&database, &message(Template::PasswordReset, json!({ "name": "Zoë" }))).await;
    }
    assert_eq!(worker.run_due().await, 2);
    let files: Vec<_> = dir.0.join("mail").read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("password_reset.") && name.ends_with(".eml"), "{name}");
        let mail = Email::parse("", &[], &fs::read_to_string(&file).unwrap());
        assert_eq!((mail.header("to"), mail.token().as_str()), ("ada@souk.example", TOKEN));
        assert!(mail.header("from").ends_with("<souk@localhost>") && mail.text.starts_with("Hello Zoë,"), "{mail:?}");
    }
    assert_eq!(database.scalar("SELECT count(*) FROM jobs").await, "0");
}

#[tokio::test]
async fn test_app_returns_the_emails_of_its_server() {
    let app = TestApp::new().await;
    assert!(app.emails().await.is_empty());
    for name in ["Ada", "Bob"] {
        enqueue(&app.database, &message(Template::AddressTaken, json!({ "name": name }))).await;
    }
    let emails = app.emails().await;
    let names: Vec<_> = emails.iter().map(|mail| mail.text.lines().next().unwrap()).collect();
    assert_eq!(names, ["Hello Ada,", "Hello Bob,"]);
    assert!(app.emails().await.is_empty());
}

#[test]
fn server_sends_queued_email_and_reports_when_it_cannot() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(SmtpSink::start());
    let dir = DataDir::new();
    let serve = |url: &str| {
        let mut command = dir.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("SOUK_ENV", "production").env("SOUK_JWT_SECRET", "a secret of the shop, long enough to sign with");
        command.env("SOUK_SMTP_URL", url).env("SOUK_MAIL_FROM", "post@shop.example");
        ServerProcess::start(command)
    };
    let silent = serve("");
    silent.wait_for_log("SOUK_SMTP_URL is not set");
    let url = dir.stdout_of(&["db", "url"]).trim().to_owned();
    let payload = serde_json::to_string(&message(Template::Invitation, json!({}))).unwrap();
    let insert = format!("INSERT INTO jobs (kind, payload) VALUES ('mail', '{payload}')");
    runtime.block_on(query_scalar(&url, &insert)).unwrap();
    assert_eq!(silent.stop(), Some(0));
    assert!(sink.take().is_empty());

    let server = serve(&sink.url());
    let [mail] = runtime.block_on(sink.wait()).try_into().expect("one email");
    assert_eq!(mail.token(), TOKEN);
    assert_eq!(server.stop(), Some(0));
}

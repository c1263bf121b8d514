//! How mail leaves: the settings of the mail server, what becomes of mail that it refuses, and mail without one.

use std::fs;

use serde_json::json;
use souk::mail::{
    actions::Mailer,
    model::{Message, Template},
};

use crate::support::{
    TestApp, TestDb, ask,
    email::Mail,
    mailbox::{Office, TOKEN, mail, mail_settings, mailer, post, refused, worker},
    process::{DataDir, Served},
    smtp::{Mood, SmtpSink},
};

const JOB: &str = "SELECT concat_ws(' ', state, attempts, last_error) FROM jobs";
const ALL_DUE: &str = "UPDATE jobs SET run_at = now()";

#[tokio::test]
async fn settings_that_would_surprise_are_refused() {
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
        ("smtps://", "name the host"),
        ("smtps://eve:secret@:465", "name the host"),
    ] {
        let error = refused(&[&["--smtp-url", url], from.as_slice()].concat());
        assert!(error.starts_with("SOUK_SMTP_URL: ") && error.contains(words), "{url}: {error}");
        assert!(!error.contains("eve"), "{error}");
    }
    let smtp = ["--smtp-url", "smtps://eve:secret@mail.example"];
    assert!(refused(&smtp).contains("SOUK_MAIL_FROM: say who mail is from"));
    assert!(refused(&[&["--mail-from", "Shop"], smtp.as_slice()].concat()).starts_with("SOUK_MAIL_FROM: "));
    assert!(refused(&["--shop-url", "shop.example"]).starts_with("SOUK_SHOP_URL: "));
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
async fn mail_that_is_refused_for_now_is_sent_again_and_for_good_is_dead() {
    let office = Office::open(&[]).await;
    office.sink.feel(Mood::Refuse("451 4.7.1 try later"));
    post(&office.database, &mail(Template::PasswordReset, json!({}))).await;
    assert_eq!(office.worker.run_due().await, 1);
    let job = office.database.ask(JOB).await;
    assert!(job.starts_with("queued 1 SMTP: transient error (451)"), "{job}");
    office.sink.feel(Mood::Take);
    office.database.sql(ALL_DUE).await;
    assert_eq!((office.worker.run_due().await, office.sink.take().len()), (1, 1));

    office.sink.feel(Mood::Refuse("550 5.1.1 nobody here"));
    post(&office.database, &mail(Template::PasswordReset, json!({}))).await;
    assert_eq!(office.worker.run_due().await, 1);
    let job = office.database.ask(JOB).await;
    assert!(job.starts_with("dead 1 SMTP: permanent error (550)") && job.ends_with("nobody here"), "{job}");
    office.sink.feel(Mood::Take);
    office.database.sql(ALL_DUE).await;
    assert_eq!((office.worker.run_due().await, office.sink.take().len()), (0, 0));
}

#[tokio::test]
async fn an_address_that_is_none_is_not_tried_again() {
    let office = Office::open(&[]).await;
    for to in ["", "nobody", "ada@souk.example\r\nBcc: eve@souk.example", "a@b.example, c@d.example", "<a@b.example>"] {
        post(&office.database, &Message { to: to.to_owned(), ..mail(Template::VerifyEmail, json!({})) }).await;
        assert_eq!(office.worker.run_due().await, 1);
        let job = office.database.ask(JOB).await;
        assert!(job.starts_with("dead 1 this cannot be written as a mail"), "{to:?}: {job}");
        office.database.sql("DELETE FROM jobs").await;
    }
    assert!(office.sink.take().is_empty());
}

#[tokio::test]
async fn an_error_never_repeats_the_token() {
    let office = Office::open(&[]).await;
    for answer in ["554 5.7.1 we block %", "451 4.7.1 greylisted: %", "550 5.7.1 (secret: <%>)"] {
        office.sink.feel(Mood::Refuse(answer));
        post(&office.database, &mail(Template::PasswordReset, json!({}))).await;
        assert_eq!(office.worker.run_due().await, 1);
        let error = office.database.ask("SELECT last_error FROM jobs ORDER BY id DESC LIMIT 1").await;
        assert!(error.contains("[hidden]") && error.contains(&answer[4..8]), "{error}");
        assert!(
            TOKEN.as_bytes().windows(8).all(|piece| !error.contains(std::str::from_utf8(piece).unwrap())),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_login_that_is_refused_waits_to_be_put_right() {
    let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
    let url = format!("smtp://sh%40p:p%2Fss%20word@{}?tls=none", sink.address);
    let (settings, place) = mail_settings(&["--smtp-url", &url, "--mail-from", "Shop <post@shop.example>"]);
    let worker = worker(&database.db, Mailer::open(&settings, &place).unwrap());
    sink.feel(Mood::RefuseLogins);
    post(&database, &mail(Template::PasswordReset, json!({}))).await;
    assert_eq!(worker.run_due().await, 1);
    let job = database.ask(JOB).await;
    assert!(job.starts_with("queued 1 SMTP: permanent error (535)"), "{job}");
    sink.feel(Mood::Take);
    database.sql(ALL_DUE).await;
    assert_eq!(worker.run_due().await, 1);
    let [mail] = sink.take().try_into().unwrap();
    assert_eq!(mail.header("from"), "Shop <post@shop.example>");
    assert_eq!(sink.logins(), ["sh@p p/ss word", "sh@p p/ss word"]);
}

#[tokio::test]
async fn a_mail_that_may_have_arrived_is_sent_again_as_the_same_mail() {
    let office = Office::open(&[]).await;
    office.sink.feel(Mood::TakeAndHangUp);
    post(&office.database, &mail(Template::PasswordReset, json!({}))).await;
    assert_eq!(office.worker.run_due().await, 1);
    assert!(office.database.ask(JOB).await.starts_with("queued 1 SMTP: "));
    office.sink.feel(Mood::Take);
    office.database.sql(ALL_DUE).await;
    assert_eq!(office.worker.run_due().await, 1);
    let [first, second] = office.sink.take().try_into().unwrap_or_else(|mails: Vec<Mail>| panic!("{mails:?}"));
    let other = office.send(&mail(Template::PasswordReset, json!({}))).await;
    for header in ["message-id", "date"] {
        assert_eq!(first.header(header), second.header(header));
    }
    assert!(first.header("message-id").ends_with("@shop.example>"), "{first:?}");
    assert_ne!(first.header("message-id"), other.header("message-id"));
}

#[tokio::test]
async fn nothing_is_sent_in_clear_text_where_tls_is_required() {
    let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
    let send = async |tls: &str| {
        let url = format!("smtp://shop:secret@{}?tls={tls}", sink.address);
        let (mail, settings) = mail_settings(&["--smtp-url", &url, "--mail-from", "post@shop.example"]);
        let worker = worker(&database.db, Mailer::open(&mail, &settings).unwrap());
        database.sql(ALL_DUE).await;
        worker.run_due().await
    };
    post(&database, &mail(Template::PasswordReset, json!({}))).await;
    // The server here knows no TLS.
    assert_eq!(send("required").await, 1);
    assert!(sink.take().is_empty() && sink.logins().is_empty());
    assert!(database.ask(JOB).await.starts_with("queued 1 SMTP: "));
    assert_eq!(send("opportunistic").await, 1);
    assert_eq!((sink.take().len(), sink.logins().len()), (1, 1));
}

#[tokio::test]
async fn production_without_a_mail_server_keeps_mail_until_there_is_one() {
    let (database, sink) = (TestDb::new().await, SmtpSink::start().await);
    for unset in [&[][..], &["--smtp-url", ""]] {
        let (settings, place) = mail_settings(&[&["--env", "production"], unset].concat());
        let none = Mailer::open(&settings, &place).unwrap();
        assert!(none.is_none());
        post(&database, &mail(Template::PasswordReset, json!({}))).await;
        assert_eq!(worker(&database.db, none).run_due().await, 0);
    }
    assert_eq!(database.ask("SELECT string_agg(state || attempts, ' ') FROM jobs").await, "queued0 queued0");
    assert_eq!(worker(&database.db, Some(mailer(&sink, &["--env", "production"]))).run_due().await, 2);
    assert_eq!(sink.take().len(), 2);
}

#[tokio::test]
async fn in_development_mail_goes_to_a_folder() {
    let (database, folder) = (TestDb::new().await, DataDir::new());
    let (settings, place) = mail_settings(&["--data-dir", folder.0.to_str().unwrap()]);
    let worker = worker(&database.db, Mailer::open(&settings, &place).unwrap());
    for _ in 0..2 {
        post(&database, &mail(Template::PasswordReset, json!({ "name": "Zoë" }))).await;
    }
    assert_eq!(worker.run_due().await, 2);
    let files: Vec<_> = folder.0.join("mail").read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("password_reset.") && name.ends_with(".eml"), "{name}");
        let mail = Mail::parse("", &[], &fs::read_to_string(&file).unwrap());
        assert_eq!((mail.header("to"), mail.token().as_str()), ("ada@souk.example", TOKEN));
        assert!(mail.header("from").ends_with("<souk@localhost>") && mail.text.starts_with("Hello Zoë,"), "{mail:?}");
    }
    assert_eq!(database.ask("SELECT count(*) FROM jobs").await, "0");
}

#[tokio::test]
async fn a_test_sees_the_mail_of_its_server() {
    let app = TestApp::new().await;
    assert!(app.mails().await.is_empty());
    for name in ["Ada", "Bob"] {
        post(&app.database, &mail(Template::AddressTaken, json!({ "name": name }))).await;
    }
    let mails = app.mails().await;
    let names: Vec<_> = mails.iter().map(|mail| mail.text.lines().next().unwrap()).collect();
    assert_eq!(names, ["Hello Ada,", "Hello Bob,"]);
    assert!(app.mails().await.is_empty());
}

#[test]
fn a_server_sends_the_mail_that_is_queued_and_says_where_it_cannot() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(SmtpSink::start());
    let folder = DataDir::new();
    let serve = |url: &str| {
        let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("SOUK_ENV", "production").env("SOUK_JWT_SECRET", "a secret of the shop, long enough to sign with");
        command.env("SOUK_SMTP_URL", url).env("SOUK_MAIL_FROM", "post@shop.example");
        Served::start(command)
    };
    let silent = serve("");
    silent.wait_for_log("SOUK_SMTP_URL is not set");
    let url = folder.print(&["db", "url"]).trim().to_owned();
    let payload = serde_json::to_string(&mail(Template::Invitation, json!({}))).unwrap();
    let insert = format!("INSERT INTO jobs (kind, payload) VALUES ('mail', '{payload}')");
    runtime.block_on(ask(&url, &insert)).unwrap();
    assert_eq!(silent.stop(), Some(0));
    assert!(sink.take().is_empty());

    let server = serve(&sink.url());
    let [mail] = runtime.block_on(sink.wait()).try_into().expect("one mail");
    assert_eq!(mail.token(), TOKEN);
    assert_eq!(server.stop(), Some(0));
}

//! Emails: their contents as received by a mail server, and the templates that a shop can replace.

use std::{fs, path::Path};

use serde_json::{Value, json};
use souk::{
    ids::WebsiteId,
    mail::{
        actions::queue,
        model::{Message, Template},
    },
};

use crate::support::{
    TestDb,
    mailbox::{MailSystem, TOKEN, mailer_error, message},
    process::DataDir,
};

fn write(dir: &Path, file: &str, text: &str) {
    let file = dir.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Returns every text and number of a value.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

#[tokio::test]
async fn every_email_has_text_and_html() {
    let mail_system = MailSystem::start(&["--shop-name", "Café „Zürich“"]).await;
    // The template, its subject, and the page that its link opens.
    let table = [
        (Template::VerifyEmail, "Confirm your email address at Café „Zürich“", "verify-email"),
        (Template::PasswordReset, "Choose a new password at Café „Zürich“", "reset-password"),
        (Template::PasswordChanged, "Your password at Café „Zürich“ was changed", ""),
        (Template::EmailChange, "Confirm your new email address at Café „Zürich“", "confirm-email"),
        (Template::EmailChanged, "Your email address at Café „Zürich“ was changed", ""),
        (Template::AddressTaken, "You already have an account at Café „Zürich“", ""),
        (Template::Invitation, "Your account at Café „Zürich“", "reset-password"),
        (Template::SessionEnded, "You were logged out at Café „Zürich“", ""),
        (Template::OrderPlaced, "Your order SAILOR-1001 at Café „Zürich“", "confirm-order"),
        (Template::OrderShipped, "Your order SAILOR-1001 at Café „Zürich“ is on its way", ""),
        (Template::OrderCancelled, "Your order SAILOR-1001 at Café „Zürich“ has been canceled", ""),
        (Template::WebhookDisabled, "A webhook of Café „Zürich“ was disabled", ""),
    ];
    assert_eq!(table.map(|(template, ..)| template), Template::ALL);
    for (template, subject, link) in table {
        let message = message(template, json!({ "name": "Zoë Nuñez 李" }));
        let mail = mail_system.send(&message).await;
        assert_eq!(
            (mail.from.as_str(), mail.to.as_slice()),
            ("post@shop.example", ["ada@souk.example".to_owned()].as_slice())
        );
        assert_eq!(mail.header("subject"), subject);
        assert_eq!(mail.header("to"), "ada@souk.example");
        // The setting has only an address, without a name.
        assert!(
            mail.header("from").ends_with("<post@shop.example>") && mail.header("from").contains("Café"),
            "{mail:?}"
        );
        assert_eq!(mail.header("auto-submitted"), "auto-generated");
        assert!(mail.text.starts_with("Hello Zoë Nuñez 李,\n\n"), "{}", mail.text);
        assert!(mail.text.ends_with("\n\n-- \nCafé „Zürich“\nhttps://shop.example\n"), "{}", mail.text);
        assert!(mail.html.contains("<p>Hello Zoë Nuñez 李,</p>"), "{}", mail.html);
        assert!(mail.html.contains(&format!("<title>{subject}</title>")), "{}", mail.html);
        let html = mail.html.replace("&#x2f;", "/");
        for value in leaves(&message.values) {
            assert!(mail.text.contains(&value) && html.contains(&value), "{value} of {}", template.name());
        }
        if !link.is_empty() {
            let url = format!("https://shop.example/account/{link}?token={TOKEN}");
            assert!(mail.text.contains(&format!("\n{url}\n")), "{}", mail.text);
            assert_eq!(html.matches(&format!("href=\"{url}\"")).count(), 2, "{html}");
            assert_eq!(mail.token(), TOKEN);
        }
    }
    assert_eq!(mail_system.database.scalar("SELECT count(*) FROM jobs").await, "0", "no token is stored");
}

#[tokio::test]
async fn unknown_values_are_omitted_from_emails() {
    let mail_system = MailSystem::start(&[]).await;
    let nothing = json!({ "device": null, "address": null });
    let changed = mail_system.send(&message(Template::PasswordChanged, nothing)).await;
    assert!(changed.text.contains("was just changed. You"), "{}", changed.text);
    let reset = mail_system.send(&message(Template::PasswordReset, json!({ "minutes": 1 }))).await;
    assert!(reset.text.contains("for 1 minute."), "{}", reset.text);
    let placed = mail_system.send(&message(Template::OrderPlaced, json!({ "token": null }))).await;
    assert!(!placed.text.contains("confirm") && !placed.html.contains("confirm-order"), "{}", placed.text);
    let nothing = json!({ "left": 0, "carrier": null, "tracking_number": null, "tracking_url": null });
    let shipped = mail_system.send(&message(Template::OrderShipped, nothing)).await;
    let all = "Hello Ada Lovelace,\n\nYour order SAILOR-1001 is on its way:\n\n- 3 x Harbour Mooring Rope\n- 12 x Shackle\n\n-- \n";
    assert!(shipped.text.starts_with(all), "{}", shipped.text);
    let cancelled = mail_system.send(&message(Template::OrderCancelled, json!({ "refund": null }))).await;
    assert!(cancelled.text.contains("- 3 x Harbour Mooring Rope\n\nIf you did not"), "{}", cancelled.text);
}

#[tokio::test]
async fn hostile_name_is_escaped() {
    let mail_system = MailSystem::start(&["--shop-name", "Shop\r\nBcc: everybody@souk.example"]).await;
    let name = "<script>alert(1)</script>\r\n\r\nPay here & \"now\"\nBcc: eve@souk.example";
    let mail = mail_system.send(&message(Template::VerifyEmail, json!({ "name": name }))).await;
    assert!(!mail.html.contains("<script") && mail.html.contains("&lt;script&gt;alert(1)"), "{}", mail.html);
    assert!(mail.html.contains("&amp; &quot;now&quot;"), "{}", mail.html);
    assert!(mail.text.starts_with("Hello <script>alert(1)</script>    Pay here & \"now\" Bcc:"), "{}", mail.text);
    assert_eq!(mail.headers("bcc"), [""; 0]);
    assert_eq!(mail.header("subject"), "Confirm your email address at Shop Bcc: everybody@souk.example");
    assert_eq!(mail.to, ["ada@souk.example"]);
    // Nested values are escaped as well.
    let lines = json!([{ "name": "<b>Rope\r\nBcc: eve@souk.example", "quantity": 1 }]);
    let mail = mail_system.send(&self::message(Template::OrderCancelled, json!({ "lines": lines }))).await;
    assert!(mail.text.contains("\n- 1 x <b>Rope  Bcc: eve@souk.example\n"), "{}", mail.text);
    assert!(mail.html.contains("<li>1 x &lt;b&gt;Rope  Bcc: eve@souk.example</li>"), "{}", mail.html);
}

#[tokio::test]
async fn email_with_a_missing_value_is_not_queued() {
    let database = TestDb::new().await;
    for template in Template::ALL {
        let full = message(template, json!({}));
        for key in full.values.as_object().unwrap().keys() {
            let mut poor = full.clone();
            poor.values.as_object_mut().unwrap().remove(key);
            let error = database.db.transaction(async |conn| queue(conn, &poor).await).await.unwrap_err();
            assert_eq!(error.to_string(), format!("the email template {} requires the value `{key}`", template.name()));
        }
    }
    assert_eq!(database.scalar("SELECT count(*) FROM jobs").await, "0");
}

#[tokio::test]
async fn email_is_sent_in_the_name_of_the_website() {
    let mail_system = MailSystem::start(&["--shop-name", "Market"]).await;
    let sailor = mail_system.website("sailor", "Sailor & Sons").await;
    for (website, name, url) in [
        (Some(sailor), "Sailor & Sons", "https://sailor.example"),
        (None, "Market", "https://shop.example"),
        (Some(WebsiteId(999)), "Market", "https://shop.example"),
    ] {
        let mail = mail_system.send(&Message { website, ..message(Template::Invitation, json!({})) }).await;
        assert_eq!(mail.header("subject"), format!("Your account at {name}"));
        assert!(mail.text.contains(&format!("\n{url}/account/reset-password?token={TOKEN}\n")), "{}", mail.text);
        assert!(mail.header("from").contains(name), "{mail:?}");
    }
}

#[tokio::test]
async fn templates_can_be_replaced_individually_and_per_website() {
    let dir = DataDir::new();
    write(&dir.0, "invitation.subject", "Come in,\n {{ name }}!\n");
    write(&dir.0, "invitation.html", "<b>{{ name }}</b>{% include 'where.html' %}");
    write(&dir.0, "where.html", "<i>{{ shop.url }}</i>");
    write(&dir.0, "sailor/base.txt", "Ahoy {{ name }}! {% block body %}{% endblock %}");
    write(&dir.0, "sailor/where.html", "<i>the harbour</i>");
    // Files that are not Souk's templates.
    write(&dir.0, ".git/config.html", "{{");
    write(&dir.0, "README.md", "{{");
    let mail_system = MailSystem::start(&["--mail-templates", dir.0.to_str().unwrap()]).await;
    let (sailor, baker) = (mail_system.website("sailor", "Sailor").await, mail_system.website("baker", "Baker").await);
    let invitation = message(Template::Invitation, json!({ "name": "A&B" }));
    for (website, html, text) in [
        (None, "<b>A&amp;B</b><i>https:&#x2f;&#x2f;shop.example</i>\n", "Hello A&B,\n\nSouk has"),
        (Some(baker), "<b>A&amp;B</b><i>https:&#x2f;&#x2f;baker.example</i>\n", "Hello A&B,\n\nBaker has"),
        (Some(sailor), "<b>A&amp;B</b><i>the harbour</i>\n", "Ahoy A&B! Sailor has"),
    ] {
        let mail = mail_system.send(&Message { website, ..invitation.clone() }).await;
        assert_eq!((mail.header("subject"), mail.html.as_str()), ("Come in, A&B!", html));
        assert!(mail.text.starts_with(text), "{}", mail.text);
    }
}

#[test]
fn broken_template_is_reported_with_file_and_line_at_startup() {
    // The file, its contents, and the error message.
    let table = [
        ("verify_email.html", "<p>\n{{ name }\n</p>", "line 2: syntax error"),
        ("verify_email.txt", "\n\n{{ nmae }}", "line 3: undefined value"),
        ("invitation.subject", "{{ shop.nmae }}", "line 1: undefined value"),
        // A branch that most emails do not take.
        ("session_ended.txt", "{% if not device %}\n{{ tokn }}\n{% endif %}", "line 2: undefined value"),
        ("base.html", "{{ name }}\n{{ logo }}", "line 2: undefined value"),
        ("sailor/base.txt", "{% blok %}", "line 1: syntax error"),
        ("sailor/password_reset.txt", "{% extends 'letter.txt' %}", "template not found"),
        ("button.html", "{{ link }}{{ colour }}", "line 1: undefined value"),
    ];
    for (file, text, words) in table {
        let dir = DataDir::new();
        write(&dir.0, file, text);
        let error = mailer_error(&["--mail-templates", dir.0.to_str().unwrap()]);
        let place = dir.0.join(file).display().to_string();
        assert!(error.starts_with(&format!("SOUK_MAIL_TEMPLATES: {place}, ")) && error.contains(words), "{error}");
    }
    assert!(mailer_error(&["--mail-templates", "/nowhere/at/all"]).contains("/nowhere/at/all: No such file"));
    // The binary reports the same before it opens a database.
    let dir = DataDir::new();
    write(&dir.0, "templates/base.html", "{{ logo }}");
    let output = dir.run(&["serve", "--listen", "127.0.0.1:0", "--mail-templates", "templates"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("templates/base.html, line 1: undefined value") && said.lines().count() == 1, "{said}");
    assert!(!output.status.success() && !dir.0.join("postgres").exists());
}

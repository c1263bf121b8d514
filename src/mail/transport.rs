//! Email delivery: by SMTP, or in development into a directory and the log. The only module that uses the `lettre`
//! crate.
//! Rule: an email that is sent again is identical, with the same Message-ID and date, so that mailboxes can detect
//! duplicates.

use std::{fs, path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{Error as SmtpError, PoolConfig},
};

use super::model::RenderedEmail;
use crate::{
    config::{Environment, MailSettings, Settings},
    error::{Error, Result},
    jobs::model::Failure,
};

/// Timeout for connecting and for each SMTP command.
const TIMEOUT: Duration = Duration::from_secs(30);
/// SMTP status codes that reject the login rather than the email. The login may be corrected while emails stay queued.
const LOGIN_REFUSED: [&str; 4] = ["530", "534", "535", "538"];

/// An email ready to be sent.
pub struct OutgoingEmail<'a> {
    /// Name of the email, unique per shop.
    pub name: String,
    /// Recipient address.
    pub to: &'a str,
    /// Name of the shop that sends the email.
    pub shop: &'a str,
    /// When the email was queued.
    pub date: DateTime<Utc>,
    /// Content of the email.
    pub content: RenderedEmail,
}

/// Delivers emails.
pub struct Transport {
    from: Mailbox,
    delivery: Delivery,
}

enum Delivery {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Directory(PathBuf),
}

impl Transport {
    /// Returns the transport for these settings; none in production without SMTP.
    /// # Errors
    /// Returns a user error for invalid settings.
    pub fn open(mail: &MailSettings, settings: &Settings) -> Result<Option<Self>> {
        let set = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
        let from = set(&mail.mail_from).map(|from| mailbox(&from)).transpose()?;
        let delivery = match set(&mail.smtp_url) {
            Some(url) => Delivery::Smtp(smtp(&url)?),
            None if settings.environment == Environment::Production => return Ok(None),
            None => Delivery::Directory(settings.data_dir.join("mail")),
        };
        let from = match (from, &delivery) {
            (Some(from), _) => from,
            (None, Delivery::Directory(_)) => mailbox("souk@localhost")?,
            (None, Delivery::Smtp(_)) => {
                let rule = "a sender is required, such as Shop <noreply@shop.example>";
                return Err(Error::bad_input("SOUK_MAIL_FROM", rule));
            }
        };
        Ok(Some(Self { from, delivery }))
    }

    /// Sends an email.
    /// # Errors
    /// Returns [`Failure::Final`] if the server rejects the email permanently, or if its address is invalid.
    pub async fn send(&self, email: &OutgoingEmail<'_>) -> Result<(), Failure> {
        let message = self.message(email)?;
        match &self.delivery {
            Delivery::Smtp(smtp) => match smtp.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => Err(delivery_failure(&error)),
            },
            Delivery::Directory(directory) => {
                let file = directory.join(format!("{}.eml", email.name));
                let written = fs::create_dir_all(directory).and_then(|()| fs::write(&file, message.formatted()));
                written.map_err(|error| Failure::Retry(format!("{}: {error}", file.display())))?;
                let (to, content) = (email.to, &email.content);
                tracing::info!("email to {to} written to {}\n{}\n\n{}", file.display(), content.subject, content.text);
                Ok(())
            }
        }
    }

    fn message(&self, email: &OutgoingEmail<'_>) -> Result<Message, Failure> {
        let permanent = |error: String| Failure::Final(format!("the email cannot be composed: {error}"));
        let to = email.to.parse().map_err(|error| permanent(format!("recipient address: {error}")))?;
        let mut from = self.from.clone();
        from.name = from.name.or_else(|| Some(email.shop.replace(char::is_control, " ")));
        let id = format!("<{}@{}>", email.name, from.email.domain());
        // Suppresses automatic replies such as out-of-office messages (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let content = email.content.clone();
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(content.subject)
            .date(email.date.into())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(content.text, content.html))
            .map_err(|error| permanent(error.to_string()))
    }
}

fn mailbox(text: &str) -> Result<Mailbox> {
    text.parse().map_err(|error| Error::bad_input("SOUK_MAIL_FROM", format!("{error}")))
}

/// Returns a connection pool for an SMTP URL, in the forms that [`AsyncSmtpTransport::from_url`] accepts. Unsafe
/// defaults have to be explicit: clear text requires `smtp://host?tls=none`, and a user requires a password.
fn smtp(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let wrong = |rule: String| Error::bad_input("SOUK_SMTP_URL", rule);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = base.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
    if host.is_empty() || host.starts_with(':') {
        return Err(wrong("a host is required, such as smtps://host".to_owned()));
    }
    if base.contains('#') || login.is_some_and(|login| !login.contains(':')) {
        let rule =
            "a user requires a password; percent-encode special characters, such as smtps://user:pass%23word@host";
        return Err(wrong(rule.to_owned()));
    }
    let tls = query.split('&').find_map(|pair| pair.strip_prefix("tls="));
    let url = match (scheme, tls) {
        ("smtp", Some("none")) => base,
        ("smtp", Some(_)) | ("smtps", _) => url,
        ("smtp", None) => {
            let rule = "add ?tls=required or ?tls=opportunistic, or ?tls=none if the network is safe for clear text";
            return Err(wrong(rule.to_owned()));
        }
        _ => return Err(wrong("must start with smtps:// or smtp://".to_owned())),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|error| wrong(error.to_string()))?;
    let pool = PoolConfig::new().max_size(4).idle_timeout(Duration::from_secs(60));
    Ok(builder.timeout(Some(TIMEOUT)).pool_config(pool).build())
}

fn delivery_failure(error: &SmtpError) -> Failure {
    let is_login = error.status().is_some_and(|code| LOGIN_REFUSED.contains(&code.to_string().as_str()));
    let why = format!("SMTP: {error}");
    if error.is_permanent() && !is_login { Failure::Final(why) } else { Failure::Retry(why) }
}

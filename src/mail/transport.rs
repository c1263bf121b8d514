//! How mail leaves: by SMTP, or in development into a folder and the log. The only user of the mail crate.
//! Rule: a mail that is sent again is the same mail: its Message-ID and its date do not change, so that a mailbox which gets
//! it twice may show it once.

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

/// Longest wait for the server to take a connection or to answer a command.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Answers that refuse the shop's login rather than the mail; it may be put right while mail waits.
const LOGIN_REFUSED: [&str; 4] = ["530", "534", "535", "538"];

/// A mail as it is sent.
pub struct OutgoingEmail<'a> {
    /// Its name, unique in the shop.
    pub name: String,
    /// To which address.
    pub to: &'a str,
    /// The shop that writes it.
    pub shop: &'a str,
    /// When it was written.
    pub date: DateTime<Utc>,
    /// What it says.
    pub content: RenderedEmail,
}

/// The way that mail takes.
pub struct Transport {
    from: Mailbox,
    delivery: Delivery,
}

enum Delivery {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Directory(PathBuf),
}

impl Transport {
    /// The way that the settings name; none in production without SMTP.
    /// # Errors
    /// User errors of the settings.
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
                let rule = "say who mail is from, as in Shop <noreply@shop.example>";
                return Err(Error::bad_input("SOUK_MAIL_FROM", rule));
            }
        };
        Ok(Some(Self { from, delivery }))
    }

    /// Sends a mail.
    /// # Errors
    /// [`Failure::Final`] where the server refuses this mail for good, or where it has no sound address.
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
                tracing::info!("mail to {to}, kept in {}\n{}\n\n{}", file.display(), content.subject, content.text);
                Ok(())
            }
        }
    }

    fn message(&self, email: &OutgoingEmail<'_>) -> Result<Message, Failure> {
        let permanent = |error: String| Failure::Final(format!("this cannot be written as a mail: {error}"));
        let to = email.to.parse().map_err(|error| permanent(format!("the address: {error}")))?;
        let mut from = self.from.clone();
        from.name = from.name.or_else(|| Some(email.shop.replace(char::is_control, " ")));
        let id = format!("<{}@{}>", email.name, from.email.domain());
        // Nobody is to answer that they are on holiday (RFC 3834).
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

/// A pool of connections to the server of a URL, of the forms that [`AsyncSmtpTransport::from_url`] takes. What it would
/// take in silence has to be said: clear text is `smtp://host?tls=none`, and a user has a password.
fn smtp(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let wrong = |rule: String| Error::bad_input("SOUK_SMTP_URL", rule);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = base.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
    if host.is_empty() || host.starts_with(':') {
        return Err(wrong("name the host: smtps://host".to_owned()));
    }
    if base.contains('#') || login.is_some_and(|login| !login.contains(':')) {
        let rule =
            "a user has a password, and their special characters are percent-encoded: smtps://user:pass%23word@host";
        return Err(wrong(rule.to_owned()));
    }
    let tls = query.split('&').find_map(|pair| pair.strip_prefix("tls="));
    let url = match (scheme, tls) {
        ("smtp", Some("none")) => base,
        ("smtp", Some(_)) | ("smtps", _) => url,
        ("smtp", None) => {
            let rule = "add ?tls=required or ?tls=opportunistic, or ?tls=none if the way there is safe in clear text";
            return Err(wrong(rule.to_owned()));
        }
        _ => return Err(wrong("it starts with smtps:// or smtp://".to_owned())),
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

//! Queues emails and sends queued ones.

use serde_json::Value;

use super::{
    model::{JOB, Message, Shop},
    templates::Templates,
    transport::{OutgoingEmail, Transport},
};
use crate::{
    config::{MailSettings, Settings},
    db::{Conn, Db},
    error::{Error, Result},
    ids::WebsiteId,
    jobs::{
        self,
        model::{Failure, JobRow, NewJob},
    },
    websites,
};

/// Queues an email in the caller's transaction; it is sent after the transaction has committed.
/// # Errors
/// Returns [`Error::Internal`] if a value that the template uses is missing.
pub async fn queue(conn: &Conn, message: &Message) -> Result<()> {
    queue_all(conn, std::slice::from_ref(message)).await
}

/// Queues emails in one statement.
/// # Errors
/// As [`queue`].
pub async fn queue_all(conn: &Conn, messages: &[Message]) -> Result<()> {
    jobs::store::enqueue_all(conn, &jobs(messages)?).await
}

/// Returns the jobs that send emails.
/// # Errors
/// As [`queue`].
pub fn jobs(messages: &[Message]) -> Result<Vec<NewJob>> {
    messages.iter().map(job).collect()
}

fn job(message: &Message) -> Result<NewJob> {
    if let Some(name) = message.template.missing_value(&message.values) {
        return Err(Error::Internal(format!(
            "the email template {} requires the value `{name}`",
            message.template.name()
        )));
    }
    let payload =
        serde_json::to_value(message).map_err(|error| Error::Internal(format!("serializing an email: {error}")))?;
    Ok(NewJob { kind: JOB.kind, payload, user_id: message.user, run_at: None })
}

/// Sends queued emails.
pub struct Mailer {
    templates: Templates,
    transport: Transport,
    shop: Shop,
}

impl Mailer {
    /// Returns the mailer for these settings; none in production without SMTP, where emails stay queued.
    /// # Errors
    /// Returns a user error for invalid settings or templates.
    pub fn open(mail: &MailSettings, settings: &Settings) -> Result<Option<Self>> {
        let templates = Templates::open(mail.mail_templates.as_deref())?;
        let shop = Shop::new(&mail.shop_name, &mail.shop_url);
        if !["http://", "https://"].iter().any(|scheme| shop.url.starts_with(scheme)) {
            return Err(Error::bad_input("SOUK_SHOP_URL", "must be a URL that starts with https:// or http://"));
        }
        Ok(Transport::open(mail, settings)?.map(|transport| Self { templates, transport, shop }))
    }

    /// Sends the email of a job.
    ///
    /// The job's row contains the email's token until it is deleted, which happens after this. A dead job keeps its
    /// token; by then the token has expired or soon will, and the table is as confidential as any other.
    /// # Errors
    /// Returns the reason why the email could not be sent, without its token.
    pub async fn deliver(&self, db: &Db, job: &JobRow) -> Result<(), Failure> {
        let message: Message = job.payload()?;
        self.send(db, job, &message).await.map_err(|failure| match failure {
            // The server's error may quote the rejected email.
            Failure::Retry(why) => Failure::Retry(message.redact_secrets(&why)),
            Failure::Final(why) => Failure::Final(message.redact_secrets(&why)),
        })
    }

    async fn send(&self, db: &Db, job: &JobRow, message: &Message) -> Result<(), Failure> {
        let (shop, website) = match message.website {
            Some(id) => self.shop_for(db, id).await?,
            None => (self.shop.clone(), None),
        };
        let values = replace_control_characters(message.values.clone());
        let content = self.templates.render(message.template, website.as_deref(), &shop, &values)?;
        // Job ids start at 1 again in a new database; the timestamp keeps names unique.
        let name = format!("{}.{}.{}", message.template.name(), job.id.0, job.created_at.timestamp_micros());
        let email = OutgoingEmail { name, to: &message.to, shop: &shop.name, date: job.created_at, content };
        self.transport.send(&email).await
    }

    /// Returns a website as a shop, together with its code.
    async fn shop_for(&self, db: &Db, id: WebsiteId) -> Result<(Shop, Option<String>)> {
        let found = db.read(async |conn| websites::store::by_ids(conn, &[id]).await).await?.pop();
        Ok(match found {
            Some(website) => (Shop::new(&website.name, &website.base_url), Some(website.code)),
            None => (self.shop.clone(), None),
        })
    }
}

/// Replaces control characters in all values with spaces, so that a name cannot inject further lines into an email.
fn replace_control_characters(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(char::is_control, " ")),
        Value::Array(items) => items.into_iter().map(replace_control_characters).collect(),
        Value::Object(values) => {
            values.into_iter().map(|(name, value)| (name, replace_control_characters(value))).collect()
        }
        other => other,
    }
}

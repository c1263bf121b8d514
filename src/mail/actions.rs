//! What can be done with mail: queue it, and send what is queued.

use serde_json::Value;

use super::{
    model::{KIND, Message, Shop},
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

/// Queues a mail in the caller's transaction: it leaves after that has committed.
/// # Errors
/// [`Error::Internal`] where a value is missing that the template takes.
pub async fn queue(conn: &Conn, message: &Message) -> Result<()> {
    queue_all(conn, std::slice::from_ref(message)).await
}

/// Queues mails, in one statement.
/// # Errors
/// As [`queue`].
pub async fn queue_all(conn: &Conn, messages: &[Message]) -> Result<()> {
    let jobs: Result<Vec<NewJob>> = messages.iter().map(job).collect();
    jobs::store::enqueue_all(conn, &jobs?).await
}

fn job(message: &Message) -> Result<NewJob> {
    if let Some(name) = message.template.missing_value(&message.values) {
        return Err(Error::Internal(format!("the mail {} needs `{name}`", message.template.name())));
    }
    let payload = serde_json::to_value(message).map_err(|error| Error::Internal(format!("a mail: {error}")))?;
    Ok(NewJob { kind: KIND, payload, user_id: message.user, run_at: None })
}

/// Sends the mail that is queued.
pub struct Mailer {
    templates: Templates,
    transport: Transport,
    shop: Shop,
}

impl Mailer {
    /// The mailer of the settings; none in production without SMTP, where mail waits.
    /// # Errors
    /// User errors of the settings, and of the templates that replace souk's own.
    pub fn open(mail: &MailSettings, settings: &Settings) -> Result<Option<Self>> {
        let templates = Templates::open(mail.mail_templates.as_deref())?;
        let shop = Shop::new(&mail.shop_name, &mail.shop_url);
        if !["http://", "https://"].iter().any(|scheme| shop.url.starts_with(scheme)) {
            return Err(Error::bad_input("SOUK_SHOP_URL", "give a URL that starts with https://"));
        }
        Ok(Transport::open(mail, settings)?.map(|transport| Self { templates, transport, shop }))
    }

    /// Sends the mail of a job.
    ///
    /// The job's row holds the mail's token until it is deleted, which is after this. One that is dead keeps it; by then the
    /// token has expired or soon will, and the table is as secret as any other.
    /// # Errors
    /// Why it could not be sent, without the mail's token.
    pub async fn deliver(&self, db: &Db, job: &JobRow) -> Result<(), Failure> {
        let message: Message = job.payload()?;
        self.send(db, job, &message).await.map_err(|failure| match failure {
            // A server may quote the mail that it refuses.
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
        // Keys start again at 1 in a new database: the moment keeps names apart.
        let name = format!("{}.{}.{}", message.template.name(), job.id.0, job.created_at.timestamp_micros());
        let email = OutgoingEmail { name, to: &message.to, shop: &shop.name, date: job.created_at, content };
        self.transport.send(&email).await
    }

    /// A website as a shop, and its code.
    async fn shop_for(&self, db: &Db, id: WebsiteId) -> Result<(Shop, Option<String>)> {
        let found = db.read(async |conn| websites::store::by_ids(conn, &[id]).await).await?.pop();
        Ok(match found {
            Some(website) => (Shop::new(&website.name, &website.base_url), Some(website.code)),
            None => (self.shop.clone(), None),
        })
    }
}

/// The values with blanks for control characters, however deep: a name must not look like further lines of a mail.
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

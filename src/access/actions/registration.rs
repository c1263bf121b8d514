//! Opening an account for oneself.
//! Rule: where the shop is private, the answer, the statements and the time are the same whether or not the address has an
//! account; the rest is done by a job and told by mail.

use serde::Deserialize;
use serde_json::json;

use super::{
    accounts::{hash_password, insert_user},
    emails, enqueue_job, throttle,
};
use crate::{
    access::model::{NewAccount, throttle::AttemptKind},
    auth::{Passwords, RequestOrigin},
    config::RegistrationMode,
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::WebsiteId,
    jobs::model::JobRow,
    users::{self, model::UserRow},
    websites,
};

/// The kind of the jobs that open an account in a private shop.
pub const KIND: &str = "register";

/// What such a job knows.
#[derive(Deserialize)]
struct Payload {
    name: String,
    email: String,
    phone: Option<String>,
    password_hash: Option<String>,
    website: Option<WebsiteId>,
}

/// Opens an account with the customer's role, and asks by mail whether the address is theirs. In a private shop nothing is
/// answered: the account is opened a moment later, or the owner of the address is told.
/// # Errors
/// User errors of the fields; TAKEN for the e-mail address, in an open shop; [`Error::TooManyAttempts`].
pub async fn register(
    db: &Db,
    passwords: &Passwords,
    registration: RegistrationMode,
    origin: &RequestOrigin,
    new: NewAccount,
) -> Result<Option<UserRow>> {
    let new = new.checked()?;
    throttle::count_attempt(db, AttemptKind::Register, origin, None).await?;
    let password_hash = hash_password(passwords, &new).await?;
    match registration {
        RegistrationMode::Open => {
            let user = db.transaction(async |conn| {
                // What customers hold is the shop's choice: nobody grants it here.
                let user = insert_user(conn, None, &new, password_hash.as_deref(), None).await?;
                emails::send_verification(conn, &user).await?;
                Ok(user)
            });
            Ok(Some(user.await?))
        }
        RegistrationMode::Private => {
            let NewAccount { name, email, phone, source_website: website, .. } = new;
            if let Some(id) = website
                && db.read(async |conn| websites::store::by_ids(conn, &[id]).await).await?.is_empty()
            {
                return Err(Error::not_found("sourceWebsiteId", "website"));
            }
            let payload = json!({
                "name": name, "email": email, "phone": phone, "password_hash": password_hash, "website": website,
            });
            enqueue_job(db, KIND, None, payload).await?;
            Ok(None)
        }
    }
}

/// Opens the account of a job, or tells the owner of the address.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, job: &JobRow) -> Result<()> {
    let Payload { name, email, phone, password_hash, website } = job.payload()?;
    let new = NewAccount { name, email, phone, password: None, source_website: website };
    let opened = db.transaction(async |conn| {
        let user = insert_user(conn, None, &new, password_hash.as_deref(), None).await?;
        emails::send_verification(conn, &user).await
    });
    match opened.await {
        Err(Error::User(errors)) if errors.iter().any(|error| error.code == UserErrorCode::Taken) => {
            let owner = db.read(async |conn| users::store::find_login(conn, &new.email).await).await?;
            // A job may run twice: then the account is its own.
            match owner {
                Some((_, hash)) if hash.is_some() && hash == password_hash => Ok(()),
                _ => emails::send_address_taken(db, &new.email).await,
            }
        }
        done => done,
    }
}

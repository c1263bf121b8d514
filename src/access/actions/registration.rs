//! Registration of accounts by customers.
//! Rule: in private mode, the response, the SQL statements and the response time do not reveal whether the email
//! address has an account; a job creates the account and sends the email.

use serde::Deserialize;
use serde_json::json;

use super::{
    accounts::{hash_password, insert_user},
    emails, enqueue_job,
    login::{LoginContext, Tokens, issue_tokens, open_session},
    throttle,
};
use crate::{
    access::model::{NewAccount, throttle::AttemptKind},
    auth::RequestOrigin,
    config::RegistrationMode,
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::WebsiteId,
    jobs::model::{JobInfo, JobRow},
    users::{self, model::UserRow},
    websites,
};

/// The job.
pub const JOB: JobInfo =
    JobInfo::queued("register", "Creates an account in private mode, or notifies the owner of the email address.");

/// Payload of such a job.
#[derive(Deserialize)]
struct Payload {
    name: String,
    email: String,
    phone: Option<String>,
    password_hash: Option<String>,
    website: Option<WebsiteId>,
}

/// The result of a registration in open mode.
pub struct Registered {
    /// The new user.
    pub user: UserRow,
    /// The tokens of the user's first session; none if the email address must be verified before a login.
    pub tokens: Option<Tokens>,
}

/// Creates an account with the role `customer`, sends a verification email, and logs the user in unless the settings
/// require a verified email address for that. In private mode nothing is returned: a job creates the account, or
/// notifies the owner of the email address.
/// # Errors
/// User errors for invalid fields; TAKEN for the email address, in open mode only; [`Error::TooManyAttempts`].
pub async fn register(
    context: LoginContext<'_>,
    origin: &RequestOrigin,
    new: NewAccount,
) -> Result<Option<Registered>> {
    let LoginContext { db, accounts, attempts, .. } = context;
    let new = new.checked()?;
    throttle::count_attempt(db, attempts, AttemptKind::Register, origin, None).await?;
    let password_hash = hash_password(context.passwords, &new).await?;
    match accounts.registration {
        RegistrationMode::Open => {
            let registered = db.transaction(async |conn| {
                // No granter: registration always grants the role `customer`, whatever permissions it has.
                let user = insert_user(conn, None, &new, password_hash.as_deref(), None).await?;
                emails::send_verification(conn, &user).await?;
                let session = match accounts.login_needs_verification {
                    true => None,
                    false => Some(open_session(conn, context, user.id, origin).await?),
                };
                Ok((user, session))
            });
            let (user, session) = registered.await?;
            let tokens = match session {
                Some(session) => issue_tokens(context, user.id, session).await.map_err(|error| {
                    // The account exists. An error would suggest that it does not; the user can log in instead.
                    tracing::error!(%error, user = user.id.0, "issuing the tokens of a new account failed");
                }),
                None => Err(()),
            };
            Ok(Some(Registered { user, tokens: tokens.ok() }))
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
            enqueue_job(db, JOB.kind, None, payload).await?;
            Ok(None)
        }
    }
}

/// Creates the account of a job, or notifies the owner of the email address.
/// # Errors
/// Database errors.
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
            // A job may run twice: the account with this hash is its own.
            match owner {
                Some((_, hash)) if hash.is_some() && hash == password_hash => Ok(()),
                _ => emails::send_address_taken(db, &new.email).await,
            }
        }
        done => done,
    }
}

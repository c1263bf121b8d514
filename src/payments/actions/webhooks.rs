//! What providers tell by themselves.
//! Rule: an event counts once, by its id, in the transaction that settles by it; so a delivery that failed half-way may
//! come again.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::settle;
use crate::{
    db::Db,
    error::{Error, ErrorCode, Result},
    jobs::model::{Failure, JobRow},
    payments::{
        model::{ProviderName, SettleOutcome, sanitize},
        providers::{Event, Headers, OperationOutcome, Providers, WebhookRejection},
        store,
    },
};

/// Takes a webhook: what it came to, or none where the event was told before. An event of an operation that is not known
/// here is taken as well, and noted: telling it again would not help.
/// # Errors
/// NOT_FOUND for a provider that is not set up here or sends none, UNAUTHENTICATED without a good signature, BAD_USER_INPUT
/// for a body that says nothing; those of the database, after which the provider should tell again.
pub async fn receive(
    db: &Db,
    providers: &Providers,
    provider: &str,
    headers: &Headers,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<SettleOutcome>> {
    let name = ProviderName::ALL.iter().copied().find(|name| name.as_str() == provider);
    let known = name.and_then(|name| Some((name, providers.get(name)?)));
    let (name, provider) = known.ok_or_else(|| rejection_error(WebhookRejection::NotFound))?;
    let event = provider.webhook(headers, body, now).map_err(rejection_error)?;
    if !(1..=200).contains(&event.id.chars().count()) || event.id.contains('\0') {
        return Err(rejection_error(WebhookRejection::Malformed));
    }
    let payload = event_payload(&event);
    let outcome = db.transaction(async |conn| {
        let Some(id) = store::insert_webhook(conn, name, &event.id, &payload).await? else { return Ok(None) };
        let outcome = settle(conn, providers, name, event.key, &event.outcome).await?;
        store::update_webhook(conn, id, outcome).await?;
        Ok(Some(outcome))
    });
    let outcome = outcome.await?;
    match outcome {
        Some(SettleOutcome::Conflict) => tracing::error!(
            provider = name.as_str(),
            event = event.id,
            "a webhook contradicts what is settled: somebody has to look"
        ),
        Some(SettleOutcome::Unknown) => {
            tracing::warn!(
                provider = name.as_str(),
                event = event.id,
                "a webhook of an operation that is not known here"
            );
        }
        _ => {}
    }
    Ok(outcome)
}

fn rejection_error(rejection: WebhookRejection) -> Error {
    match rejection {
        WebhookRejection::NotFound => {
            Error::Coded(ErrorCode::NotFound, "no such payment provider sends webhooks here".into())
        }
        WebhookRejection::InvalidSignature => Error::Coded(
            ErrorCode::Unauthenticated,
            "the signature is missing or wrong, or more than five minutes old".into(),
        ),
        WebhookRejection::Malformed => {
            Error::Coded(ErrorCode::BadUserInput, "the body is no event of a payment".into())
        }
    }
}

/// What was understood of an event: all that is kept of it.
fn event_payload(event: &Event) -> Value {
    let key = event.key;
    match &event.outcome {
        OperationOutcome::Done { reference } => {
            json!({ "key": key, "status": "succeeded", "reference": sanitize(reference) })
        }
        OperationOutcome::Declined { failure } => {
            json!({ "key": key, "status": "failed", "failure": sanitize(failure) })
        }
        OperationOutcome::Pending { reference } => {
            json!({ "key": key, "status": "pending", "reference": reference.as_deref().and_then(sanitize) })
        }
    }
}

/// Sends a webhook of the test provider: signs it now, and hands it to the same function as the door.
/// # Errors
/// Where it is refused, which is for good, or the database is away.
pub async fn send_test_webhook(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let Some(provider) = providers.test() else { return Err(Failure::Final("the test provider is off".into())) };
    let (body, now) = (job.payload.to_string().into_bytes(), Utc::now());
    let headers = provider.signed_headers(&body, now);
    match receive(db, providers, ProviderName::Test.as_str(), &headers, &body, now).await {
        Ok(_) => Ok(()),
        Err(Error::Coded(_, why)) => Err(Failure::Final(why.into_owned())),
        Err(error) => Err(error.into()),
    }
}

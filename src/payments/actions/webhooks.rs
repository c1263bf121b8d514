//! Webhooks of payment providers.
//! Rule: an event is recorded by its ID in the transaction that settles its operation; so it counts once, and a
//! delivery that failed halfway can be repeated.

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

/// Processes a webhook; returns its outcome, or none if the event was received before. An event of an unknown operation
/// is accepted and recorded, since repeating it would not help.
/// # Errors
/// NOT_FOUND for a provider that is not configured or sends no webhooks; UNAUTHENTICATED without a valid signature;
/// BAD_USER_INPUT for a malformed body; database errors, after which the provider should retry.
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
            "webhook contradicts settled operation, needs review"
        ),
        Some(SettleOutcome::Unknown) => {
            tracing::warn!(provider = name.as_str(), event = event.id, "webhook of an unknown operation");
        }
        _ => {}
    }
    Ok(outcome)
}

fn rejection_error(rejection: WebhookRejection) -> Error {
    match rejection {
        WebhookRejection::NotFound => {
            Error::Coded(ErrorCode::NotFound, "no configured payment provider with this name sends webhooks".into())
        }
        WebhookRejection::InvalidSignature => Error::Coded(
            ErrorCode::Unauthenticated,
            "the signature is missing or invalid, or its time differs by more than 5 minutes".into(),
        ),
        WebhookRejection::Malformed => Error::Coded(ErrorCode::BadUserInput, "the body is not a payment event".into()),
    }
}

/// Returns the parsed fields of an event; nothing else of it is stored.
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

/// Sends a webhook of the test provider: signs it and passes it to [`receive`], as the HTTP endpoint does.
/// # Errors
/// A final failure if it is rejected; database errors are retried.
pub async fn send_test_webhook(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let Some(provider) = providers.test() else {
        return Err(Failure::Final("the test provider is not configured".into()));
    };
    let (body, now) = (job.payload.to_string().into_bytes(), Utc::now());
    let headers = provider.signed_headers(&body, now);
    match receive(db, providers, ProviderName::Test.as_str(), &headers, &body, now).await {
        Ok(_) => Ok(()),
        Err(Error::Coded(_, why)) => Err(Failure::Final(why.into_owned())),
        Err(error) => Err(error.into()),
    }
}

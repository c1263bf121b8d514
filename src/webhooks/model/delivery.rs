//! Deliveries of events: rows, attempts and when they are made.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::SubscriptionRow;
use crate::{
    db::tables::webhook_deliveries,
    events::model::{ShopEventKind, public_id},
    ids::{WebhookDeliveryId, WebhookSubscriptionId, WebsiteId},
    jobs::model::{backoff, with_jitter},
    text_enum,
};

/// Time for which a delivery is retried, and after which a subscription of which nothing was delivered is disabled.
pub const RETRY_PERIOD: TimeDelta = TimeDelta::days(3);

/// Time in which the query of a payload has to be executed.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Time in which a receiver has to respond.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Time in which the beginning of a response is read.
pub const EXCERPT_TIMEOUT: Duration = Duration::from_secs(2);

/// Validity of the lease of an attempt: longer than it can take.
pub const LEASE: Duration = Duration::from_secs(120);

/// Delay after the first failure; it doubles with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);
/// Maximum delay between attempts.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(3600);

/// Failures in a row after which a receiver counts as unreachable.
pub const UNREACHABLE_AFTER: i32 = 5;
/// Maximum time for which nothing is sent to a receiver that is unreachable.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// Maximum length of the stored part of a response, in characters.
pub const MAX_EXCERPT: usize = 1_000;

text_enum! {
    /// Status of a delivery.
    #[graphql(name = "WebhookDeliveryStatus")]
    pub enum DeliveryStatus {
        /// The delivery is waiting for its first or next attempt.
        Pending => "pending",
        /// The receiver responded with a status from 200 to 299.
        Delivered => "delivered",
        /// Every attempt of 3 days failed. `webhookRedeliver` delivers the event again.
        Failed => "failed",
        /// There was nothing to send: the owner of the subscription may not see what the event is about, or the query
        /// leaves it out.
        Skipped => "skipped",
    }
}

/// A row of `webhook_deliveries`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhook_deliveries, check_for_backend(diesel::pg::Pg))]
pub struct DeliveryRow {
    /// Primary key.
    pub id: WebhookDeliveryId,
    /// The subscription.
    pub subscription_id: WebhookSubscriptionId,
    /// Key of the event; none for a test.
    pub event_id: Option<i64>,
    /// Kind of the event, or [`TEST`].
    pub event: String,
    /// What the event is about.
    pub entity: String,
    /// Key of the entity.
    pub subject: i64,
    /// Website of the event.
    pub website_id: Option<WebsiteId>,
    /// Whether customers can see what changed.
    pub is_public: bool,
    /// Status or availability before the event.
    pub from_state: Option<String>,
    /// Status or availability after the event.
    pub to_state: Option<String>,
    /// When the event happened.
    pub event_at: DateTime<Utc>,
    /// Current status.
    pub status: DeliveryStatus,
    /// Number of attempts.
    pub attempts: i32,
    /// When the next attempt is due, if the delivery is pending.
    pub attempt_at: DateTime<Utc>,
    /// When the attempts began: when the delivery was queued, or its subscription was enabled again.
    pub retry_since: DateTime<Utc>,
    /// When the last attempt was made.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Time of the last attempt, in milliseconds.
    pub duration_ms: Option<i32>,
    /// HTTP status of the last response.
    pub response_status: Option<i32>,
    /// Beginning of the last response.
    pub response_excerpt: Option<String>,
    /// Why the last attempt failed.
    pub failure: Option<String>,
    /// When the delivery was queued.
    pub created_at: DateTime<Utc>,
}

/// Kind of the event of a test.
pub const TEST: &str = "test";

impl DeliveryRow {
    /// Returns the ID of the event, by which receivers recognize an event that they have received before.
    pub fn event_id(&self) -> String {
        self.event_id.map_or_else(|| format!("test-{}", self.id.0), public_id)
    }

    /// Returns the kind of the event; none for a test.
    pub fn kind(&self) -> Option<ShopEventKind> {
        ShopEventKind::ALL.iter().copied().find(|kind| kind.as_str() == self.event)
    }

    /// Returns the name of the event, as in the schema.
    pub fn event_name(&self) -> String {
        self.event.to_uppercase()
    }
}

/// A delivery that is due, with its subscription.
#[derive(Clone)]
pub struct DueDelivery {
    /// The delivery. Its attempts include the one that is to be made.
    pub delivery: DeliveryRow,
    /// The subscription.
    pub subscription: SubscriptionRow,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Why it failed; none if it succeeded.
    pub failure: Option<String>,
    /// HTTP status of the response.
    pub response_status: Option<i32>,
    /// Beginning of the response.
    pub response_excerpt: Option<String>,
    /// Time that it took.
    pub duration: Duration,
}

/// Returns the delay after a number of attempts. It doubles with each attempt, minus a random share of up to one half, so that
/// deliveries that failed together are not retried together.
pub fn retry_delay(attempts: i32) -> Duration {
    with_jitter(backoff(attempts, FIRST_RETRY_DELAY, MAX_RETRY_DELAY))
}

/// Returns for how long nothing is sent to a receiver after this number of failures in a row; none if there are few.
pub fn pause(failures: i32) -> Option<Duration> {
    let further = failures - UNREACHABLE_AFTER + 1;
    (further > 0).then(|| backoff(further, Duration::from_secs(1), MAX_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_maximum() {
        for (attempts, seconds) in [(1, 5), (2, 10), (5, 80), (20, 3_600), (i32::MAX, 3_600)] {
            let delay = retry_delay(attempts);
            let longest = Duration::from_secs(seconds);
            assert!((longest / 2..=longest).contains(&delay), "{attempts}: {delay:?}");
        }
    }

    #[test]
    fn a_receiver_is_left_alone_after_failures_in_a_row() {
        let pauses = [0, 4, 5, 6, 8, 100].map(|failures| pause(failures).map(|pause| pause.as_secs()));
        assert_eq!(pauses, [None, None, Some(1), Some(2), Some(8), Some(300)]);
    }
}

//! Models of background jobs: rows, states and retry rules.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    db::{filter::Op, tables::jobs},
    error::{Error, Result},
    ids::{JobId, UserId},
    paging::SortKey,
};

/// Number of attempts before a job is dead.
pub const MAX_ATTEMPTS: i32 = 10;
/// Timeout of a handler.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(120);
/// Validity of a lease. The jobs of a server that died are claimed by another one when their leases end, so it is short.
pub const LEASE: Duration = Duration::from_secs(20);
/// Interval at which a lease is renewed while its job runs: a few renewals may fail.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// Delay after the first failure; it doubles with each further failure.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(10);
/// Maximum delay between attempts.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(3600);
/// Maximum length of a stored error message, in characters.
const MAX_ERROR: usize = 1000;

/// The stored state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredState {
    /// The job is waiting to run, or running.
    Queued,
    /// The job failed permanently.
    Dead,
}

impl StoredState {
    /// Returns the value in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Dead => "dead",
        }
    }
}

/// A kind of job: how it runs, and its description in the manual.
#[derive(Debug, Clone, Copy)]
pub struct JobInfo {
    /// The kind, as `Job.kind` shows it.
    pub kind: &'static str,
    /// Time between two runs; none for a job that is queued when something happens.
    pub period: Option<Duration>,
    /// Whether the job may take hours.
    pub is_long: bool,
    /// Whether a recurring job ends by itself when the worker stops, instead of being interrupted.
    pub stops_itself: bool,
    /// What the job does.
    pub description: &'static str,
}

impl JobInfo {
    /// A job that is queued when something happens.
    pub const fn queued(kind: &'static str, description: &'static str) -> Self {
        Self { kind, period: None, is_long: false, stops_itself: false, description }
    }

    /// A queued job that may take hours.
    pub const fn long(kind: &'static str, description: &'static str) -> Self {
        Self { is_long: true, ..Self::queued(kind, description) }
    }

    /// A job that runs once per period.
    pub const fn recurring(kind: &'static str, period: Duration, description: &'static str) -> Self {
        Self { period: Some(period), ..Self::queued(kind, description) }
    }

    /// The same job, which ends by itself when the worker stops.
    pub const fn stopping_itself(self) -> Self {
        Self { stops_itself: true, ..self }
    }
}

/// A job to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = jobs)]
pub struct NewJob {
    /// Kind of the job, which determines its handler.
    pub kind: &'static str,
    /// Input of the handler.
    pub payload: Value,
    /// User whose personal data the payload contains.
    pub user_id: Option<UserId>,
    /// When the job is due; none for immediately.
    pub run_at: Option<DateTime<Utc>>,
}

/// A claimed job.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub struct JobRow {
    /// Key of the job.
    pub id: JobId,
    /// Kind of the job, which determines its handler.
    pub kind: String,
    /// Input of the handler.
    pub payload: Value,
    /// User whose personal data the payload contains.
    pub user_id: Option<UserId>,
    /// Number of attempts, including the current one; for a recurring job, since its last success.
    pub attempts: i32,
    /// Whether the job is rescheduled when it completes.
    pub is_recurring: bool,
    /// When the job was queued.
    pub created_at: DateTime<Utc>,
}

impl JobRow {
    /// Deserializes the payload.
    /// # Errors
    /// Returns [`Error::Internal`] if the payload has another form, such as that of another version.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.payload)
            .map_err(|error| Error::Internal(format!("payload of a {} job: {error}", self.kind)))
    }

    /// Returns the delay before the next attempt. It doubles with each attempt, minus a random share of up to one half,
    /// so that jobs that failed together are not retried together.
    pub fn retry_delay(&self) -> Duration {
        with_jitter(backoff(self.attempts, FIRST_RETRY_DELAY, MAX_RETRY_DELAY))
    }
}

/// Returns the delay after a number of attempts: the first one doubles with each further attempt, up to a maximum.
pub fn backoff(attempts: i32, first: Duration, max: Duration) -> Duration {
    let doublings = attempts.saturating_sub(1).clamp(0, 20).unsigned_abs();
    (first * 2_u32.pow(doublings)).min(max)
}

/// Returns a delay minus a random share of up to one half.
pub fn with_jitter(delay: Duration) -> Duration {
    delay.mul_f64(rand::random_range(0.5..=1.0))
}

/// A job as shown to staff: without its payload, which may contain secrets.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub struct JobSummary {
    /// Key of the job.
    pub id: JobId,
    /// Kind of the job, which determines its handler.
    pub kind: String,
    state: String,
    /// Whether a worker holds a lease on the job, by the database's clock.
    #[diesel(select_expression = jobs::locked_until.is_not_null().and(jobs::locked_until.assume_not_null().gt(now)))]
    is_held: bool,
    /// Number of attempts; for a recurring job, since its last success.
    pub attempts: i32,
    /// When the job is due.
    pub run_at: DateTime<Utc>,
    /// When the current or last lease expires.
    pub locked_until: Option<DateTime<Utc>>,
    /// Error of the last failed attempt.
    pub last_error: Option<String>,
    /// Whether the job is rescheduled when it completes.
    pub is_recurring: bool,
    /// When the job was queued.
    pub created_at: DateTime<Utc>,
}

impl JobSummary {
    /// Returns the current state.
    pub fn state(&self) -> JobState {
        match self.state == StoredState::Dead.as_str() {
            true => JobState::Dead,
            false if self.is_held => JobState::Running,
            false => JobState::Queued,
        }
    }
}

/// State of a background job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum JobState {
    /// The job is waiting to run.
    Queued,
    /// A worker is running the job. If the worker crashed, the job is claimed again after `lockedUntil`.
    Running,
    /// The job failed permanently.
    Dead,
}

/// A filter condition on jobs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JobCondition {
    /// Filter by state.
    State(Op<JobState>),
    /// Filter by kind.
    Kind(Op<String>),
    /// Filter by creation time.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that jobs can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum JobOrderField {
    /// When the job was created.
    #[default]
    CreatedAt,
}

impl JobOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "jobs:created_at",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &JobSummary) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
        }
    }
}

/// The failure of a handler. Any [`Error`] becomes a failure that is retried.
///
/// The text is stored and shown to staff, so it must not contain secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The job may succeed when it is retried.
    Retry(String),
    /// The job can never succeed.
    Final(String),
}

impl Failure {
    /// Returns the reason, at most 1,000 characters.
    pub fn reason(&self) -> String {
        let (Self::Retry(why) | Self::Final(why)) = self;
        match why.trim() {
            "" => "no reason given".to_owned(),
            why => why.chars().take(MAX_ERROR).collect(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Retry(error.to_string())
    }
}

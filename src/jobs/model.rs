//! Rows and rules of background work.

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

/// How often a job is tried before it is dead.
pub const MAX_ATTEMPTS: i32 = 10;
/// How long a handler may take.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a claimed job is nobody else's: the handler's time, and as much again to note its end.
pub const LEASE: Duration = Duration::from_secs(300);

/// The pause after the first failure; each further one doubles it.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(10);
/// The longest pause.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(3600);
/// Longest text of an error that is kept, in characters.
const MAX_ERROR: usize = 1000;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredState {
    /// It waits for its time, or runs.
    Queued,
    /// It failed for good.
    Dead,
}

impl StoredState {
    /// The value in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Dead => "dead",
        }
    }
}

/// A job to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = jobs)]
pub struct NewJob {
    /// Which handler runs it.
    pub kind: &'static str,
    /// What the handler needs to know.
    pub payload: Value,
    /// Whose personal data the payload holds.
    pub user_id: Option<UserId>,
    /// When it is due; at once where there is none.
    pub run_at: Option<DateTime<Utc>>,
}

/// A job.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub struct JobRow {
    /// Key.
    pub id: JobId,
    /// Which handler runs it.
    pub kind: String,
    /// What the handler needs to know.
    pub payload: Value,
    /// Whose personal data the payload holds.
    pub user_id: Option<UserId>,
    /// How often it was claimed, the present time included; of a recurring one, since it last succeeded.
    pub attempts: i32,
    /// Whether it waits for its next time when it is done.
    pub is_recurring: bool,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
}

impl JobRow {
    /// The payload as the type that the handler takes.
    /// # Errors
    /// Where it is something else, say of another version of the program.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.payload)
            .map_err(|error| Error::Internal(format!("payload of a {} job: {error}", self.kind)))
    }

    /// How long it waits after it failed: twice as long each time, and up to half of that less by chance, so that many
    /// that failed together do not come back together.
    pub fn retry_delay(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).clamp(0, 20).unsigned_abs();
        let delay = (FIRST_RETRY_DELAY * 2_u32.pow(doublings)).min(MAX_RETRY_DELAY);
        delay.mul_f64(rand::random_range(0.5..=1.0))
    }
}

/// A job as staff sees it: without its payload, which may hold secrets.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub struct JobSummary {
    /// Key.
    pub id: JobId,
    /// Which handler runs it.
    pub kind: String,
    state: String,
    /// Whether a worker holds it, by the clock of the database.
    #[diesel(select_expression = jobs::locked_until.is_not_null().and(jobs::locked_until.assume_not_null().gt(now)))]
    is_held: bool,
    /// How often it was claimed; of a recurring one, since it last succeeded.
    pub attempts: i32,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// Until when a worker holds it, or held it.
    pub locked_until: Option<DateTime<Utc>>,
    /// Why it failed the last time.
    pub last_error: Option<String>,
    /// Whether it waits for its next time when it is done.
    pub is_recurring: bool,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
}

impl JobSummary {
    /// Where it stands.
    pub fn state(&self) -> JobState {
        match self.state == StoredState::Dead.as_str() {
            true => JobState::Dead,
            false if self.is_held => JobState::Running,
            false => JobState::Queued,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum JobState {
    /// It waits for its time.
    Queued,
    /// A worker runs it; or ran it, and ended without a word, and it is claimed again when `lockedUntil` is over.
    Running,
    /// It failed for good.
    Dead,
}

/// A condition on jobs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JobCondition {
    /// By where it stands.
    State(Op<JobState>),
    /// By kind.
    Kind(Op<String>),
    /// By when it was queued.
    CreatedAt(Op<DateTime<Utc>>),
}

/// What a list of jobs is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum JobOrderField {
    /// When it was queued.
    #[default]
    CreatedAt,
}

impl JobOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "jobs:created_at",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &JobSummary) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
        }
    }
}

/// How a handler fails. Any [`Error`] becomes one that is tried again.
///
/// The text is kept in the table for people to read: no secret may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may go better another time.
    Retry(String),
    /// It never will.
    Final(String),
}

impl Failure {
    /// Why, in words, at most 1,000 characters.
    pub fn reason(&self) -> String {
        let (Self::Retry(why) | Self::Final(why)) = self;
        match why.trim() {
            "" => "it does not say why".to_owned(),
            why => why.chars().take(MAX_ERROR).collect(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Retry(error.to_string())
    }
}

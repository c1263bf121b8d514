//! Rows and rules of background work.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    db::tables::jobs,
    error::{Error, Result},
    ids::{JobId, UserId},
};

/// How often a job is tried before it is dead.
pub const MAX_ATTEMPTS: i32 = 10;
/// How long a handler may take.
pub const LIMIT: Duration = Duration::from_secs(120);
/// How long a claimed job is nobody else's: the handler's time, and as much again to note its end.
pub const LEASE: Duration = Duration::from_secs(300);

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Longest text of an error that is kept, in characters.
const MAX_ERROR: usize = 1000;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for its time, or runs.
    Queued,
    /// It failed for good.
    Dead,
}

impl State {
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
    /// How often it was claimed, the present time included.
    pub attempts: i32,
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
    pub fn pause(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).clamp(0, 20).unsigned_abs();
        let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
        pause.mul_f64(rand::random_range(0.5..=1.0))
    }
}

/// How a handler fails. Any [`Error`] becomes one that is tried again.
///
/// The text is kept in the table for people to read: no secret may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may go better another time.
    Again(String),
    /// It never will.
    Final(String),
}

impl Failure {
    /// Why, in words, at most 1,000 characters.
    pub fn why(&self) -> String {
        let (Self::Again(why) | Self::Final(why)) = self;
        match why.trim() {
            "" => "it does not say why".to_owned(),
            why => why.chars().take(MAX_ERROR).collect(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Again(error.to_string())
    }
}

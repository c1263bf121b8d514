//! Every statement on `events`, which triggers write.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    QueryResult,
    dsl::AsSelect,
    expression::Expression,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::model::{EventKind, EventRow, Start, Topic};
use crate::{
    auth::GuestKey,
    db::{Conn, changes::Moment, tables::events},
    error::Result,
};

/// Longest time between the start of a transaction and its commit: after a restart of the database server, events are read from
/// this much earlier on.
const LONGEST_TRANSACTION: Duration = Duration::minutes(2);

/// Reads the events of these kinds that became visible between a start and a moment, in the order of their IDs.
/// # Errors
/// Returns the error of the database.
pub async fn between(conn: &Conn, start: Start, until: &Moment, kinds: &[EventKind]) -> Result<Vec<EventRow>> {
    EventsBetween::new(start, until, kinds.to_vec(), i64::MAX).load(conn).await
}

/// Reads the events of a topic, as [`between`] does, at most so many.
/// # Errors
/// Returns the error of the database.
pub async fn of_topic(conn: &Conn, topic: Topic, start: Start, until: &Moment, limit: i64) -> Result<Vec<EventRow>> {
    let mut query = EventsBetween::new(start, until, topic.kinds().to_vec(), limit);
    query.subject = topic.subject();
    match topic {
        Topic::Orders(website) | Topic::Products(website) | Topic::Stocks(website) => {
            query.website = website.map(|website| website.0);
        }
        Topic::CartsOfUser(user) => query.owner = Some(user.0),
        Topic::CartsOfGuest(guest) => query.guest = Some(guest),
        Topic::Order(_) | Topic::Product(_) | Topic::Stock(_) | Topic::Transfer(_) | Topic::Notification(_) => {}
    }
    query.load(conn).await
}

/// Deletes the events before this time; returns how many.
/// # Errors
/// Returns the error of the database.
pub async fn delete_before(mut conn: &Conn, time: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(events::table.filter(events::created_at.lt(time))).execute(&mut conn).await?)
}

/// The query of events.
struct EventsBetween {
    /// Finds the events by the index.
    oldest: i64,
    /// Leaves out the events that were visible at this moment; none if they are found by their time.
    after: Option<String>,
    since: Option<DateTime<Utc>>,
    until: String,
    kinds: Vec<EventKind>,
    subject: Option<i64>,
    website: Option<i64>,
    owner: Option<i64>,
    guest: Option<GuestKey>,
    limit: i64,
    columns: AsSelect<EventRow, Pg>,
}

impl EventsBetween {
    fn new(start: Start, until: &Moment, kinds: Vec<EventKind>, limit: i64) -> Self {
        let (oldest, after, since) = match start {
            Start::Moment(moment) => (moment.oldest_running(), Some(moment.to_string()), None),
            Start::Time(time) => (0, None, Some(time - LONGEST_TRANSACTION)),
        };
        Self {
            oldest,
            after,
            since,
            until: until.to_string(),
            kinds,
            subject: None,
            website: None,
            owner: None,
            guest: None,
            limit,
            columns: EventRow::as_select(),
        }
    }

    async fn load(self, mut conn: &Conn) -> Result<Vec<EventRow>> {
        Ok(RunQueryDsl::load(self, &mut conn).await?)
    }
}

impl QueryId for EventsBetween {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for EventsBetween {
    type SqlType = <AsSelect<EventRow, Pg> as Expression>::SqlType;
}
impl QueryFragment<Pg> for EventsBetween {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM events WHERE transaction_id >= ");
        out.push_bind_param::<BigInt, _>(&self.oldest)?;
        out.push_sql(" AND pg_visible_in_snapshot(transaction_id::text::xid8, ");
        out.push_bind_param::<Text, _>(&self.until)?;
        out.push_sql("::pg_snapshot) AND kind = ANY(");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(")");
        if let Some(after) = &self.after {
            out.push_sql(" AND NOT pg_visible_in_snapshot(transaction_id::text::xid8, ");
            out.push_bind_param::<Text, _>(after)?;
            out.push_sql("::pg_snapshot)");
        }
        if let Some(since) = &self.since {
            out.push_sql(" AND created_at >= ");
            out.push_bind_param::<Timestamptz, _>(since)?;
        }
        for (column, value) in [("subject", &self.subject), ("website", &self.website), ("owner", &self.owner)] {
            if value.is_some() {
                out.push_sql(&format!(" AND {column} = "));
                out.push_bind_param::<Nullable<BigInt>, _>(value)?;
            }
        }
        if let Some(guest) = &self.guest {
            out.push_sql(" AND token_hash = ");
            out.push_bind_param::<diesel::sql_types::Bytea, _>(guest.hash())?;
        }
        out.push_sql(" ORDER BY id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        Ok(())
    }
}

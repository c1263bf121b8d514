//! Every statement on `events`, which triggers write.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    QueryResult,
    dsl::AsSelect,
    expression::Expression,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bytea, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::model::{EventKind, EventRow, Start, Topic, Window};
use crate::{
    db::{Conn, tables::events},
    error::Result,
};

/// Longest time between a change and the commit of its transaction: where events are found by their time, they are read from this
/// much earlier on.
const LONGEST_TRANSACTION: Duration = Duration::minutes(2);

/// Reads the first events of these kinds in a window after an ID, at most `limit`.
/// # Errors
/// Returns the error of the database.
pub async fn in_window(
    conn: &Conn,
    window: &Window,
    after_id: i64,
    kinds: Vec<EventKind>,
    limit: i64,
) -> Result<Vec<EventRow>> {
    EventsInWindow::new(window, after_id, kinds, limit).load(conn).await
}

/// Reads the first events in a window after an ID, at most `limit`, among which all events of these topics are. They may be
/// others, too.
/// # Errors
/// Returns the error of the database.
pub async fn of_topics(
    conn: &Conn,
    topics: &[Topic],
    window: &Window,
    after_id: i64,
    limit: i64,
) -> Result<Vec<EventRow>> {
    let is_wanted = |kind: &EventKind| topics.iter().any(|topic| topic.kinds().contains(kind));
    let kinds = EventKind::ALL.iter().copied().filter(is_wanted).collect();
    let mut query = EventsInWindow::new(window, after_id, kinds, limit);
    for topic in topics {
        query.subject = topic.subject();
        match topic {
            Topic::Orders(website) | Topic::Products(website) | Topic::Stocks(website) => {
                query.website = website.map(|website| website.0);
            }
            Topic::CartsOfUser(user) => query.owner = Some(user.0),
            Topic::CartsOfGuest(guest) => query.token_hash = Some(guest.hash().to_vec()),
            Topic::Order(_) | Topic::Product(_) | Topic::Stock(_) | Topic::Transfer(_) | Topic::Notification(_) => {}
        }
    }
    query.load(conn).await
}

/// Returns the ID after which further events are read, if there may be some: if as many were read as the limit allows.
pub fn rest_after(rows: &[EventRow], limit: i64) -> Option<i64> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    rows.last().filter(|_| is_full).map(|row| row.id)
}

/// Deletes the events before this time; returns how many.
/// # Errors
/// Returns the error of the database.
pub async fn delete_before(mut conn: &Conn, time: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(events::table.filter(events::created_at.lt(time))).execute(&mut conn).await?)
}

/// The query of events in a window.
struct EventsInWindow {
    /// What was not visible at the start: the transactions from the first on, and the second.
    started: Option<(i64, Vec<i64>)>,
    since: DateTime<Utc>,
    until: String,
    after_id: i64,
    kinds: Vec<EventKind>,
    subject: Option<i64>,
    website: Option<i64>,
    owner: Option<i64>,
    token_hash: Option<Vec<u8>>,
    limit: i64,
    columns: AsSelect<EventRow, Pg>,
}

impl EventsInWindow {
    fn new(window: &Window, after_id: i64, kinds: Vec<EventKind>, limit: i64) -> Self {
        let started = match &window.start {
            Start::Moment(moment) => Some((moment.next(), moment.running().to_vec())),
            Start::Time => None,
        };
        Self {
            started,
            since: window.since - LONGEST_TRANSACTION,
            until: window.until.moment.to_string(),
            after_id,
            kinds,
            subject: None,
            website: None,
            owner: None,
            token_hash: None,
            limit,
            columns: EventRow::as_select(),
        }
    }

    async fn load(self, mut conn: &Conn) -> Result<Vec<EventRow>> {
        Ok(RunQueryDsl::load(self, &mut conn).await?)
    }

    /// Whose carts the events are of.
    fn walk_owner<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if self.owner.is_some() || self.token_hash.is_some() {
            out.push_sql(" AND (owner = ");
            out.push_bind_param::<Nullable<BigInt>, _>(&self.owner)?;
            out.push_sql(" OR token_hash = ");
            out.push_bind_param::<Nullable<Bytea>, _>(&self.token_hash)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

impl QueryId for EventsInWindow {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for EventsInWindow {
    type SqlType = <AsSelect<EventRow, Pg> as Expression>::SqlType;
}
impl QueryFragment<Pg> for EventsInWindow {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM events WHERE ");
        match &self.started {
            // The same as not being visible in the snapshot, but found by the index.
            Some((next, running)) => {
                out.push_sql("(transaction_id >= ");
                out.push_bind_param::<BigInt, _>(next)?;
                out.push_sql(" OR transaction_id = ANY(");
                out.push_bind_param::<Array<BigInt>, _>(running)?;
                out.push_sql("))");
            }
            None => {
                out.push_sql("created_at >= ");
                out.push_bind_param::<Timestamptz, _>(&self.since)?;
            }
        }
        out.push_sql(" AND pg_visible_in_snapshot(transaction_id::text::xid8, ");
        out.push_bind_param::<Text, _>(&self.until)?;
        out.push_sql("::pg_snapshot) AND id > ");
        out.push_bind_param::<BigInt, _>(&self.after_id)?;
        out.push_sql(" AND kind = ANY(");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(")");
        for (column, value) in [("subject", &self.subject), ("website", &self.website)] {
            if value.is_some() {
                out.push_sql(&format!(" AND {column} = "));
                out.push_bind_param::<Nullable<BigInt>, _>(value)?;
            }
        }
        self.walk_owner(out.reborrow())?;
        out.push_sql(" ORDER BY id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        Ok(())
    }
}

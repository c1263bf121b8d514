//! The log of what changed, which the triggers of the tables write for the caches of all servers. Owns `changes`.
//! Rule: rows are read by snapshot. They become visible in the order of the commits, so a higher ID says nothing.

use diesel::{
    QueryResult,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{Conn, tables::changes};
use crate::error::Result;

/// The tag of a change that may concern everything.
pub const ALL: &str = "all";

/// A moment of the database, as `pg_current_snapshot` writes it: `xmin:xmax:` and the transactions that were running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment(String);

impl Moment {
    /// Returns the oldest transaction that may have been running: all before it had ended. None if the text is malformed.
    fn oldest(&self) -> Option<i64> {
        self.0.split(':').next()?.parse().ok()
    }
}

/// What changed since an earlier moment.
#[derive(Debug, Clone)]
pub struct Changes {
    /// The moment of this read.
    pub moment: Moment,
    /// The database and the start of its server. If it is another one, moments cannot be compared.
    pub server: String,
    /// The tags of what changed.
    pub tags: Vec<String>,
}

/// Reads the changes that were not visible at an earlier moment; without one, only the current moment.
/// # Errors
/// Returns the error of the database.
pub async fn since(mut conn: &Conn, earlier: Option<&Moment>) -> Result<Changes> {
    let (oldest, moment) = match earlier.and_then(|moment| Some((moment.oldest()?, moment.0.as_str()))) {
        Some(earlier) => earlier,
        None => (i64::MAX, NO_MOMENT),
    };
    let (moment, server, tags) = ChangesSince { oldest, moment }.get_result(&mut conn).await?;
    Ok(Changes { moment: Moment(moment), server, tags })
}

/// Deletes the changes that were visible at the last call, and returns their number. By their time alone they could be deleted
/// before any server has read them: it is when their transaction began.
/// # Errors
/// Returns the error of the database.
pub async fn delete_old(mut conn: &Conn) -> Result<usize> {
    let deleted = diesel::delete(changes::table.filter(changes::is_old)).execute(&mut conn).await?;
    diesel::update(changes::table).set(changes::is_old.eq(true)).execute(&mut conn).await?;
    Ok(deleted)
}

/// Writes that everything may have changed, for what the triggers do not see.
/// # Errors
/// Returns the error of the database.
pub async fn add_all(mut conn: &Conn) -> Result<()> {
    diesel::insert_into(changes::table).values(changes::tags.eq(vec![ALL])).execute(&mut conn).await?;
    Ok(())
}

/// The snapshot of a database without transactions.
const NO_MOMENT: &str = "1:1:";

/// Query of the changes since a moment. `oldest` finds them by the index; the moment leaves out those that were visible.
#[derive(Debug, Clone, Copy)]
struct ChangesSince<'a> {
    oldest: i64,
    moment: &'a str,
}

impl QueryId for ChangesSince<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for ChangesSince<'_> {
    type SqlType = (Text, Text, Array<Text>);
}
impl QueryFragment<Pg> for ChangesSince<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT pg_current_snapshot()::text,
                    (SELECT concat(oid, ' ', pg_postmaster_start_time()) FROM pg_database WHERE datname = current_database()),
                    ARRAY(SELECT DISTINCT unnest(tags) FROM changes WHERE transaction_id >= ",
        );
        out.push_bind_param::<BigInt, _>(&self.oldest)?;
        out.push_sql(" AND NOT pg_visible_in_snapshot(transaction_id::text::xid8, ");
        out.push_bind_param::<Text, _>(&self.moment)?;
        // Rows of a dump have transactions of another server, which may still be to come here.
        out.push_sql("::pg_snapshot) AND transaction_id < pg_snapshot_xmax(pg_current_snapshot())::text::bigint)");
        Ok(())
    }
}

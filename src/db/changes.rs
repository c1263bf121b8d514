//! The log of what changed, which the triggers of the tables write for the caches of all servers. Owns `changes`.
//! Rule: rows are read by snapshot. They become visible in the order of the commits, so a higher ID says nothing.

use std::{fmt, str::FromStr};

use diesel::{
    QueryResult,
    dsl::max,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Text},
};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{Conn, tables::changes};
use crate::error::{Error, Result};

/// The tag of a change that may concern everything.
pub const ALL: &str = "all";

/// The tag that says that changes before it were deleted.
pub const DELETED: &str = "deleted";

/// A moment of the database: the transactions whose effects are visible. Written as `pg_current_snapshot` does:
/// `xmin:xmax:` and the transactions that are running, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    /// All transactions before this one have ended.
    oldest_running: i64,
    /// No transaction from this one on has ended.
    next: i64,
    /// The transactions between the two that have not ended.
    running: Box<[i64]>,
}

impl Moment {
    /// Returns whether all that is visible at this moment is visible at another one of the same server.
    pub fn is_included_in(&self, other: &Self) -> bool {
        let is_running_here = |id: &i64| *id >= self.next || self.running.contains(id);
        self.next <= other.next && other.running.iter().all(is_running_here)
    }
}

impl Moment {
    /// Returns the transaction from which on none has ended.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Returns the transactions before [`Moment::next`] that have not ended.
    pub fn running(&self) -> &[i64] {
        &self.running
    }

    /// Returns whether the changes of a transaction that was committed are visible.
    pub fn sees(&self, transaction: i64) -> bool {
        transaction < self.next && !self.running.contains(&transaction)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let mut parts = text.split(':');
            let (oldest_running, next) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let running = parts.next()?.split(',').filter(|id| !id.is_empty());
            let running = running.map(|id| id.parse().ok()).collect::<Option<Box<[i64]>>>()?;
            let is_between = running.iter().all(|id| (oldest_running..next).contains(id));
            let is_valid = 0 < oldest_running && oldest_running <= next && running.is_sorted() && is_between;
            is_valid.then_some(Self { oldest_running, next, running })
        };
        parse().ok_or_else(|| format!("{text} is not a snapshot"))
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.oldest_running, self.next)?;
        for (index, id) in self.running.iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// A moment of one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The database, the start of its server, and that of its statistics, which begin anew after a crash. Transactions that a
    /// crash undid leave their numbers to others, so moments before and after it cannot be compared.
    pub server: String,
    /// The moment.
    pub moment: Moment,
}

/// What changed since an earlier moment.
#[derive(Debug, Clone)]
pub struct Changes {
    /// The position of this read.
    pub position: Position,
    /// The tags of what changed.
    pub tags: Vec<String>,
}

/// Reads the changes that were not visible at an earlier moment; without one, only the current moment.
/// # Errors
/// Returns the error of the database, also if it is a standby.
pub async fn since(mut conn: &Conn, earlier: Option<&Moment>) -> Result<Changes> {
    let (oldest, moment) = match earlier {
        Some(earlier) => (earlier.oldest_running, earlier.to_string()),
        None => (i64::MAX, NO_MOMENT.to_owned()),
    };
    let (moment, server, is_standby, tags): (String, String, bool, _) =
        ChangesSince { oldest, moment: &moment }.get_result(&mut conn).await?;
    if is_standby {
        // It shows running transactions as ended, so changes could be missed.
        return Err(Error::Unavailable("the database is a standby".into()));
    }
    let position = Position { server, moment: moment.parse().map_err(Error::Internal)? };
    Ok(Changes { position, tags })
}

/// Returns the last transaction that deleted changes; none if there is none.
/// # Errors
/// Returns the error of the database.
pub async fn last_deletion(mut conn: &Conn) -> Result<Option<i64>> {
    let deletions = changes::table.filter(changes::tags.eq(vec![DELETED]));
    Ok(deletions.select(max(changes::transaction_id)).first(&mut conn).await?)
}

/// Deletes the changes that were visible at the last call, and returns their number. By their time alone they could be deleted
/// before any server has read them: it is when their transaction began.
/// # Errors
/// Returns the error of the database.
pub async fn delete_old(mut conn: &Conn) -> Result<usize> {
    let deleted = diesel::delete(changes::table.filter(changes::is_old)).execute(&mut conn).await?;
    diesel::update(changes::table).set(changes::is_old.eq(true)).execute(&mut conn).await?;
    if deleted > 0 {
        add(conn, DELETED).await?;
    }
    Ok(deleted)
}

/// Writes that everything may have changed, for what the triggers do not see.
/// # Errors
/// Returns the error of the database.
pub async fn add_all(conn: &Conn) -> Result<()> {
    add(conn, ALL).await
}

async fn add(mut conn: &Conn, tag: &str) -> Result<()> {
    diesel::insert_into(changes::table).values(changes::tags.eq(vec![tag])).execute(&mut conn).await?;
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
    type SqlType = (Text, Text, Bool, Array<Text>);
}
impl QueryFragment<Pg> for ChangesSince<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT pg_current_snapshot()::text,
                    (SELECT concat_ws(' ', oid, pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time())
                       FROM pg_database WHERE datname = current_database()),
                    pg_is_in_recovery(),
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

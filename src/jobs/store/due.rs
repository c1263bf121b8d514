//! The statement that finds and locks due jobs.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Text},
};

/// Selects and locks due jobs, longest due first. Each kind uses its own range of an index, because there may be many
/// jobs of a kind that no worker here runs, such as emails without an SMTP server.
#[derive(Debug, Clone, Copy)]
pub(super) struct DueJobs<'a> {
    /// Kinds to select.
    pub(super) kinds: &'a [&'a str],
    /// Maximum number of jobs.
    pub(super) limit: i64,
}

impl QueryId for DueJobs<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for DueJobs<'_> {
    type SqlType = BigInt;
}
impl QueryFragment<Pg> for DueJobs<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT due.id FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(
            "::text[]) AS kinds (kind) CROSS JOIN LATERAL (SELECT id, run_at FROM jobs WHERE kind = kinds.kind AND state = 'queued'
                AND run_at <= now() AND (locked_until IS NULL OR locked_until <= now()) ORDER BY run_at, id LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(" FOR UPDATE SKIP LOCKED) AS due ORDER BY due.run_at, due.id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        Ok(())
    }
}

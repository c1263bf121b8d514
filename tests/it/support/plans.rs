//! The plans of the statements that an operation really ran, on the connections that ran them.
//! Rule: the read connections plan for any value alike, so the plan of a prepared statement is that of every call.

use diesel::{
    QueryableByName,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use souk::error::Result;

use super::{Answer, TestDb, db::READ_CONNECTIONS};

/// A statement and how PostgreSQL answers it.
pub struct Plan {
    /// The statement.
    pub sql: String,
    /// The lines of EXPLAIN.
    pub lines: Vec<String>,
}

#[derive(QueryableByName)]
struct Prepared {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    text: String,
}

impl TestDb {
    /// The plan of each statement of an answer.
    pub async fn plans(&self, answer: &Answer) -> Vec<Plan> {
        let statements = answer.sql.iter().map(|sql| sql.split_once(" -- binds:").map_or(sql.as_str(), |(sql, _)| sql));
        let mut plans: Vec<_> = statements.map(|sql| Plan { sql: sql.to_owned(), lines: Vec::new() }).collect();
        // The read connections take turns, so that each has its own.
        for _ in 0..READ_CONNECTIONS {
            let read = self.db.read(async |mut conn| -> Result<Vec<(String, Vec<String>)>> {
                let query = "SELECT name, statement, parameter_types::text[] AS types FROM pg_prepared_statements";
                let prepared: Vec<Prepared> = diesel::sql_query(query).load(&mut conn).await?;
                let mut explained = Vec::new();
                for Prepared { name, statement, types } in prepared {
                    let nulls = vec!["NULL"; types.len()].join(", ");
                    let arguments = if types.is_empty() { String::new() } else { format!("({nulls})") };
                    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE {name} {arguments}");
                    if !statement.contains("pg_prepared_statements") && !statement.starts_with("EXPLAIN") {
                        let lines: Vec<Line> = diesel::sql_query(explain).load(&mut conn).await?;
                        explained.push((statement, lines.into_iter().map(|line| line.text).collect()));
                    }
                }
                Ok(explained)
            });
            for (statement, lines) in read.await.expect("plans") {
                for plan in plans.iter_mut().filter(|plan| plan.sql == statement) {
                    plan.lines.clone_from(&lines);
                }
            }
        }
        assert!(plans.iter().all(|plan| !plan.lines.is_empty()), "every statement of a read is kept prepared");
        plans
    }
}

//! The plans of the statements that an operation ran, taken from the connections that ran them.
//! Rule: connections for bounded reads use generic plans, so the plan of a prepared statement is that of every call;
//! those for expensive reads, which plan for the actual values, are asked with the values that were sent.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use souk::{
    db::{DbSettings, PlanMode},
    error::Result,
};
use tokio::sync::Barrier;

use super::{TestDb, TestResponse, db::READ_CONNECTIONS, psql::Psql};

/// A statement and its plan.
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
    /// Returns the plan of each statement of a response.
    pub async fn plans(&self, response: &TestResponse) -> Vec<Plan> {
        let mut ran = BTreeMap::new();
        for text in &response.sql {
            let (sql, binds) = text.split_once(" -- binds: ").unwrap_or((text, "[]"));
            ran.insert(sql.to_owned(), split_debug_list(binds));
        }
        let mut plans: Vec<_> = response
            .sql
            .iter()
            .map(|text| text.split_once(" -- binds:").map_or(text.as_str(), |(sql, _)| sql))
            .map(|sql| Plan { sql: sql.to_owned(), lines: Vec::new() })
            .collect();
        let mut explained = Vec::new();
        // The connections for bounded reads take turns, and each has its own prepared statements.
        for _ in 0..READ_CONNECTIONS {
            explained.extend(self.explain_prepared(PlanMode::Generic, &ran, &Barrier::new(1)).await);
        }
        // Those for expensive reads are used at the same time, so that each is used once.
        let connections = DbSettings::default().expensive_read_connections;
        let all_are_used = Barrier::new(connections);
        for mode in [PlanMode::Custom, PlanMode::ExpensiveGeneric] {
            let reads = (0..connections).map(|_| self.explain_prepared(mode, &ran, &all_are_used));
            explained.extend(join_all(reads).await.into_iter().flatten());
        }
        for (statement, lines) in explained {
            for plan in plans.iter_mut().filter(|plan| plan.sql == statement) {
                plan.lines.clone_from(&lines);
            }
        }
        assert!(plans.iter().all(|plan| !plan.lines.is_empty()), "every statement of a read stays prepared");
        plans
    }

    /// Returns the statements that are prepared on a connection, and their plans for the values that they ran with.
    async fn explain_prepared(
        &self,
        kind: PlanMode,
        ran: &BTreeMap<String, Vec<String>>,
        ready: &Barrier,
    ) -> Vec<(String, Vec<String>)> {
        let read = self.db.read_with(kind, async |mut conn| -> Result<Vec<(String, Vec<String>)>> {
            ready.wait().await;
            let query = "SELECT name, statement, parameter_types::text[] AS types FROM pg_prepared_statements";
            let prepared: Vec<Prepared> = diesel::sql_query(query).load(&mut conn).await?;
            let mut explained = Vec::new();
            for Prepared { name, statement, types } in prepared {
                let Some(values) = ran.get(&statement) else { continue };
                let arguments: Vec<_> = match kind {
                    PlanMode::Generic | PlanMode::ExpensiveGeneric => types.iter().map(|_| "NULL".to_owned()).collect(),
                    PlanMode::Custom => {
                        types.iter().zip(values).map(|(name, value)| sql_literal(name, value)).collect()
                    }
                };
                let arguments = if types.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
                let explain = format!("EXPLAIN (COSTS OFF) EXECUTE {name} {arguments}");
                let lines: Vec<Line> = diesel::sql_query(explain).load(&mut conn).await?;
                explained.push((statement, lines.into_iter().map(|line| line.text).collect()));
            }
            Ok(explained)
        });
        read.await.expect("plans")
    }
}

impl TestDb {
    /// Returns the plan of a statement of a transaction, for the values that it was sent with.
    pub async fn explain(&self, text: &str) -> String {
        let (sql, binds) = text.split_once(" -- binds: ").unwrap_or((text, "[]"));
        let session = Psql::connect(&self.url).await;
        session.rows(&format!("PREPARE explained AS {sql}")).await;
        let types = "SELECT unnest(parameter_types::text[]) FROM pg_prepared_statements WHERE name = 'explained'";
        let types = session.column(types).await;
        let arguments: Vec<_> =
            types.iter().zip(split_debug_list(binds)).map(|(name, value)| sql_literal(name, &value)).collect();
        let arguments = if types.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        session.column(&format!("EXPLAIN (COSTS OFF) EXECUTE explained {arguments}")).await.join("\n")
    }
}

/// Splits a list in Rust's debug format into its elements: `[Pending, "a, b", [1, 2]]`.
fn split_debug_list(list: &str) -> Vec<String> {
    let inner = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).expect("a list");
    let (mut all, mut depth, mut quoted, mut escaped) = (vec![String::new()], 0, false, false);
    for letter in inner.chars() {
        match letter {
            '"' if !escaped => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => all.push(String::new()),
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        if letter != ',' || quoted || depth > 0 {
            all.last_mut().expect("at least one element").push(letter);
        }
    }
    all.retain(|value| !value.trim().is_empty());
    all.iter().map(|value| value.trim().to_owned()).collect()
}

/// Converts a value in debug format into an SQL literal: `UserId(7)`, `Some(UserId(7))`, `None`, `Pending`, `"%a%"` and
/// lists of them.
fn sql_literal(name: &str, value: &str) -> String {
    if value == "None" {
        return format!("NULL::{name}");
    }
    let plain = |value: &str| {
        let wrapped = || value.rsplit_once('(').map_or(value, |(_, inner)| inner.trim_end_matches(')'));
        let inner = if value.starts_with('"') { value } else { wrapped() };
        match serde_json::from_str::<String>(inner) {
            Ok(text) => text,
            Err(_) if name.starts_with("text") => inner.to_lowercase(),
            Err(_) => inner.to_owned(),
        }
    };
    let text = match name.strip_suffix("[]") {
        Some(_) => {
            format!("{{{}}}", split_debug_list(value).iter().map(|value| plain(value)).collect::<Vec<_>>().join(","))
        }
        None => plain(value),
    };
    format!("'{}'::{name}", text.replace('\'', "''"))
}

//! Runs mutations, and compares the contents of the database before and after.

use std::collections::BTreeMap;

use diesel::{QueryableByName, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::{Actor, TestDb, TestResponse};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

impl TestDb {
    /// Returns the rows of a query as PostgreSQL prints them: `(1,two,)`.
    pub async fn rows(&self, query: &str) -> Vec<String> {
        let text = format!("SELECT t::text AS text FROM ({query}) t");
        let rows: Result<Vec<Row>, _> = sql_query(&text).load(&mut self.raw_connection().await).await;
        rows.unwrap_or_else(|error| panic!("{query}: {error}")).into_iter().map(|row| row.text).collect()
    }

    /// Returns row count and digest of each table; equal only if nothing was written.
    pub async fn contents(&self) -> BTreeMap<String, String> {
        let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        let tables: Vec<String> = self.rows(tables).await;
        let digests: Vec<String> = tables
            .iter()
            .map(|table| table.trim_matches(['(', ')']))
            .map(|table| {
                format!("SELECT '{table}', count(*), md5(string_agg(r::text, '|' ORDER BY r::text)) FROM {table} r")
            })
            .collect();
        let rows = self.rows(&digests.join(" UNION ALL ")).await;
        let table = |row: &String| row.split(',').next().unwrap_or_default().to_owned();
        rows.into_iter().map(|row| (table(&row), row)).collect()
    }

    /// Makes a deadlock last until the statement times out, instead of being broken and retried unnoticed. Applies to
    /// connections opened from now on.
    pub async fn disable_deadlock_detection(&self) {
        self.set_parameter("deadlock_timeout = '10min'").await;
    }

    /// Sets a parameter of the database; it applies to connections opened from now on.
    pub async fn set_parameter(&self, setting: &str) {
        let set = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET %s', current_database(), $setting$";
        self.sql(&format!("{set}{setting}$setting$); END $$")).await;
    }

    /// Returns how many deadlocks PostgreSQL has broken in this database. Ends all its sessions, because they report
    /// their counts when they end.
    pub async fn deadlock_count(&self) -> String {
        let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.scalar(end).await;
        self.scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await
    }

    /// Checks that every stock level is the sum of its ledger, every reserved quantity the sum of its reservations, and
    /// every order total the sum of its lines.
    pub async fn assert_invariants(&self) {
        let stocks = "SELECT id, stock, (SELECT coalesce(sum(delta), 0) FROM stock_movements m WHERE product_id = p.id)
            AS ledger FROM products p";
        let wrong = self.rows(&format!("SELECT * FROM ({stocks}) s WHERE stock <> ledger")).await;
        assert_eq!(wrong, Vec::<String>::new(), "(product, stock, ledger)");
        let kept =
            "SELECT id, reserved, (SELECT coalesce(sum(quantity), 0) FROM cart_reservations r WHERE product_id = p.id)
            AS kept FROM products p";
        let wrong = self.rows(&format!("SELECT * FROM ({kept}) s WHERE reserved <> kept")).await;
        assert_eq!(wrong, Vec::<String>::new(), "(product, reserved, reservations)");
        let totals = "SELECT id, total_amount, (SELECT coalesce(sum(quantity * unit_price), 0) FROM order_details d
            WHERE order_id = o.id) AS lines FROM orders o";
        let wrong = self.rows(&format!("SELECT * FROM ({totals}) s WHERE total_amount <> lines")).await;
        assert_eq!(wrong, Vec::<String>::new(), "(order, total, lines)");
    }
}

impl Actor<'_> {
    /// Runs a mutation with this input and selects these fields of its payload, and the user errors.
    pub async fn mutate(&self, mutation: &str, fields: &str, input: Value) -> TestResponse {
        let mut name = mutation.to_owned();
        name[..1].make_ascii_uppercase();
        let document = format!(
            "mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message field }} }} }}"
        );
        self.run_with(&document, json!({ "input": input })).await
    }

    /// Creates a resource of this type, for example `category`, and returns its id.
    pub async fn create(&self, resource: &str, input: Value) -> String {
        let mutation = format!("{resource}Create");
        let response = self.mutate(&mutation, &format!("{resource} {{ id }}"), input).await;
        response.text_at(&format!("{mutation}.{resource}.id"))
    }

    /// Runs a mutation and returns its [outcome](TestResponse::outcome).
    pub async fn try_mutate(&self, mutation: &str, input: Value) -> String {
        self.mutate(mutation, "", input).await.outcome(mutation)
    }
}

impl TestResponse {
    /// Returns the outcome of a mutation: `done`, the user errors as `CODE field, CODE field`, or `!CODE` for a
    /// top-level error.
    #[track_caller]
    pub fn outcome(&self, mutation: &str) -> String {
        if !self.json["errors"].is_null() {
            return format!("!{}", self.code());
        }
        let errors = self.user_errors(mutation);
        if errors.is_empty() {
            return "done".to_owned();
        }
        let errors: Vec<_> =
            errors.into_iter().map(|(code, field)| format!("{code} {field}").trim().to_owned()).collect();
        errors.join(", ")
    }
}

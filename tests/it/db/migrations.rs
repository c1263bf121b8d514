//! The migrations, forward and back, and rules for every table.
//! `UPDATE_TABLES=1 cargo test tables_rs` writes `src/db/tables.rs`.

use std::{fmt::Write, path::Path};

use souk::db::migrations::{migrate, revert_all};

use crate::support::{TestDb, psql::Psql};

/// The table in which diesel records its migrations; reverting keeps it.
const MIGRATIONS_TABLE: &str = "__diesel_schema_migrations";

/// Tables that are not entities, and why they have no `created_at` and `updated_at` maintained by a trigger.
const TABLES_WITHOUT_TIMESTAMPS: &[(&str, &str)] = &[
    ("trusted_documents", "never changed"),
    ("account_tokens", "a token is used once, and not changed otherwise"),
    ("address_notices", "a single time per user"),
    ("api_key_permissions", "rows are only inserted and deleted"),
    ("api_key_websites", "rows are only inserted and deleted"),
    ("audit_log", "a log: append-only"),
    ("cart_reservations", "rows are only inserted and deleted"),
    ("changes", "a log: append-only"),
    ("deferred_confirmations", "rows are only inserted and deleted"),
    ("events", "a log: append-only"),
    ("idempotency_keys", "written once"),
    ("login_throttles", "counters, deleted after a day"),
    ("media", "content: the same file is the same row"),
    ("order_email_confirmations", "a token is used once, and not changed otherwise"),
    ("order_events", "a history: append-only"),
    ("payment_webhooks", "inserted once"),
    ("permissions", "written by the migrations"),
    ("price_changes", "a history: append-only"),
    ("refresh_tokens", "a token is used once, and not changed otherwise"),
    ("return_lines", "written with their return; only the restocking is set later"),
    ("role_permissions", "rows are only inserted and deleted"),
    ("role_websites", "rows are only inserted and deleted"),
    ("search_clicks", "a history: append-only"),
    ("search_documents", "derived from the entities"),
    ("search_popular", "recomputed from searches each time"),
    ("searches", "a history: only its user can be removed"),
    ("shipment_lines", "written once, with their shipment"),
    ("sources", "has first_seen and last_seen instead"),
    ("stock_movements", "a ledger: append-only"),
    ("search_websites", "the language of the documents"),
    ("unpaid_orders", "a queue, whose rows are deleted when the order is paid"),
    ("search_words", "rows are only inserted and deleted"),
];

/// Returns everything that the migrations create, one object per line.
async fn schema_objects(database: &Psql) -> Vec<String> {
    let sql = format!(
        "SELECT concat_ws(' ', 'column', table_name, ordinal_position, column_name, data_type, udt_name, is_nullable,
                          column_default, is_identity, generation_expression, character_maximum_length,
                          numeric_precision, numeric_scale)
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '{MIGRATIONS_TABLE}'
         UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '{MIGRATIONS_TABLE}'
         UNION ALL SELECT concat_ws(' ', 'index', indexdef)
             FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '{MIGRATIONS_TABLE}'
         UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, pg_get_triggerdef(oid))
             FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid))
             FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS
                 (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
         UNION ALL SELECT concat_ws(' ', 'sequence', sequencename, start_value, last_value)
             FROM pg_sequences WHERE schemaname = 'public'
         UNION ALL SELECT concat_ws(' ', 'type', typname)
             FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')
         UNION ALL SELECT concat_ws(' ', 'search configuration', cfgname)
             FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace
         UNION ALL SELECT concat_ws(' ', 'extension', extname) FROM pg_extension WHERE extname <> 'plpgsql'
         UNION ALL SELECT concat_ws(' ', 'role', r.code, r.name, r.description, r.is_builtin, p.permission)
             FROM roles r LEFT JOIN role_permissions p ON p.role_id = r.id
         ORDER BY 1"
    );
    database.column(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_reversible() {
    let url = TestDb::empty_url().await;
    let database = Psql::connect(&url).await;
    let things = "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i')
        || ' ' || (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
        || ' ' || (SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace)
        || ' ' || (SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace)
        || ' ' || (SELECT count(*) FROM pg_extension)";
    database
        .rows(&format!(
            "CREATE TABLE {MIGRATIONS_TABLE} (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now())"
        ))
        .await;
    let empty = database.scalar(things).await;

    let up = migrate(&url).await.expect("a migration").applied;
    assert!(up.len() >= 11, "{up:?}");
    let first = schema_objects(&database).await;
    assert!(first.len() > 200, "only {} lines", first.len());
    assert_eq!(migrate(&url).await.expect("no migration to run").applied, [""; 0]);

    let down = revert_all(&url).await.expect("a revert").applied;
    assert_eq!(down, up.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(database.scalar(things).await, empty, "tables, functions, types, configurations, extensions");

    migrate(&url).await.expect("a second migration");
    let second = schema_objects(&database).await;
    forbid(
        "objects missing after migrating again",
        first.iter().filter(|line| !second.contains(line)).cloned().collect(),
    );
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_started_together_migrate_once() {
    let url = TestDb::empty_url().await;
    let all = futures_util::future::join_all((0..4).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { migrate(&url).await.expect("a migration").applied })
    }));
    let mut applied: Vec<_> = all.await.into_iter().map(|done| done.expect("no panic")).collect();
    applied.sort();
    let (last, idle) = applied.split_last().expect("four servers");
    assert!(idle.iter().all(Vec::is_empty), "several ran migrations: {applied:?}");
    assert_eq!(last.len(), Psql::connect(&url).await.rows(&format!("SELECT FROM {MIGRATIONS_TABLE}")).await.len());
}

#[tokio::test]
async fn tables_rs_matches_the_database() {
    let database = TestDb::new().await;
    let written = generate_tables_rs(&Psql::connect(&database.url).await).await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/tables.rs");
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&file, &written).expect("writing tables.rs");
    }
    let kept = std::fs::read_to_string(&file).expect("tables.rs");
    let line = kept.lines().zip(written.lines()).position(|(kept, written)| kept != written).map(|index| index + 1);
    assert!(
        kept == written,
        "src/db/tables.rs does not match the migrations (first difference in line {line:?}); \
         `UPDATE_TABLES=1 cargo test tables_rs` updates it"
    );
}

/// Returns the contents of `src/db/tables.rs`.
async fn generate_tables_rs(database: &Psql) -> String {
    let tables = tables(database).await;
    let mut out =
        "// @generated from the migrated database; `UPDATE_TABLES=1 cargo test tables_rs` writes it anew.\n".to_owned();
    for table in &tables {
        let key = database
            .column(&format!(
                "SELECT a.attname FROM pg_constraint c
                     CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS key (number, place)
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = key.number
                     WHERE c.contype = 'p' AND c.conrelid = '{table}'::regclass ORDER BY key.place"
            ))
            .await
            .join(", ");
        write!(
            out,
            "\ndiesel::table! {{\n    use diesel::sql_types::*;\n    use crate::db::sql::*;\n\n    {table} ({key}) {{\n"
        )
        .expect("writing to a string");
        let columns = database
            .rows(&format!(
                "SELECT column_name, udt_name, is_nullable FROM information_schema.columns
                     WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ))
            .await;
        for column in columns {
            let [name, ty, nullable] = column.as_slice() else { panic!("three columns") };
            let ty = diesel_type(ty);
            let ty = if nullable == "YES" { format!("Nullable<{ty}>") } else { ty };
            writeln!(out, "        {name} -> {ty},").expect("writing to a string");
        }
        out.push_str("    }\n}\n");
    }
    // Joins that diesel can infer: exactly one foreign key from the child to the parent.
    let joins = "SELECT c.conrelid::regclass, c.confrelid::regclass, a.attname
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND c.conrelid <> c.confrelid
          AND 1 = (SELECT count(*) FROM pg_constraint d
                   WHERE d.contype = 'f' AND d.conrelid = c.conrelid AND d.confrelid = c.confrelid)
        ORDER BY c.conrelid::regclass::text, c.confrelid::regclass::text";
    out.push('\n');
    for join in database.rows(joins).await {
        writeln!(out, "diesel::joinable!({} -> {} ({}));", join[0], join[1], join[2]).expect("writing to a string");
    }
    let all: String = tables.iter().map(|table| format!("    {table},\n")).collect();
    write!(out, "\ncrate::db::sql::allow_in_same_query!(\n{all});\n").expect("writing to a string");
    out
}

fn diesel_type(postgres: &str) -> String {
    if let Some(item) = postgres.strip_prefix('_') {
        return format!("Array<{}>", diesel_type(item));
    }
    let known = ["int2", "int4", "int8", "text", "citext", "bool", "numeric", "timestamptz", "date", "bytea", "uuid"];
    assert!(
        known.contains(&postgres) || ["tsvector", "jsonb", "float4"].contains(&postgres),
        "no diesel type for {postgres}"
    );
    postgres[..1].to_uppercase() + &postgres[1..]
}

async fn tables(database: &Psql) -> Vec<String> {
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'
        AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_\\_%' ORDER BY table_name COLLATE \"C\"";
    database.column(sql).await
}

/// Fails with all rows of a query that finds violations of a rule.
#[track_caller]
fn forbid(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[tokio::test]
async fn every_table_has_a_primary_key() {
    let database = TestDb::new().await;
    let sql = "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'p')";
    forbid("tables without a primary key", Psql::connect(&database.url).await.column(sql).await);
}

#[tokio::test]
async fn every_foreign_key_has_an_index_that_begins_with_its_columns() {
    let database = TestDb::new().await;
    // A partial index would not serve the check of a deleted parent.
    let sql = "SELECT conrelid::regclass || '.' || conname FROM pg_constraint c
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
                AND (SELECT array_agg(k ORDER BY k) FROM unnest((i.indkey::int2[])[0:cardinality(c.conkey) - 1]) k)
                    = (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) k))";
    let database = Psql::connect(&database.url).await;
    forbid("foreign keys without an index", database.column(sql).await);
    database.rows("DROP INDEX stock_movements_user_id_idx, order_details_product_id_idx").await;
    assert_eq!(database.column(sql).await.len(), 2, "the check finds missing indexes");
}

#[tokio::test]
async fn every_constraint_has_an_explicit_name() {
    let database = TestDb::new().await;
    let database = Psql::connect(&database.url).await;
    // Default names of PostgreSQL: table_column_check, table_check1, table_column_key1.
    let sql = "SELECT conrelid::regclass || '.' || conname FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 0
          AND conrelid::regclass::text <> '__diesel_schema_migrations'
          AND (conname ~ '_check[0-9]*$' OR conname ~ '[0-9]$' OR conname NOT LIKE conrelid::regclass || '\\_%')";
    forbid("constraints with a default name", database.column(sql).await);
    database.rows("ALTER TABLE brands ADD CHECK (name <> 'x'), ADD UNIQUE (slug, id), ADD UNIQUE (slug, id)").await;
    assert_eq!(database.column(sql).await.len(), 2, "the check finds default names");
}

#[tokio::test]
async fn every_entity_table_has_created_at_and_updated_at() {
    let database = TestDb::new().await;
    let database = Psql::connect(&database.url).await;
    let mut broken = Vec::new();
    for table in tables(&database).await {
        let times = database
            .scalar(&format!(
                "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'
                     AND column_name IN ('created_at', 'updated_at') AND data_type = 'timestamp with time zone'
                     AND is_nullable = 'NO' AND column_default = 'now()'"
            ))
            .await;
        let touched = database
            .scalar(&format!(
                "SELECT count(*) FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                     WHERE tgrelid = '{table}'::regclass AND proname LIKE 'touch\\_%'
                       AND pg_get_triggerdef(pg_trigger.oid) LIKE '%BEFORE UPDATE ON % FOR EACH ROW%' AND tgenabled = 'O'"
            ))
            .await;
        let is_entity = times == "2" && touched == "1";
        let listed = TABLES_WITHOUT_TIMESTAMPS.iter().any(|(name, _)| *name == table);
        if is_entity == listed {
            broken.push(format!("{table}: {times} times, {touched} trigger"));
        }
    }
    forbid("entity tables have created_at, updated_at and the trigger; others are listed", broken);
    // The trigger applies to every writer.
    database.rows("INSERT INTO brands (name, slug, updated_at) VALUES ('Wick', 'wick', '2001-01-01')").await;
    database.rows("UPDATE brands SET name = 'Wicks', updated_at = '2001-01-01'").await;
    assert_eq!(database.scalar("SELECT updated_at > now() - interval '1 hour' FROM brands").await, "t");
}

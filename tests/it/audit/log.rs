//! The audit log: what is logged and what is not, that it is append-only, erasure, and who may read it.

use std::{collections::BTreeSet, io};

use serde_json::json;
use souk::{
    audit::model::{ResourceType, with_global_ids},
    auth::Permission,
    brands::{self, model::NewBrand},
    db::{
        Db, DbSettings,
        actor::{Actor as Writer, ActorKind},
        recorder::StatementRecorder,
    },
    error::{Error, Result},
    ids::{AuditEntryId, RowId, UserId, WebsiteId},
    transfers::sales::{
        actions::import_sales,
        model::{SalesOptions, WebsiteOptions},
    },
};

use crate::support::{
    Actor, ProductSpec, TestApp, TestDb,
    psql::{Psql, violated_constraint},
};

/// Adds a brand in a transaction of its own.
async fn add_brand(db: &Db, name: &str) -> Result<()> {
    let new = NewBrand { name: name.into(), slug: name.into(), description: String::new() };
    db.transaction(async |conn| brands::store::insert(conn, &new).await.map(|_| ())).await
}

#[tokio::test]
async fn every_audited_table_has_a_trigger() {
    let database = TestDb::new().await;
    let psql = Psql::connect(&database.url).await;
    let triggers = "SELECT tgrelid::regclass::text, pg_get_triggerdef(t.oid) || pg_get_functiondef(t.tgfoid)
        FROM pg_trigger t JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE proname LIKE 'audit\\_%' AND tgname LIKE '%\\_audit%' AND tgname NOT LIKE '%forget' AND tgenabled = 'O'";
    let triggers = psql.rows(triggers).await;
    for resource_type in ResourceType::ALL {
        let records = |row: &&Vec<String>| row[1].contains(&format!("'{}'", resource_type.as_str()));
        assert!(triggers.iter().any(|row| records(&row)), "no trigger records changes of {}", resource_type.as_str());
    }
    let audited: BTreeSet<&str> = triggers.iter().map(|row| row[0].as_str()).collect();
    // Tables of parts: the change is logged for the resource that they belong to.
    for part in ["api_key_permissions", "api_key_websites", "role_permissions", "role_websites", "sources"] {
        assert!(audited.contains(part), "no trigger records changes of {part}");
    }
    // No key is logged as a number. The id shared by linked products is not a key, and the other columns listed here
    // are not logged.
    let keys = "SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'bigint' AND column_name LIKE '%\\_id'
            AND (table_name, column_name) NOT IN (('products', 'linked_id'), ('sources', 'resource_id'), ('sources', 'last_transfer_id'), ('images', 'media_id'))";
    for row in psql.rows(keys).await.iter().filter(|row| audited.contains(row[0].as_str())) {
        let shown = with_global_ids(json!({ row[1].as_str(): 7 }));
        assert!(shown[&row[1]].is_string(), "the audit model must say which type {}.{} refers to", row[0], row[1]);
    }
}

#[tokio::test]
async fn changes_of_secrets_are_logged_without_their_values() {
    let app = TestApp::new().await;
    let input = json!({ "name": "New", "email": "new@souk.example", "password": "correct horse battery" });
    let made = app.admin().await.mutate("userCreate", "", input).await;
    assert_eq!(made.outcome("userCreate"), "done");
    app.database.sql("UPDATE users SET password_hash = 'another secret' WHERE email = 'new@souk.example'").await;
    let database = Psql::connect(&app.database.url).await;
    let hidden = "SELECT change, before ->> 'password_hash', after ->> 'password_hash' FROM audit_log
        WHERE before ? 'password_hash' OR after ? 'password_hash' ORDER BY id";
    assert_eq!(database.rows(hidden).await, [["created", "", "(hidden)"], ["updated", "(hidden)", "(hidden)"]]);
    let log = database.scalar("SELECT string_agg(audit_log::text, '') FROM audit_log").await;
    for secret in ["argon2", "another secret", "correct horse"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn rolled_back_and_empty_changes_leave_no_entry() {
    let app = TestApp::new().await;
    let brand = app.brand("knot").await;
    let before = app.database.scalar("SELECT count(*) FROM audit_log").await;
    let new = NewBrand { name: "Undone".into(), slug: "undone".into(), description: String::new() };
    let undone = app.database.db.transaction(async |conn| -> Result<()> {
        brands::store::insert(conn, &new).await?;
        Err(Error::Internal("undone".into()))
    });
    assert!(undone.await.is_err());
    app.database.sql(&format!("UPDATE brands SET name = name, updated_at = now() WHERE id = {}", brand.id.0)).await;
    assert_eq!(app.database.scalar("SELECT count(*) FROM audit_log").await, before);
}

#[tokio::test]
async fn direct_sql_is_attributed_to_the_system() {
    let database = TestDb::new().await;
    database.sql("INSERT INTO brands (id, name, slug) VALUES (7, 'Knot', 'knot')").await;
    database.sql("DELETE FROM brands").await;
    database.sql("DELETE FROM role_permissions WHERE permission = 'SELL_PRODUCTS'").await;
    let select = "SELECT via, user_id, request_id, resource_type, resource_id > 0, change, before - 'created_at', after - 'created_at'
        FROM audit_log ORDER BY id DESC LIMIT 5";
    let knot = r#"{"name": "Knot", "slug": "knot", "description": ""}"#;
    let removed = r#"{"permission": "SELL_PRODUCTS"}"#;
    let expected = [
        ["system", "", "", "Role", "t", "updated", removed, ""],
        ["system", "", "", "Role", "t", "updated", removed, ""],
        ["system", "", "", "Role", "t", "updated", removed, ""],
        ["system", "", "", "Brand", "t", "deleted", knot, ""],
        ["system", "", "", "Brand", "t", "created", "", knot],
    ];
    assert_eq!(Psql::connect(&database.url).await.rows(select).await, expected);
}

#[tokio::test]
async fn hostile_request_id_is_stored_as_text() {
    let database = TestDb::new().await;
    // With the setting off, a backslash escapes; it must not allow an injection either.
    let old = format!(
        "ALTER DATABASE \"{}\" SET standard_conforming_strings = off",
        database.scalar("SELECT current_database()").await
    );
    database.sql(&old).await;
    let one = DbSettings { read_connections: 1, pool_size: 1, ..DbSettings::default() };
    let db = Db::connect(&database.url, &one).await.expect("a database connection");
    let hostile = [
        "'; DROP TABLE brands; --",
        "\\'; DROP TABLE brands; --",
        "\\\\'; DROP TABLE brands; --",
        "\"}', 'x'); COMMIT; --",
        "\\u0000",
        "a\0b\nc",
        "$$; ROLLBACK; $$",
        "E'\\x27'",
        "名前'\u{2019}",
    ];
    for (number, id) in hostile.into_iter().enumerate() {
        let writer = Writer { kind: ActorKind::Anonymous, request_id: Some(id.into()), ..Writer::system() };
        let recorder = StatementRecorder::with_texts();
        let name = format!("brand-{number}");
        recorder.clone().scope(writer.scope(add_brand(&db, &name))).await.expect("a brand");
        assert_eq!(recorder.statements(), 3, "BEGIN sets the actor in the same statement: {:?}", recorder.texts());
        let logged =
            database.scalar("SELECT request_id FROM audit_log WHERE via = 'anonymous' ORDER BY id DESC LIMIT 1").await;
        assert_eq!(logged, id.replace(['\0', '\n'], ""), "{id:?}");
    }
    // The same connection has no actor in the next transaction.
    add_brand(&db, "after").await.expect("a brand");
    assert_eq!(database.scalar("SELECT via FROM audit_log ORDER BY id DESC LIMIT 1").await, "system");
}

#[tokio::test]
async fn entry_records_address_session_and_api_key_of_the_writer() {
    let database = TestDb::new().await;
    let address = Some("2001:db8::1".parse().expect("an address"));
    let by_key = Writer { kind: ActorKind::ApiKey, user: Some(5), api_key: Some(7), address, ..Writer::system() };
    by_key.scope(add_brand(&database.db, "knot")).await.expect("a brand");
    let by_session = Writer { kind: ActorKind::Session, user: Some(5), session: Some(8), ..Writer::system() };
    by_session.scope(add_brand(&database.db, "wick")).await.expect("a brand");
    let select =
        "SELECT via, user_id, session_id, api_key_id, address FROM audit_log WHERE resource_type = 'Brand' ORDER BY id";
    let expected = [["api_key", "5", "", "7", "2001:db8::1"], ["session", "5", "8", "", ""]];
    assert_eq!(Psql::connect(&database.url).await.rows(select).await, expected);
}

/// The entry is made without going through the columns, so it has to be like those that are.
#[tokio::test]
async fn entry_of_a_placed_order_is_like_those_of_other_rows() {
    let app = TestApp::new().await;
    app.seed_all(1).await;
    let psql = Psql::connect(&app.database.url).await;
    let place = "WITH placed AS (
            INSERT INTO orders (source_website_id, order_number, user_id, total_amount, ship_recipient_name, ship_company,
                ship_phone, ship_country, ship_subdivision, ship_city, ship_district, ship_address, ship_postal_code,
                billing_address, contact_name, contact_email, contact_phone, customer_note, cart_token_hash)
            SELECT p.source_website_id, 'AUDIT-1', u.id, 20.50, 'Ann', 'Ann Ltd', '040', 'DE', 'DE-HH', 'Hamburg', 'Altona',
                'Hafen 1', '20095', '{\"country\": \"DE\", \"city\": \"Kiel\"}'::jsonb, 'Ann', 'ann@souk.example', '040', 'Ring',
                '\\x01'::bytea
            FROM products p, users u WHERE u.email = 'buyer-1@souk.example' RETURNING id)
        INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
            SELECT placed.id, p.id, p.name, p.sku, 1, 20.50 FROM placed, products p";
    psql.rows(place).await;
    let entry = "SELECT a.after = audit_side(to_jsonb(o)
            - '{id,updated_at,cart_token_hash,payment_status,paid_amount,refunded_amount}'::text[], NULL), a.after ->> 'total_amount'
        FROM audit_log a JOIN orders o ON o.id = a.resource_id AND a.resource_type = 'Order' WHERE o.order_number = 'AUDIT-1'";
    assert_eq!(psql.rows(entry).await, [["t", "20.50"]]);
    // Columns that are shown in another form than they have, which the function has to know.
    let special = "SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'orders'
            AND (data_type = 'numeric' OR column_name ~ '(^|_)(hash|secret|token|password)$')";
    assert_eq!(psql.scalar(special).await, "cart_token_hash paid_amount refunded_amount total_amount");
}

#[tokio::test]
async fn audit_log_is_append_only() {
    let app = TestApp::new().await;
    app.brand("knot").await;
    let database = Psql::connect(&app.database.url).await;
    let before = app.database.contents().await;
    for sql in [
        "UPDATE audit_log SET via = 'session'",
        "UPDATE audit_log SET via = via WHERE false",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log (id, via, resource_type, resource_id, change) SELECT min(id), 'system', 'Brand', 1, 'deleted' FROM audit_log
            ON CONFLICT (id) DO UPDATE SET via = 'system'",
    ] {
        let refused = database.try_run(sql).await.expect_err(sql);
        assert_eq!(violated_constraint(&refused), "audit_log_append_only", "{sql}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn erasing_a_user_removes_them_from_the_log() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let (buyer, other) = (app.customer().await, app.customer().await);
    for person in [&buyer, &other] {
        person.address().await;
        app.database.sql("UPDATE addresses SET is_default = true").await;
        person.order(&[(product, 1)]).await;
        let contact =
            json!({ "id": person.global_id(), "name": format!("Ada {}", person.id.0), "phone": "+44 20 7946 0000" });
        person.mutate("userUpdate", "", contact).await.at("userUpdate");
        let writer = Writer { kind: ActorKind::Session, user: Some(person.id.0), ..Writer::system() };
        let writer = Writer { address: Some("192.0.2.7".parse().expect("an address")), ..writer };
        writer.scope(add_brand(&app.database.db, &format!("of-{}", person.id.0))).await.expect("a brand");
    }
    let database = Psql::connect(&app.database.url).await;
    let held = async |person: &Actor<'_>| {
        let id = person.id.0;
        let sql = format!(
            "SELECT string_agg(l::text, '') FROM audit_log l WHERE user_id = {id} OR (resource_type = 'User' AND resource_id = {id})
                OR (resource_type = 'Order' AND resource_id IN (SELECT id FROM orders WHERE user_id = {id}))"
        );
        let text = database.scalar(&sql).await;
        let marks =
            ["A Customer", "Ada", "@souk.example", "7946", "Hafenstrasse", "Hamburg", "20359", "\"DE\"", "192.0.2.7"];
        marks.into_iter().filter(|mark| text.contains(mark)).count()
    };
    assert_eq!((held(&buyer).await, held(&other).await), (9, 9));
    let entries = database.scalar("SELECT count(*) FROM audit_log").await;
    // In either order: the changes made by the erasure are logged, then cleared.
    let erase = format!(
        "UPDATE users SET erased_at = now(), email = NULL, phone = NULL WHERE id = {0};
         UPDATE users SET name = 'Erased', is_active = false WHERE id = {0};
         UPDATE orders SET ship_country = NULL, ship_city = NULL, ship_address = NULL, ship_postal_code = NULL WHERE user_id = {0}",
        buyer.id.0
    );
    app.database.sql(&erase).await;
    assert_eq!((held(&buyer).await, held(&other).await), (0, 9));
    let left = database.scalar("SELECT count(*) FROM audit_log").await;
    assert!(left > entries, "the entries are kept, and the erasure is logged: {entries}, {left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn import_is_logged_as_one_entry() {
    let database = TestDb::new().await;
    let import = async || {
        let website = WebsiteOptions { code: "uk".into(), ..WebsiteOptions::default() };
        let options = SalesOptions { website, opening_stock: 5, batch: 5, ..SalesOptions::default() };
        let rejects = std::env::temp_dir().join(format!("souk-{}-audit.rejects.csv", std::process::id()));
        let input = io::Cursor::new(include_str!("../data/sales.csv"));
        let done = import_sales(&database.db, &options, input, &rejects).await;
        let _ = std::fs::remove_file(rejects);
        done.expect("an import")
    };
    Writer::command("import sales").scope(import()).await;
    let select = "SELECT via, request_id, resource_type, change, before, after -> 'lines' ->> 'created' FROM audit_log
        WHERE via <> 'system' ORDER BY id";
    let entries = Psql::connect(&database.url).await.rows(select).await;
    let expected = [
        ["command_line", "import sales", "Website", "created", "", ""],
        ["command_line", "import sales", "Website", "imported", "", "17"],
    ];
    assert_eq!(entries, expected);
    assert_eq!(
        database.scalar("SELECT count(*) FROM audit_log WHERE via = 'system' AND resource_type <> 'Role'").await,
        "0"
    );
}

#[tokio::test]
async fn audit_log_is_paged_and_filtered() {
    let app = TestApp::new().await;
    app.seed_all(3).await;
    let admin = app.admin().await;
    let ids = |response: &crate::support::TestResponse| -> Vec<i64> {
        let nodes = response.at("auditLog.nodes").as_array().expect("a list").iter();
        nodes
            .map(|node| AuditEntryId::parse("id", node["id"].as_str().expect("an id")).expect("an id").0 % 1_000_000)
            .collect()
    };
    app.database
        .sql(
            "INSERT INTO audit_log (id, at, user_id, via, resource_type, resource_id, website_id, change) VALUES
            (2000001, '2026-01-01', 1000001, 'session', 'Product', 1, 1000001, 'created'),
            (2000002, '2026-01-02', 1000002, 'api_key', 'Product', 2, 1000002, 'updated'),
            (2000003, '2026-01-02', NULL, 'command_line', 'Product', 1, NULL, 'deleted'),
            (2000004, '2026-01-03', 1000001, 'session', 'Brand', 1, NULL, 'updated')",
        )
        .await;
    let old = "at: {lte: \"2026-01-31T00:00:00Z\"}";
    let user = UserId(1_000_001).to_global_id();
    let product = souk::ids::encode("Product", 1);
    let website = souk::ids::encode("Website", 1_000_001);
    let table = [
        (String::new(), vec![4, 3, 2, 1]),
        (format!("user: {{eq: {user:?}}}"), vec![4, 1]),
        ("user: {isNull: true}".to_owned(), vec![3]),
        ("via: {eq: API_KEY}".to_owned(), vec![2]),
        ("via: {in: [SESSION, COMMAND_LINE]}".to_owned(), vec![4, 3, 1]),
        ("resourceType: {eq: BRAND}".to_owned(), vec![4]),
        ("resourceType: {in: [PRODUCT, ORDER]}".to_owned(), vec![3, 2, 1]),
        (format!("resourceId: {product:?}"), vec![3, 1]),
        (format!("website: {{eq: {website:?}}}"), vec![1]),
        ("website: {isNull: true}".to_owned(), vec![4, 3]),
        ("at: {gte: \"2026-01-02T00:00:00Z\"}".to_owned(), vec![4, 3, 2]),
        ("or: [{resourceType: {eq: BRAND}}, {via: {eq: API_KEY}}]".to_owned(), vec![4, 2]),
        ("not: {resourceType: {eq: PRODUCT}}".to_owned(), vec![4]),
    ];
    for (filter, expected) in table {
        let document = format!(
            "{{ auditLog(where: {{and: [{{{old}}}, {{{filter}}}]}}) {{ totalCount {{ value }} nodes {{ id }} }} }}"
        );
        let response = admin.run(&document).await;
        assert_eq!(ids(&response), expected, "{filter}");
        assert_eq!(*response.at("auditLog.totalCount.value"), json!(expected.len()), "{filter}");
    }
    let mut cursor = String::new();
    for expected in [vec![1, 2], vec![3, 4]] {
        let document = format!(
            "{{ auditLog(first: 2, {cursor} where: {{{old}}}, orderBy: {{field: AT}}) {{ pageInfo {{ endCursor }} nodes {{ id }} }} }}"
        );
        let response = admin.run(&document).await;
        assert_eq!(ids(&response), expected);
        cursor = format!("after: {:?},", response.text_at("auditLog.pageInfo.endCursor"));
    }
    for id in ["nonsense".to_owned(), AuditEntryId(2_000_001).to_global_id()] {
        let response = admin.run(&format!("{{ auditLog(where: {{resourceId: {id:?}}}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(response.code(), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn reading_the_audit_log_requires_permission() {
    let app = TestApp::new().await;
    app.seed_all(1).await;
    let entry = crate::support::bulk::nth_id::<AuditEntryId>(1);
    let (list, node) = ("{ auditLog { nodes { id } } }", format!("{{ node(id: {entry:?}) {{ id }} }}"));
    let admin = app.admin().await;
    assert_eq!(admin.run(&node).await.text_at("node.id"), entry);
    assert!(admin.run(list).await.json["errors"].is_null());
    // Entries of one website are visible to staff of that website, entries of none only to staff of all websites.
    let (here, there) = (WebsiteId(1_000_001), app.website("there").await.id);
    let count = "{ auditLog { totalCount { value } nodes { id website { id } } } }";
    for (website, expected) in [(here, 1), (there, 1)] {
        let limited = app.user_with(&[Permission::ViewAuditLog], &[website]).await;
        let response = limited.run(count).await;
        assert_eq!(*response.at("auditLog.totalCount.value"), expected, "{response:#?}");
        assert_eq!(response.text_at("auditLog.nodes.0.website.id"), website.to_global_id());
        assert_eq!(limited.run(&node).await.at("node").is_null(), website == there);
    }
    let people = [
        (app.anonymous(), "UNAUTHENTICATED"),
        (app.customer().await, "FORBIDDEN"),
        (app.seller().await, "FORBIDDEN"),
        (app.manager().await, "FORBIDDEN"),
        (app.existing_user(UserId(1_000_001), "customer").await, "FORBIDDEN"),
    ];
    for (actor, code) in people {
        assert_eq!(actor.run(list).await.code(), code);
        assert!(actor.run(&node).await.at("node").is_null());
    }
}

//! The migration that turns the countries of addresses into codes.

use crate::support::{TestDb, psql::Psql};

const UP: &str = include_str!("../../../migrations/2026-11-29-001700_addresses/up.sql");
const DOWN: &str = include_str!("../../../migrations/2026-11-29-001700_addresses/down.sql");

/// Texts of the old column, the code, and whether the text is kept in the district.
const COUNTRIES: &[(&str, &str, bool)] = &[
    ("DE", "DE", false),
    ("de", "DE", false),
    ("DEU", "DE", false),
    ("Germany", "DE", false),
    ("UK", "GB", false),
    ("United Kingdom", "GB", false),
    ("USA", "US", false),
    ("United States of America", "US", false),
    ("The Netherlands", "NL", false),
    ("EIRE", "IE", false),
    ("Czech Republic", "CZ", false),
    ("Côte d''Ivoire", "CI", false),
    ("Bosnia & Herzegovina", "BA", false),
    ("Narnia", "ZZ", true),
    ("##", "ZZ", true),
];

async fn run(database: &Psql, sql: &str) {
    database.rows(&format!("BEGIN; {sql}; COMMIT")).await;
}

#[tokio::test]
async fn countries_become_codes_and_unknown_ones_are_kept() {
    let test_database = TestDb::new().await;
    let database = Psql::connect(&test_database.url).await;
    // A later migration has a trigger on the columns.
    run(&database, &format!("DROP TRIGGER orders_events_contact ON orders; {DOWN}")).await;
    let old = COUNTRIES.iter().enumerate().map(|(index, (country, ..))| {
        format!(
            "INSERT INTO addresses (id, user_id, country, city, district, address, updated_at)
                 SELECT {index}, id, '{country}', 'Ulm', CASE WHEN {index} % 2 = 0 THEN 'Old Town' END, 'Ring 1', '2020-01-01' FROM users;
             INSERT INTO orders (id, source_website_id, order_number, ship_country, updated_at)
                 VALUES ({index}, 1, '{index}', '{country}', '2020-01-01');"
        )
    });
    let seed = "INSERT INTO websites (id, code, name, base_url, currency) VALUES (1, 'uk', 'Shop', 'https://uk.example', 'GBP');
        INSERT INTO users (name, role_id) SELECT 'Ada', id FROM roles WHERE code = 'customer';
        INSERT INTO orders (id, source_website_id, order_number) VALUES (1000, 1, 'nowhere');";
    database.rows(&format!("{seed}{}", old.collect::<String>())).await;
    let long = format!(
        "INSERT INTO addresses (id, user_id, country, city, district, address)
             SELECT 1000, id, '{}', 'Ulm', '{}', 'Ring 1' FROM users",
        "x".repeat(100),
        "y".repeat(100)
    );
    database.rows(&long).await;
    let audited = database.scalar("SELECT count(*) FROM audit_log").await;
    run(&database, UP).await;

    let addresses = database
        .rows("SELECT country, district, updated_at < '2021-01-01' FROM addresses WHERE id < 1000 ORDER BY id")
        .await;
    let orders = database
        .rows("SELECT ship_country, ship_district, updated_at < '2021-01-01' FROM orders WHERE id < 1000 ORDER BY id")
        .await;
    for (index, (text, code, is_kept)) in COUNTRIES.iter().enumerate() {
        let old_town = if index % 2 == 0 { "Old Town" } else { "" };
        let kept = if *is_kept { *text } else { "" };
        let district = [old_town, kept].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        assert_eq!(addresses[index], [*code, district.as_str(), "t"], "{text}");
        assert_eq!(orders[index], [*code, kept, "t"], "{text}");
    }
    let whole = database.rows("SELECT country, district, address FROM addresses WHERE id = 1000").await;
    assert_eq!(whole, [["ZZ".to_owned(), "y".repeat(100), format!("Ring 1\n{}", "x".repeat(100))]]);
    assert_eq!(database.scalar("SELECT coalesce(ship_country, 'none') FROM orders WHERE id = 1000").await, "none");
    assert_eq!(database.scalar("SELECT count(*) FROM audit_log").await, audited, "no change is recorded");

    // Back: a text of the old column, and the district of a subdivision.
    database.rows("UPDATE addresses SET country = 'US', subdivision = 'US-CA', district = NULL WHERE id = 0").await;
    run(&database, DOWN).await;
    assert_eq!(database.rows("SELECT country, district FROM addresses WHERE id = 0").await, [["US", "US-CA"]]);
    assert_eq!(database.scalar("SELECT country FROM addresses WHERE id = 13").await, "Narnia");
    assert_eq!(database.scalar("SELECT ship_country FROM orders WHERE id = 14").await, "##");
    run(&database, UP).await;
    assert_eq!(database.scalar("SELECT country FROM addresses WHERE id = 13").await, "ZZ");
}

#[tokio::test]
async fn other_writers_must_use_codes() {
    let test_database = TestDb::new().await;
    let database = Psql::connect(&test_database.url).await;
    let seed = "INSERT INTO websites (id, code, name, base_url, currency) VALUES (1, 'uk', 'Shop', 'https://uk.example', 'GBP');
        INSERT INTO users (id, name, role_id) SELECT 1, 'Ada', id FROM roles WHERE code = 'customer';
        INSERT INTO orders (id, source_website_id, order_number) VALUES (1, 1, '1');";
    database.rows(seed).await;
    for (sql, constraint) in [
        (
            "INSERT INTO addresses (user_id, country, city, address) VALUES (1, 'Germany', 'Ulm', 'Ring 1')",
            "addresses_country_code",
        ),
        (
            "INSERT INTO addresses (user_id, country, city, address, subdivision) VALUES (1, 'US', 'Ulm', 'Ring 1', 'CA')",
            "addresses_subdivision_code",
        ),
        ("UPDATE orders SET ship_country = 'de'", "orders_ship_country_code"),
        ("UPDATE orders SET billing_address = '{\"city\": \"Ulm\"}'", "orders_billing_address_country"),
        ("UPDATE orders SET billing_address = '[]'", "orders_billing_address_country"),
        ("UPDATE orders SET billing_address = '{\"country\": \"Germany\"}'", "orders_billing_address_country"),
    ] {
        let error = database.try_run(sql).await.expect_err(sql);
        assert_eq!(crate::support::psql::violated_constraint(&error), constraint, "{sql}");
    }
    database.rows("UPDATE orders SET billing_address = '{\"country\": \"DE\"}'").await;
}

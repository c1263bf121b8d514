//! Query plans of lookups that run in a transaction or count attempts in one.

use souk::{config::OrderSettings, ids::UserId};

use crate::support::{ProductSpec, TestApp, bulk::BASE};

#[tokio::test]
async fn lookups_of_orders_by_number_and_email_use_an_index() {
    let app = TestApp::new().await;
    app.seed_catalog().await;
    app.seed_orders().await;
    for actor in [app.anonymous(), app.admin().await, app.existing_user(UserId(BASE + 1), "seller").await] {
        // Failed lookups are counted in a transaction, so the statement is looked for by its column.
        let response = actor.run("{ order(orderNumber: \"N-1\", email: \"guest-1@souk.example\") { id } }").await;
        let lookup = response.sql.iter().find(|sql| sql.contains("contact_email")).expect("a lookup");
        let plan = app.database.explain(lookup).await;
        assert!(plan.contains(" orders_") && !plan.contains("Seq Scan on orders"), "{plan}");
    }
}

#[tokio::test]
async fn limits_of_unpaid_orders_use_indexes() {
    let app = TestApp::builder().orders(OrderSettings::default()).build().await;
    app.seed_catalog().await;
    app.seed_orders().await;
    let waiting = "INSERT INTO unpaid_orders (order_id, user_id, network)
        SELECT id, user_id, sha256(id::text::bytea) FROM orders; ANALYZE unpaid_orders;
        INSERT INTO order_email_confirmations (order_id, user_id, expires_at, confirmed_at)
        SELECT id, user_id, now(), now() FROM orders; ANALYZE order_email_confirmations";
    app.database.sql(waiting).await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let placed = app.customer().await.try_order(&[(product, 1)], "k").await;
    assert_eq!(placed.outcome("orderCreate"), "done");
    let reads = placed.sql.iter().filter(|sql| sql.starts_with("SELECT") && sql.contains("\"unpaid_orders\""));
    let reads: Vec<_> = reads.collect();
    assert_eq!(reads.len(), 1, "{reads:#?}");
    // The account: whether one of its orders was confirmed.
    let account = placed.sql.iter().find(|sql| sql.contains("\"order_email_confirmations\"")).expect("an account");
    let plan = app.database.explain(account).await;
    assert!(plan.contains("order_email_confirmations_user_id_idx"), "{plan}");
    let body = async |function: &str, from: &str| {
        let body = format!(
            "SELECT split_part(split_part(prosrc, '{from}', 2), ';', 1) FROM pg_proc WHERE proname = '{function}'"
        );
        app.database.scalar(&body).await
    };
    let units = body("held_units", "RETURN QUERY").await;
    let units =
        [("(ids)", "('{7}')"), (" holder", " 7"), (" networks", " sha256('7')"), (" cart ", " 7 "), (" changed", " 7")]
            .iter()
            .fold(units, |sql, (parameter, value)| sql.replace(parameter, value));
    let exists = format!("SELECT {}", body("unpaid_order_exists", "RETURN ").await)
        .replace("= email::citext", "= 'ada@souk.example'");
    for read in [reads[0].clone(), units, exists] {
        let plan = app.database.explain(&read).await;
        assert!(!plan.contains("Seq Scan on unpaid_orders") && !plan.contains("Seq Scan on orders"), "{plan}");
        assert!(!plan.contains("Seq Scan on order_details") && plan.contains("unpaid_orders"), "{plan}");
    }
}

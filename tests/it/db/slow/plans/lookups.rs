//! Query plans of lookups that run in a transaction or count attempts in one.

use souk::ids::UserId;

use crate::support::{TestApp, bulk::BASE};

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

//! Values that are written in a document.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn enum_values_in_a_document_have_no_quotes() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let orders = |argument: &str| format!("{{ orders({argument}) {{ nodes {{ id }} }} }}");
    for document in [
        orders(r#"where: { status: { eq: "PENDING" } }"#),
        orders(r#"where: { status: { in: [PENDING, "SHIPPED"] } }"#),
        orders(r#"where: { status: { in: "PENDING" } }"#),
        orders(r#"where: { or: [{ not: { status: { eq: "PENDING" } } }] }"#),
        orders(r#"orderBy: { field: "PLACED_AT" }"#),
        r#"{ brands { nodes { products(orderBy: { field: "NAME" }) { nodes { id } } } } }"#.to_owned(),
        r#"{ ...Page } fragment Page on Query { orders(where: { status: { eq: "PENDING" } }) { nodes { id } } }"#
            .to_owned(),
        r#"{ ... @include(if: true) { orders(where: { status: { eq: "PENDING" } }) { nodes { id } } } }"#.to_owned(),
        r#"query ($status: OrderStatus = "PENDING") { orders(where: { status: { eq: $status } }) { nodes { id } } }"#
            .to_owned(),
    ] {
        let response = admin.run(&document).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{document}");
        let message = response.json["errors"][0]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("without quotes"), "{document}: {message}");
        assert!(response.json["errors"][0]["locations"][0]["line"].is_number(), "{document}");
    }
    assert_eq!(admin.run(&orders("where: { status: { eq: PENDING } }")).await.at("orders.nodes"), &json!([]));
    let document = "query ($status: OrderStatus, $where: OrderWhere) {
        a: orders(where: { status: { eq: $status } }) { nodes { id } } b: orders(where: $where) { nodes { id } } }";
    let variables = json!({ "status": "PENDING", "where": { "status": { "in": ["PENDING"] } } });
    assert_eq!(admin.run_with(document, variables).await.at("b.nodes"), &json!([]));
}

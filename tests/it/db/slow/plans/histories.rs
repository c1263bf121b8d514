//! Query plans of histories that grow with every sale and change, and of a login among many users.

use super::{Case, Never};
use crate::support::TestApp;

/// The histories of products, visible to staff.
pub const HISTORIES: &[Case] = &[
    Case("{ products { nodes { stockMovements { nodes { id } } } } }", "stock_movements_product_id_idx", Never),
    Case("{ products { nodes { stockMovements { totalCount { value } } } } }", "stock_movements_product_id_idx", Never),
    Case("{ products { nodes { priceHistory { nodes { id } } } } }", "price_changes_product_id_idx", Never),
    Case("{ products { nodes { priceHistory { totalCount { value } } } } }", "price_changes_product_id_idx", Never),
    Case("{ products { nodes { lowestPrice30Days { amount } } } }", "price_changes_product_id_idx", Never),
];

#[tokio::test]
async fn login_finds_the_user_by_index() {
    let app = TestApp::new().await;
    app.seed_catalog().await;
    app.seed_orders().await;
    let login = "mutation { login(input: {email: \"Buyer-100@souk.example\", password: \"not the right one\"}) {
        userErrors { code } } }";
    let mut response = app.anonymous().run(login).await;
    assert_eq!(response.user_errors("login")[0].0, "INVALID_CREDENTIALS");
    // The other statements count the attempt and use the primary key.
    response.sql.retain(|sql| sql.starts_with("SELECT"));
    let plans = app.database.plans(&response).await;
    assert!(
        plans.iter().any(|plan| plan.lines.iter().any(|line| line.contains("users_email_key"))),
        "{:?}",
        response.sql
    );
}

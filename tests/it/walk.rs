//! The shortest walk through the shop: browse, order, see the stock go down.

use souk::ids::RowId;

use crate::support::{ProductSpec, TestApp};

#[tokio::test]
async fn a_customer_browses_orders_and_the_stock_goes_down() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let category = app.category("lanterns", None).await;
    let spec = ProductSpec { stock: 5, price: Some("12.50"), category: Some(category.id), ..ProductSpec::default() };
    let lantern = app.product(website.id, spec).await;
    let customer = app.customer().await;

    let browse = "{ products { nodes { id stock price { amount currency } category { slug } } } }";
    let seen = app.anonymous().run(browse).await;
    assert_eq!(seen.text_at("products.nodes.0.category.slug"), "lanterns");
    assert_eq!(seen.text_at("products.nodes.0.id"), lantern.id.global());

    let answer = customer.try_order(&[(lantern.id, 2)], "one").await;
    assert!(answer.user_errors("orderCreate").is_empty(), "{answer:?}");
    assert_eq!(answer.text_at("orderCreate.order.totalAmount.amount"), "25.00");
    assert_eq!(answer.text_at("orderCreate.order.orderNumber"), "SAILOR-1001");
    assert_eq!(app.stock(lantern.id).await, 3);
}

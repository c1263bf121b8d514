//! Roles limited to websites: at other websites their holders see only public data.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{OrderId, ProductId, RowId, UserId},
};

use crate::support::{Actor, ProductSpec, TestApp};

/// Two shops with an order each, and a manager of the first.
struct Shops<'a> {
    app: &'a TestApp,
    manager: Actor<'a>,
    /// Of `sailor` and of `rise`.
    websites: [String; 2],
    hidden: [ProductId; 2],
    sold: [ProductId; 2],
    customers: [Actor<'a>; 2],
    orders: [String; 2],
}

impl<'a> Shops<'a> {
    async fn open(app: &'a TestApp) -> Self {
        let (sailor, rise) = (app.website("sailor").await, app.website("rise").await);
        let everything_of_a_manager = [
            Permission::ManageUsers,
            Permission::ManageCatalogue,
            Permission::ManageProducts,
            Permission::ManageStock,
            Permission::ManageOrders,
            Permission::ManageWebsites,
        ];
        let manager = app.user_with(&everything_of_a_manager, &[sailor.id]).await;
        let mut shops = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for website in [&sailor, &rise] {
            let hidden = app.product(website.id, ProductSpec::default()).await;
            app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", hidden.id.0)).await;
            let sold = app.product(website.id, ProductSpec { stock: 10, ..ProductSpec::default() }).await;
            let customer = app.customer().await;
            let from = format!("UPDATE users SET source_website_id = {} WHERE id = {}", website.id.0, customer.id.0);
            app.database.sql(&from).await;
            shops.3.push(customer.order(&[(sold.id, 1)]).await);
            shops.0.push(hidden.id);
            shops.1.push(sold.id);
            shops.2.push(customer);
        }
        fn two<T>(list: Vec<T>) -> [T; 2] {
            list.try_into().unwrap_or_else(|_| panic!("two shops"))
        }
        let websites = [sailor.id.to_global_id(), rise.id.to_global_id()];
        let (hidden, sold, customers, orders) = (two(shops.0), two(shops.1), two(shops.2), two(shops.3));
        Self { app, manager, websites, hidden, sold, customers, orders }
    }
}

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "__typename", input).await.outcome(mutation)
}

#[tokio::test]
async fn website_staff_see_their_websites_and_public_data() {
    let app = TestApp::new().await;
    let shops = Shops::open(&app).await;
    let seen = shops
        .manager
        .run(
            "{ orders { totalCount { value } nodes { id user { id } } } users { totalCount { value } nodes { id } }
               products(first: 100) { totalCount { value } nodes { id isActive } }
               websites { nodes { code orders { nodes { id } } products { nodes { id } } } } }",
        )
        .await;
    assert_eq!(
        seen.at("orders.nodes"),
        &json!([{ "id": shops.orders[0], "user": { "id": shops.customers[0].global_id() } }])
    );
    assert_eq!(seen.at("orders.totalCount.value"), &json!(1));
    let mut users: Vec<_> =
        seen.at("users.nodes").as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
    users.sort_unstable();
    let (me, customer) = (shops.manager.global_id(), shops.customers[0].global_id());
    let mut expected = vec![me.as_str(), customer.as_str()];
    expected.sort_unstable();
    assert_eq!(users, expected, "the manager, and the customers of their website");
    let products = seen.at("products.nodes").as_array().unwrap();
    let has = |id: ProductId| products.iter().any(|product| product["id"] == id.to_global_id());
    assert_eq!((has(shops.hidden[0]), has(shops.hidden[1])), (true, false));
    assert_eq!((has(shops.sold[0]), has(shops.sold[1])), (true, true), "products for sale are public");
    let nested = seen.at("websites.nodes").as_array().unwrap();
    for website in nested {
        let own = website["code"] == "sailor";
        assert_eq!(website["orders"]["nodes"].as_array().unwrap().len(), usize::from(own));
        assert_eq!(website["products"]["nodes"].as_array().unwrap().len(), if own { 2 } else { 1 });
    }
    for (index, there) in [(0, true), (1, false)] {
        for id in [shops.orders[index].clone(), shops.customers[index].global_id(), shops.hidden[index].to_global_id()]
        {
            let node = shops.manager.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(!node.at("node").is_null(), there, "{:?}", souk::ids::decode(&id));
        }
    }
}

#[tokio::test]
async fn website_staff_write_only_at_their_websites() {
    let app = TestApp::new().await;
    let shops = Shops::open(&app).await;
    let address = async |customer: &Actor<'_>| {
        let new = json!({ "countryCode": "DE", "city": "Kiel", "address": "Ring 1", "postalCode": "24103" });
        customer.mutate("addressCreate", "address { id }", new).await.text_at("addressCreate.address.id")
    };
    let addresses = [address(&shops.customers[0]).await, address(&shops.customers[1]).await];
    let table: &[(&str, &str, Value, [String; 2])] = &[
        ("productUpdate", "id", json!({ "name": "New" }), shops.sold.map(|id| id.to_global_id())),
        ("productDelete", "id", json!({}), shops.hidden.map(|id| id.to_global_id())),
        ("stockAdjust", "productId", json!({ "delta": 1 }), shops.sold.map(|id| id.to_global_id())),
        ("userUpdate", "id", json!({ "name": "New" }), [0, 1].map(|index| shops.customers[index].global_id())),
        (
            "addressCreate",
            "userId",
            json!({ "countryCode": "DE", "city": "Kiel", "address": "Ring 2", "postalCode": "24103" }),
            [0, 1].map(|i| shops.customers[i].global_id()),
        ),
        ("addressUpdate", "id", json!({ "city": "Ulm" }), addresses.clone()),
        ("addressDelete", "id", json!({}), addresses),
        ("orderStatusUpdate", "id", json!({ "status": "CONFIRMED" }), shops.orders.clone()),
        ("orderCancel", "id", json!({}), shops.orders.clone()),
        ("userDeactivate", "id", json!({}), [0, 1].map(|index| shops.customers[index].global_id())),
        ("userReactivate", "id", json!({}), [0, 1].map(|index| shops.customers[index].global_id())),
    ];
    for (mutation, field, rest, [own, other]) in table {
        let input = |id: &str| {
            let mut input = rest.clone();
            input[field] = json!(id);
            input
        };
        assert_eq!(try_mutate(&shops.manager, mutation, input(own)).await, "done", "{mutation}");
        let before = shops.app.database.contents().await;
        let nothing = match souk::ids::decode(own).unwrap().0.as_str() {
            "Product" => ProductId(999_999).to_global_id(),
            "User" => UserId(999_999).to_global_id(),
            "Order" => OrderId(999_999).to_global_id(),
            _ => souk::ids::AddressId(999_999).to_global_id(),
        };
        let responses = [
            shops.manager.mutate(mutation, "__typename", input(other)).await,
            shops.manager.mutate(mutation, "__typename", input(&nothing)).await,
        ];
        assert_eq!(responses[0].outcome(mutation), format!("NOT_FOUND {field}"), "{mutation}");
        assert_eq!(responses[0].json["data"], responses[1].json["data"], "{mutation} reveals that it exists");
        assert_eq!(shops.app.database.contents().await, before, "{mutation}");
    }
    let product =
        |website: &str, sku: &str| json!({ "sourceWebsiteId": website, "name": "N", "sku": sku, "price": "1" });
    let user = |website: Option<&str>, email: &str| json!({ "name": "N", "email": email, "sourceWebsiteId": website });
    let [sailor, rise] = &shops.websites;
    for (mutation, input, expected) in [
        ("productCreate", product(sailor, "A"), "done"),
        ("productCreate", product(rise, "A"), "PERMISSION_NOT_HELD sourceWebsiteId"),
        ("userCreate", user(Some(sailor), "a@souk.example"), "done"),
        ("userCreate", user(Some(rise), "b@souk.example"), "PERMISSION_NOT_HELD sourceWebsiteId"),
        ("userCreate", user(None, "c@souk.example"), "PERMISSION_NOT_HELD sourceWebsiteId"),
        ("websiteUpdate", json!({ "id": sailor, "name": "New" }), "done"),
        ("websiteUpdate", json!({ "id": rise, "name": "New" }), "PERMISSION_NOT_HELD id"),
        ("websiteDelete", json!({ "id": rise }), "PERMISSION_NOT_HELD id"),
        (
            "websiteCreate",
            json!({ "code": "new", "name": "N", "baseUrl": "https://new.example", "currency": "EUR" }),
            "PERMISSION_NOT_HELD",
        ),
    ] {
        assert_eq!(try_mutate(&shops.manager, mutation, input.clone()).await, expected, "{mutation} {input}");
    }
}

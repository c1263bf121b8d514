//! Which rows each actor sees through every path of the schema, and which they may write.
//! Two customers, x and y; two sellers, a and b; x ordered a product of a, y one of b.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use souk::{
    ids::{RowId, decode},
    products::model::ProductRow,
};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

/// The columns of the tables below.
const ACTORS: [&str; 7] = ["anonymous", "x", "y", "a", "b", "manager", "admin"];

/// The actors, and the global ids of the rows by a short name.
struct AccessFixture<'a> {
    actors: Vec<Actor<'a>>,
    ids: BTreeMap<&'static str, String>,
}

impl<'a> AccessFixture<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let actors = vec![
            app.anonymous(),
            app.customer().await,
            app.customer().await,
            app.seller().await,
            app.seller().await,
            app.manager().await,
            app.admin().await,
        ];
        let website = app.website("sailor").await;
        let (category, brand) = (app.category("lamps", None).await, app.brand("wick").await);
        let supplier = app.supplier("Tallow and Sons").await;
        let product = async |sku: &str, seller: Option<&Actor<'_>>| -> ProductRow {
            let spec = ProductSpec {
                name: Some(format!("Lantern {sku}")),
                sku: Some(sku.to_owned()),
                stock: 10,
                category: Some(category.id),
                brand: Some(brand.id),
                supplier: Some(supplier.id),
                seller: seller.map(|seller| seller.id),
                ..ProductSpec::default()
            };
            app.product(website.id, spec).await
        };
        let [x, y, a, b] = [&actors[1], &actors[2], &actors[3], &actors[4]];
        let (of_a, of_b) = (product("of-a", Some(a)).await, product("of-b", Some(b)).await);
        let mut ids = BTreeMap::from([
            ("website", website.id.to_global_id()),
            ("supplier", supplier.id.to_global_id()),
            ("of-a", of_a.id.to_global_id()),
            ("of-b", of_b.id.to_global_id()),
            ("order-x", x.order(&[(of_a.id, 1)]).await),
            ("order-y", y.order(&[(of_b.id, 1)]).await),
            ("address-x", x.address().await.id.to_global_id()),
            ("address-y", y.address().await.id.to_global_id()),
        ]);
        for (name, seller) in [("off-a", Some(a)), ("off-b", Some(b)), ("off", None)] {
            let removed = product(name, seller).await.id.to_global_id();
            let delete = "mutation ($id: ID!) { productDelete(input: { id: $id }) { userErrors { code } } }";
            let deleted = actors[6].run_with(delete, json!({ "id": removed })).await;
            assert!(deleted.user_errors("productDelete").is_empty());
            ids.insert(name, removed);
        }
        for (name, actor) in ACTORS.iter().zip(&actors).skip(1) {
            ids.insert(*name, actor.global_id());
        }
        let line = "query ($id: ID!) { order(id: $id) { details { id } } }";
        for (name, order) in [("line-x", "order-x"), ("line-y", "order-y")] {
            let response = actors[6].run_with(line, json!({ "id": ids[order] })).await;
            ids.insert(name, response.text_at("order.details.0.id"));
        }
        Self { actors, ids }
    }

    fn actor(&self, name: &str) -> &Actor<'a> {
        &self.actors[ACTORS.iter().position(|actor| *actor == name).expect("an actor")]
    }

    /// Returns the document with `<name>` replaced by the quoted id of that name.
    fn with_ids(&self, document: &str) -> String {
        self.ids
            .iter()
            .fold(document.to_owned(), |text, (name, id)| text.replace(&format!("<{name}>"), &format!("\"{id}\"")))
    }

    /// Returns the names of the rows of a type whose ids are in a response, in alphabetical order.
    fn visible_names(&self, response: &TestResponse, type_name: &str) -> String {
        let mut ids = BTreeSet::new();
        collect(&response.json["data"], &mut ids);
        let of_type = self.ids.iter().filter(|(_, id)| decode(id).is_some_and(|(name, _)| name == type_name));
        of_type.filter(|(_, id)| ids.contains(id.as_str())).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    }

    /// Checks the rows of a type that each actor sees by each document, in the order of [`ACTORS`].
    async fn check(&self, type_name: &str, table: &[(&str, [&str; 7])]) {
        for (document, expected) in table {
            let document = self.with_ids(document);
            for ((name, actor), expected) in ACTORS.iter().zip(&self.actors).zip(expected) {
                let response = actor.run(&document).await;
                // A whole list may be rejected; no other error is allowed.
                let refused = response.json["errors"].is_array();
                assert!(!refused || ["UNAUTHENTICATED", "FORBIDDEN"].contains(&response.code()), "{response:#?}");
                assert_eq!(self.visible_names(&response, type_name), *expected, "{type_name} for {name} by {document}");
            }
        }
    }
}

/// Collects the ids in a response; a list's total count must equal the number of visible rows.
fn collect<'a>(value: &'a Value, ids: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(fields) => {
            ids.extend(fields.get("id").and_then(Value::as_str));
            if let (Some(nodes), Some(total)) = (fields.get("nodes"), fields.get("totalCount")) {
                assert_eq!(total["value"], nodes.as_array().map_or(0, Vec::len), "{value:#}");
            }
            fields.values().for_each(|field| collect(field, ids));
        }
        _ => {}
    }
}

#[tokio::test]
async fn orders_are_visible_to_their_customer_their_sellers_and_staff() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    let usual = ["", "order-x", "order-y", "order-x", "order-y", "order-x order-y", "order-x order-y"];
    // Sellers do not see their customers, so they cannot reach orders through them.
    let through_users = ["", "order-x", "order-y", "", "", "order-x order-y", "order-x order-y"];
    let list = "{ nodes { id } edges { node { id } } totalCount { value } }";
    let table = [
        ("{ x: order(id: <order-x>) { id } y: order(id: <order-y>) { id } }", usual),
        ("{ x: node(id: <order-x>) { id } y: node(id: <order-y>) { id } }", usual),
        ("{ nodes(ids: [<order-x>, <order-y>]) { id } }", usual),
        (&format!("{{ orders {list} }}"), usual),
        ("{ orders(where: { not: { status: { eq: SHIPPED } } }) { nodes { id } } }", usual),
        ("{ orders(where: { or: [{ user: { eq: <x> } }, { user: { eq: <y> } }] }) { nodes { id } } }", through_users),
        (&format!("{{ websites {{ nodes {{ orders {list} }} }} }}"), usual),
        ("{ nodes(ids: [<line-x>, <line-y>]) { ... on OrderDetail { order { id } } } }", usual),
        (&format!("{{ x: user(id: <x>) {{ orders {list} }} y: user(id: <y>) {{ orders {list} }} }}"), through_users),
        ("{ nodes(ids: [<x>, <y>]) { ... on User { orders { nodes { id } } } } }", through_users),
        (&format!("{{ users {{ nodes {{ orders {list} }} }} }}"), through_users),
        (&format!("{{ me {{ orders {list} }} }}"), ["", "order-x", "order-y", "", "", "", ""]),
    ];
    fixture.check("Order", &table).await;
    let lines = ["", "line-x", "line-y", "line-x", "line-y", "line-x line-y", "line-x line-y"];
    let ways = [
        ("{ nodes(ids: [<line-x>, <line-y>]) { id } }", lines),
        ("{ x: node(id: <line-x>) { id } y: node(id: <line-y>) { id } }", lines),
        ("{ orders { nodes { details { id } } } }", lines),
    ];
    fixture.check("OrderDetail", &ways).await;
}

#[tokio::test]
async fn users_and_addresses_are_visible_to_themselves_and_staff() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    let everybody = "a admin b manager x y";
    let list = "{ nodes { id } edges { node { id } } totalCount { value } }";
    let table = [
        ("{ me { id } }", ["", "x", "y", "a", "b", "manager", "admin"]),
        ("{ x: user(id: <x>) { id } a: user(id: <a>) { id } }", ["", "x", "", "a", "", "a x", "a x"]),
        ("{ x: node(id: <x>) { id } a: node(id: <a>) { id } }", ["", "x", "", "a", "", "a x", "a x"]),
        (
            "{ nodes(ids: [<x>, <y>, <a>, <b>, <manager>, <admin>]) { id } }",
            ["", "x", "y", "a", "b", everybody, everybody],
        ),
        (&format!("{{ users {list} }}"), ["", "x", "y", "a", "b", everybody, everybody]),
        (
            r#"{ users(where: { email: { contains: "souk" } }) { nodes { id } } }"#,
            ["", "x", "y", "a", "b", everybody, everybody],
        ),
        ("{ orders { nodes { user { id name email phone } } } }", ["", "x", "y", "", "", "x y", "x y"]),
        ("{ products { nodes { seller { id } } } }", ["", "", "", "a", "b", "a b", "a b"]),
        (
            "{ nodes(ids: [<address-x>, <address-y>]) { ... on Address { user { id } } } }",
            ["", "x", "y", "", "", "x y", "x y"],
        ),
    ];
    fixture.check("User", &table).await;
    let both = "address-x address-y";
    let own = ["", "address-x", "address-y", "", "", both, both];
    let table = [
        ("{ x: node(id: <address-x>) { id } y: node(id: <address-y>) { id } }", own),
        ("{ nodes(ids: [<address-x>, <address-y>]) { id } }", own),
        ("{ me { addresses { id } } }", ["", "address-x", "address-y", "", "", "", ""]),
        ("{ users { nodes { addresses { id } } } }", own),
        ("{ x: user(id: <x>) { addresses { id } } y: user(id: <y>) { addresses { id } } }", own),
        ("{ orders { nodes { user { addresses { id } } } } }", own),
    ];
    fixture.check("Address", &table).await;
}

#[tokio::test]
async fn inactive_products_are_visible_only_to_their_seller_and_staff() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    let public = "of-a of-b";
    let (a, b, all) = ("of-a of-b off-a", "of-a of-b off-b", "of-a of-b off off-a off-b");
    let usual = [public, public, public, a, b, all, all];
    let each = |argument: &dyn Fn(&str) -> String| {
        let fields = ["of-a", "of-b", "off", "off-a", "off-b"]
            .map(|sku| format!("{}: product({}) {{ id }}", sku.replace('-', "_"), argument(sku)));
        format!("{{ {} }}", fields.join(" "))
    };
    let list = "{ nodes { id } edges { node { id } } totalCount { value } }";
    let inactive = ["", "", "", "off-a", "off-b", "off off-a off-b", "off off-a off-b"];
    let table = [
        (&*each(&|sku| format!("id: <{sku}>")), usual),
        (&each(&|sku| format!("slug: \"lantern-{sku}\"")), usual),
        (&each(&|sku| format!("website: \"sailor\", sku: \"{sku}\"")), usual),
        ("{ a: node(id: <off-a>) { id } b: node(id: <off-b>) { id } shop: node(id: <off>) { id } }", inactive),
        ("{ nodes(ids: [<of-a>, <of-b>, <off>, <off-a>, <off-b>]) { id } }", usual),
        (&format!("{{ products {list} }}"), usual),
        (&format!("{{ products(where: {{ isActive: false }}) {list} }}"), inactive),
        ("{ products(where: { id: { in: [<off>, <off-a>, <off-b>] } }) { nodes { id } } }", inactive),
        (&format!("{{ categories {{ nodes {{ products {list} }} }} }}"), usual),
        (&format!("{{ brands {{ nodes {{ products {list} }} }} }}"), usual),
        (&format!("{{ websites {{ nodes {{ products {list} }} }} }}"), usual),
        (&format!("{{ suppliers {{ nodes {{ products {list} }} }} }}"), ["", "", "", a, b, all, all]),
        // Search only shows products for sale, to every actor.
        (r#"{ search(query: "lantern") { nodes { ... on Product { id } } totalCount { value } } }"#, [public; 7]),
    ];
    fixture.check("Product", &table).await;
}

#[tokio::test]
async fn ordered_products_stay_visible_on_the_order_after_deactivation() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    app.database.sql("UPDATE products SET is_active = false").await;
    let table = [
        (
            "{ orders { nodes { details { product { id } } } } }",
            ["", "of-a", "of-b", "of-a", "of-b", "of-a of-b", "of-a of-b"],
        ),
        (
            "{ products { nodes { id } } }",
            ["", "", "", "of-a off-a", "of-b off-b", "of-a of-b off off-a off-b", "of-a of-b off off-a off-b"],
        ),
    ];
    fixture.check("Product", &table).await;
}

#[tokio::test]
async fn suppliers_are_visible_only_to_staff_and_sellers() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    let staff = ["", "", "", "supplier", "supplier", "supplier", "supplier"];
    let table = [
        ("{ node(id: <supplier>) { id } }", staff),
        ("{ nodes(ids: [<supplier>]) { id } }", staff),
        ("{ suppliers { nodes { id } totalCount { value } } }", staff),
        ("{ products { nodes { supplier { id } } } }", staff),
        ("{ product(id: <of-a>) { supplier { id } } }", staff),
        (r#"{ search(query: "tallow") { nodes { ... on Supplier { id } } totalCount { value } } }"#, staff),
        (r#"{ search(query: "tallow", types: [SUPPLIER]) { nodes { ... on Supplier { id } } } }"#, staff),
    ];
    fixture.check("Supplier", &table).await;
    // The filter would reveal what the field hides.
    for filter in [
        "{ supplier: { eq: <supplier> } }",
        "{ and: [{ supplier: { isNull: true } }] }",
        "{ or: [{ stock: { eq: 1 } }, { not: { supplier: { eq: <supplier> } } }] }",
    ] {
        let lists = [
            "{ products(where: ?) { nodes { id } } }",
            "{ websites { nodes { products(where: ?) { nodes { id } } } } }",
        ];
        for list in lists {
            let document = fixture.with_ids(&list.replace('?', filter));
            for (name, actor) in ACTORS.iter().zip(&fixture.actors) {
                let response = actor.run(&document).await;
                match *name {
                    "anonymous" | "x" | "y" => assert_eq!(response.code(), "FORBIDDEN", "{name}: {document}"),
                    _ => assert!(response.json["errors"].is_null(), "{name}: {response:#?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn mutations_of_inaccessible_rows_respond_like_missing_rows() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    // The actor, the mutation, its input, and the row of another user; `?` is its id, then an id that does not exist.
    let table = [
        ("x", "orderCancel", "id: ?", "order-y"),
        ("a", "orderCancel", "id: ?", "order-x"),
        ("x", "orderDetailAdd", "orderId: ?, productId: <of-a>, quantity: 1", "order-y"),
        ("a", "orderDetailAdd", "orderId: ?, productId: <of-a>, quantity: 1", "order-x"),
        ("x", "orderDetailUpdate", "id: ?, quantity: 2", "line-y"),
        ("a", "orderDetailUpdate", "id: ?, quantity: 2", "line-x"),
        ("x", "orderDetailRemove", "id: ?", "line-y"),
        ("a", "orderDetailRemove", "id: ?", "line-x"),
        ("a", "orderStatusUpdate", "id: ?, status: CONFIRMED", "order-y"),
        (
            "x",
            "orderCreate",
            "lines: [{ productId: <of-a>, quantity: 1 }], addressId: ?, idempotencyKey: \"k\"",
            "address-y",
        ),
        (
            "manager",
            "orderCreate",
            "lines: [{ productId: <of-a>, quantity: 1 }], addressId: ?, idempotencyKey: \"k\"",
            "address-y",
        ),
        ("a", "productUpdate", "id: ?, name: \"Mine\"", "of-b"),
        ("a", "productUpdate", "id: ?, name: \"Mine\"", "off"),
        ("a", "productDelete", "id: ?", "of-b"),
        ("a", "stockAdjust", "productId: ?, delta: 5", "of-b"),
        ("a", "stockSet", "productId: ?, quantity: 5", "of-b"),
        ("a", "stockSet", "productId: ?, quantity: 5, compare: 1", "off"),
        (
            "x",
            "addressCreate",
            "userId: ?, countryCode: \"DE\", city: \"Ulm\", address: \"Ring 1\", postalCode: \"89073\"",
            "y",
        ),
        (
            "a",
            "addressCreate",
            "userId: ?, countryCode: \"DE\", city: \"Ulm\", address: \"Ring 1\", postalCode: \"89073\"",
            "x",
        ),
        ("x", "addressUpdate", "id: ?, city: \"Ulm\"", "address-y"),
        ("a", "addressUpdate", "id: ?, city: \"Ulm\"", "address-x"),
        ("x", "addressDelete", "id: ?", "address-y"),
        ("x", "userUpdate", "id: ?, name: \"Mine\"", "y"),
        ("a", "userDeactivate", "id: ?", "x"),
    ];
    for (who, mutation, input, target) in table {
        let (type_name, _) = decode(&fixture.ids[target]).expect("an id");
        let missing_id = match type_name.as_str() {
            "Order" => souk::ids::OrderId(999_999).to_global_id(),
            "OrderDetail" => souk::ids::OrderDetailId(999_999).to_global_id(),
            "Product" => souk::ids::ProductId(999_999).to_global_id(),
            "Address" => souk::ids::AddressId(999_999).to_global_id(),
            _ => souk::ids::UserId(999_999).to_global_id(),
        };
        let mut responses = Vec::new();
        for id in [&fixture.ids[target], &missing_id] {
            let input = fixture.with_ids(&input.replace('?', &format!("\"{id}\"")));
            let document =
                format!("mutation {{ {mutation}(input: {{ {input} }}) {{ userErrors {{ code field message }} }} }}");
            let response = fixture.actor(who).run(&document).await;
            let errors = response.user_errors(mutation);
            assert_eq!(
                errors.first().map(|(code, _)| code.as_str()),
                Some("NOT_FOUND"),
                "{who}: {document}\n{response:?}"
            );
            responses.push(response.at(mutation).clone());
        }
        assert_eq!(responses[0], responses[1], "{who} learns from {mutation} that {target} exists");
    }
}

#[tokio::test]
async fn seller_manages_orders_with_their_products_but_not_their_purchases() {
    let app = TestApp::new().await;
    let fixture = AccessFixture::new(&app).await;
    let confirm = "mutation ($id: ID!) {
        orderStatusUpdate(input: { id: $id, status: CONFIRMED }) { order { status } userErrors { code } } }";
    let (a, b) = (fixture.actor("a"), fixture.actor("b"));
    let response = a.run_with(confirm, json!({ "id": fixture.ids["order-x"] })).await;
    assert_eq!(response.text_at("orderStatusUpdate.order.status"), "CONFIRMED");
    let (_, of_a) = decode(&fixture.ids["of-a"]).expect("an id");
    let bought = b.order(&[(souk::ids::ProductId(of_a), 1)]).await;
    let response = b.run_with(confirm, json!({ "id": bought })).await;
    assert_eq!(response.user_errors("orderStatusUpdate")[0].0, "NOT_FOUND", "the buyer cannot confirm for the shop");
    let response = a.run_with(confirm, json!({ "id": bought })).await;
    assert!(response.user_errors("orderStatusUpdate").is_empty(), "the seller can");
}

//! An API key must not do what its owner does for themselves: it has its permissions and nothing else.

use serde_json::json;
use souk::{auth::Permission, ids::RowId};

use crate::{
    DOMAINS,
    support::{
        Actor, ProductSpec, TestApp, TestResponse,
        generated_operations::{document, missing_id},
        scenario::Scenario,
        sdl::{Sdl, description},
    },
};

/// Mutations that work without a credential and therefore with any, each with the reason.
const PUBLIC: &[(&str, &str)] = &[
    ("emailChangeConfirm", TOKEN),
    ("emailVerificationResend", NEW_CREDENTIAL),
    ("emailVerify", TOKEN),
    ("login", NEW_CREDENTIAL),
    ("orderEmailConfirm", TOKEN),
    ("passwordForgot", NEW_CREDENTIAL),
    ("passwordReset", TOKEN),
    ("register", NEW_CREDENTIAL),
    ("searchClick", "records a click for analytics"),
    ("tokenRefresh", TOKEN),
];
const TOKEN: &str = "proves who sends it with a token of its own";
const NEW_CREDENTIAL: &str = "is for those who have no credential yet";

/// Types whose rows are visible to staff only, whoever owns them.
const OF_STAFF: &[&str] = &["WebhookSubscription", "WebhookDelivery"];

/// Types of which a key without permissions must not see the rows of its owner.
const PRIVATE: &[&str] = &[
    "User",
    "Address",
    "Session",
    "ApiKey",
    "Cart",
    "CartLine",
    "Order",
    "OrderDetail",
    "Payment",
    "Shipment",
    "Return",
];

async fn key_of<'a>(owner: &Actor<'a>, permissions: &[Permission]) -> Actor<'a> {
    let codes: Vec<_> = permissions.iter().map(|permission| permission.as_str()).collect();
    let made = owner.mutate("apiKeyCreate", "secret", json!({ "name": "Till", "permissions": codes })).await;
    owner.app.with_key(made.text_at("apiKeyCreate.secret"), owner.id)
}

/// Returns whether a mutation was refused: it is not for API keys, lacks a permission, or finds nothing of the owner.
fn is_refused(response: &TestResponse, mutation: &str) -> bool {
    let outcome = response.outcome(mutation);
    outcome == "!FORBIDDEN" || outcome.starts_with("NOT_FOUND ")
}

#[tokio::test]
async fn key_for_the_stock_does_nothing_else_for_its_owner() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id.to_global_id();
    let owner = app.user_with(&[Permission::ManageStock, Permission::ManageUsers], &[]).await;
    let key = key_of(&owner, &[Permission::ManageStock]).await;
    let lines = json!([{ "productId": product, "quantity": 1 }]);
    let address = json!({ "countryCode": "DE", "city": "Kiel", "address": "Kai 1", "postalCode": "24103" });
    let review = json!({ "productId": product, "rating": 1 });
    for (mutation, input) in [
        ("orderCreate", json!({ "lines": lines, "idempotencyKey": "1" })),
        ("addressCreate", address.clone()),
        ("cartCreate", json!({ "lines": lines })),
        ("reviewCreate", review),
        ("wishlistCreate", json!({ "name": "Mine" })),
    ] {
        assert_eq!(key.try_mutate(mutation, input.clone()).await, "!FORBIDDEN", "{mutation}");
    }
    assert_eq!(key.run("{ me { id email } }").await.code(), "FORBIDDEN");
    // What the permission allows, the key does, recorded as done by its owner.
    let more = json!({ "productId": product, "delta": 3, "idempotencyKey": "1" });
    assert_eq!(key.try_mutate("stockAdjust", more).await, "done");
    let by = app.database.scalar("SELECT user_id FROM stock_movements ORDER BY id DESC LIMIT 1").await;
    assert_eq!(by, owner.id.0.to_string());
    // A key with MANAGE_USERS changes the users that the permission covers, its owner's addresses included.
    let staff = key_of(&owner, &[Permission::ManageUsers]).await;
    assert_eq!(staff.try_mutate("addressCreate", address.clone()).await, "!FORBIDDEN");
    let mut of_owner = address;
    of_owner["userId"] = json!(owner.global_id());
    assert_eq!(staff.try_mutate("addressCreate", of_owner).await, "done");
    assert_eq!(staff.run("{ me { id } }").await.text_at("me.id"), owner.global_id());
}

#[tokio::test]
async fn key_has_no_cart_even_with_a_cart_token() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let owner = app.customer().await;
    owner.create_cart(&[(product, 1)]).await;
    let made = app.anonymous().run("mutation { cartCreate { cartToken } }").await.text_at("cartCreate.cartToken");
    let key = key_of(&owner, &[]).await.with_cart(Some(made));
    assert!(key.run("{ cart { id } }").await.at("cart").is_null());
    assert_eq!(key.run("mutation { cartCreate { cart { id } } }").await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn every_mutation_is_refused_to_a_key_without_its_permission() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let scenario = Scenario::create(&app).await;
    let mine = |type_name: &str| scenario.ids.get(type_name).cloned().unwrap_or_else(|| missing_id(type_name));
    let clerks = app.user_with(&[Permission::ManageStock], &[]).await;
    let role = format!("UPDATE users SET role_id = (SELECT role_id FROM users WHERE id = {})", clerks.id.0);
    let mut keys = Vec::new();
    // The customer, whose rows the scenario has, becomes a clerk; the seller keeps the role, but the key has none of
    // it.
    for (owner, permissions) in [(1, &[][..]), (1, &[Permission::ManageStock]), (3, &[])] {
        let owner = &scenario.actors[owner];
        if !permissions.is_empty() {
            app.database.sql(&format!("{role} WHERE id = {}", owner.id.0)).await;
        }
        let code = format!("SELECT code FROM roles JOIN users ON role_id = roles.id WHERE users.id = {}", owner.id.0);
        let owner = app.existing_user(owner.id, &app.database.scalar(&code).await).await;
        keys.push((permissions, key_of(&owner, permissions).await));
    }
    let before = app.database.contents().await;
    let mut public = Vec::new();
    for field in sdl.fields("Mutation") {
        let name = field.name.node.as_str();
        if PUBLIC.iter().any(|(public, _)| *public == name) {
            public.push(name);
            continue;
        }
        let text = match name {
            // The generated ids of its items are not of their type.
            "wishlistMoveToCart" => {
                format!("mutation {{ {name}(input: {{ id: {:?} }}) {{ __typename }} }}", mine("Wishlist"))
            }
            _ => document(&sdl, "Mutation", field, &mine),
        };
        let text = text.replace("{ __typename }", "{ userErrors { code message field } }");
        for (permissions, key) in &keys {
            if permissions.iter().any(|permission| description(field).contains(permission.as_str())) {
                continue;
            }
            let response = key.run(&text).await;
            assert!(is_refused(&response, name), "{name} with {permissions:?}: {response:#?}");
        }
    }
    assert_eq!(before, app.database.contents().await, "a refused mutation writes nothing");
    assert_eq!(public.len(), PUBLIC.len(), "{public:?}");
}

#[tokio::test]
async fn key_does_not_see_what_is_its_owners() {
    let app = TestApp::new().await;
    let scenario = Scenario::create(&app).await;
    let owner = &scenario.actors[1];
    let key = key_of(owner, &[]).await;
    let of_domains = DOMAINS.iter().flat_map(|domain| domain.restricted_types);
    for type_name in PRIVATE.iter().chain(of_domains) {
        let document = format!("{{ node(id: {:?}) {{ id }} }}", scenario.ids[type_name]);
        let is_seen = !owner.run(&document).await.at("node").is_null();
        assert_ne!(is_seen, OF_STAFF.contains(type_name), "{type_name}");
        assert!(key.run(&document).await.at("node").is_null(), "{type_name}");
    }
    for list in ["orders", "users", "wishlists"] {
        let document = format!("{{ {list} {{ nodes {{ id }} totalCount {{ value }} }} }}");
        assert_eq!(*key.run(&document).await.at(&format!("{list}.nodes")), json!([]), "{list}");
    }
    assert_ne!(*key.run("{ products { nodes { id } } }").await.at("products.nodes"), json!([]));
}

//! Nobody acts on a user who holds more than they do: generated from the schema, so that a new mutation needs a case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, SessionId},
};

use crate::support::{Actor, ProductSpec, TestApp, sdl::Sdl};

/// Mutations that take no user and nothing that belongs to one. Orders, with what belongs to them, and reviews belong to
/// the website that they were placed at: its staff manage them, whoever the customer is.
const OF_WEBSITES: &[&str] = &[
    "brandCreate",
    "brandDelete",
    "brandLogoDelete",
    "brandLogoSet",
    "brandUpdate",
    "categoryCreate",
    "categoryDelete",
    "categoryImageDelete",
    "categoryImageSet",
    "categoryMove",
    "categoryUpdate",
    "exportStart",
    "importStart",
    "jobDelete",
    "jobRetry",
    "orderCancel",
    "orderDetailAdd",
    "orderDetailRemove",
    "orderDetailUpdate",
    "orderNoteAdd",
    "orderStatusUpdate",
    "paymentCapture",
    "paymentRefund",
    "paymentVoid",
    "productCreate",
    "productDelete",
    "productGroupCreate",
    "productGroupDelete",
    "productGroupUpdate",
    "productImageCreate",
    "productImageDelete",
    "productImageUpdate",
    "productImagesReorder",
    "productLink",
    "productUnlink",
    "productUpdate",
    "returnReceive",
    "returnReject",
    "reviewApprove",
    "reviewDelete",
    "reviewReject",
    "roleCreate",
    "roleDelete",
    "roleUpdate",
    "searchClick",
    "searchRuleCreate",
    "searchRuleDelete",
    "searchRuleUpdate",
    "shipmentCreate",
    "shipmentDeliver",
    "shipmentUpdate",
    "stockAdjust",
    "stockSet",
    "supplierCreate",
    "supplierDelete",
    "supplierUpdate",
    // A subscription is the shop's; what it sends is changed by its owner only.
    "webhookRedeliver",
    "webhookSubscriptionDelete",
    "webhookSubscriptionUpdate",
    "webhookTest",
    "websiteCreate",
    "websiteDelete",
    "websiteUpdate",
];

/// Mutations that act on the viewer, on the holder of a token, or on a new user.
const OF_THE_VIEWER: &[&str] = &[
    "apiKeyCreate",
    "cartCreate",
    "emailChange",
    "emailChangeConfirm",
    "emailVerificationResend",
    "emailVerify",
    "login",
    "logout",
    "logoutEverywhere",
    "orderEmailConfirm",
    "passwordChange",
    "passwordForgot",
    "passwordReset",
    "register",
    "reviewCreate",
    "tokenRefresh",
    "uploadCreate",
    "userCreate",
    "webhookSubscriptionCreate",
    "wishlistCreate",
];

/// Orders and payments in which an input names something that belongs to the customer.
const OF_CUSTOMERS: &[&str] = &["paymentCreate", "returnCreate"];

/// Returns the mutations that take a user, or something that belongs to one, with inputs that name an admin.
async fn inputs_for(admin: &Actor<'_>) -> BTreeMap<&'static str, Value> {
    let app = admin.app;
    let website = app.website("sailor").await.id;
    let rope = app.product(website, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let rope_id = rope.to_global_id();
    let (user, address) = (admin.global_id(), admin.address().await.id.to_global_id());
    let key = json!({ "name": "Till", "permissions": [] });
    let key = admin.mutate("apiKeyCreate", "apiKey { id }", key).await.text_at("apiKeyCreate.apiKey.id");
    let session = format!("SELECT id FROM sessions WHERE user_id = {}", admin.id.0);
    let session = SessionId(app.database.scalar(&session).await.parse().expect("a key")).to_global_id();
    let other = app.website("rise").await.id.to_global_id();
    let known = json!({ "userId": user, "websiteId": other, "externalId": "A-1" });
    assert_eq!(admin.try_mutate("userIdentityAdd", known).await, "done");
    let cart = admin.create_cart(&[(rope, 1)]).await;
    let list = admin.create("wishlist", json!({ "name": "Boat" })).await;
    let item = json!({ "wishlistId": list, "productId": rope_id });
    let item =
        admin.mutate("wishlistItemAdd", "wishlistItem { id }", item).await.text_at("wishlistItemAdd.wishlistItem.id");
    let review = json!({ "productId": rope_id, "rating": 4 });
    admin.order(&[(rope, 1)]).await;
    let review = admin.mutate("reviewCreate", "review { id }", review).await.text_at("reviewCreate.review.id");
    let place = json!({ "countryCode": "DE", "city": "Kiel", "address": "Kai 1", "postalCode": "24103" });
    let mut create = place.clone();
    create["userId"] = json!(user);
    let lines = json!([{ "productId": rope_id, "quantity": 1 }]);
    let of = |id: &str| json!({ "id": id });
    BTreeMap::from([
        ("addressCreate", create),
        ("addressUpdate", json!({ "id": address, "city": "Kiel" })),
        ("addressDelete", of(&address)),
        ("apiKeyRevoke", of(&key)),
        ("sessionRevoke", of(&session)),
        ("userUpdate", json!({ "id": user, "name": "Eve", "email": "eve@souk.example" })),
        ("userDeactivate", of(&user)),
        ("userReactivate", of(&user)),
        ("userErase", of(&user)),
        ("userRoleSet", json!({ "userId": user, "role": "customer" })),
        ("userIdentityAdd", json!({ "userId": user, "websiteId": website.to_global_id(), "externalId": "A-2" })),
        ("userIdentityRemove", json!({ "userId": user, "websiteId": other })),
        ("cartClear", of(&cart.id)),
        ("cartLineAdd", json!({ "cartId": cart.id, "productId": rope_id, "quantity": 1 })),
        ("cartLineRemove", of(&cart.lines[0])),
        ("cartLineUpdate", json!({ "id": cart.lines[0], "quantity": 2 })),
        ("cartReserve", of(&cart.id)),
        ("cartRelease", of(&cart.id)),
        ("checkout", json!({ "cartId": cart.id, "addressId": address, "idempotencyKey": "1" })),
        ("orderCreate", json!({ "lines": lines, "addressId": address, "idempotencyKey": "1" })),
        ("reviewUpdate", json!({ "id": review, "rating": 1 })),
        ("wishlistUpdate", json!({ "id": list, "name": "Ship" })),
        ("wishlistDelete", of(&list)),
        ("wishlistShare", of(&list)),
        ("wishlistUnshare", of(&list)),
        ("wishlistItemAdd", json!({ "wishlistId": list, "productId": rope_id, "quantity": 2 })),
        ("wishlistItemRemove", of(&item)),
        ("wishlistMoveToCart", of(&list)),
    ])
}

#[tokio::test]
async fn no_mutation_acts_on_a_user_who_holds_more() {
    let app = TestApp::new().await;
    let (admin, other) = (app.admin().await, app.admin().await);
    let inputs = inputs_for(&admin).await;
    let sdl = Sdl::read();
    let mutations: BTreeSet<&str> = sdl.fields("Mutation").into_iter().map(|field| field.name.node.as_str()).collect();
    let listed = [OF_WEBSITES, OF_THE_VIEWER, OF_CUSTOMERS].concat();
    let cases: BTreeSet<&str> = inputs.keys().copied().chain(listed.iter().copied()).collect();
    let missing: Vec<_> = mutations.symmetric_difference(&cases).collect();
    assert!(missing.is_empty(), "add a case if the mutation takes a user or something of theirs: {missing:?}");
    for input in &mutations {
        let name = format!("{}{}Input", input[..1].to_uppercase(), &input[1..]);
        let takes_user = sdl.inputs(&name).iter().any(|field| field.name.node == "userId");
        assert!(!takes_user || inputs.contains_key(input), "{input} takes a user");
    }
    for lacking in Permission::ALL {
        let others: Vec<_> = Permission::ALL.iter().copied().filter(|permission| permission != lacking).collect();
        let clerk = app.user_with(&others, &[]).await;
        let before = app.database.contents().await;
        for (mutation, input) in &inputs {
            let outcome = clerk.try_mutate(mutation, input.clone()).await;
            let code = outcome.split(' ').next().unwrap_or_default();
            let rejections = ["PERMISSION_NOT_HELD", "NOT_FOUND", "!NOT_FOUND", "!FORBIDDEN"];
            assert!(rejections.contains(&code), "{mutation} by staff without {lacking}: {outcome}");
        }
        let after = app.database.contents().await;
        let changed: Vec<_> = after.iter().filter(|(table, rows)| before.get(*table) != Some(*rows)).collect();
        assert!(changed.is_empty(), "{changed:?}");
    }
    // An API key of an admin holds no more than its own permissions.
    let key = json!({ "name": "Desk", "permissions": ["MANAGE_USERS", "MANAGE_ROLES"] });
    let key = other.mutate("apiKeyCreate", "secret", key).await;
    let key = app.with_key(key.text_at("apiKeyCreate.secret"), other.id);
    for mutation in
        ["addressCreate", "addressUpdate", "addressDelete", "userIdentityAdd", "userIdentityRemove", "userUpdate"]
    {
        let outcome = key.try_mutate(mutation, inputs[mutation].clone()).await;
        assert!(outcome.starts_with("PERMISSION_NOT_HELD"), "{mutation}: {outcome}");
    }
}

#[tokio::test]
async fn export_of_a_user_shows_what_its_reader_may_see() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let (rope, sail) = (
        app.product(here, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id,
        app.product(there, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id,
    );
    let admin = app.admin().await;
    let (ordered, elsewhere) = (admin.order(&[(rope, 1)]).await, admin.order(&[(sail, 1)]).await);
    for (website, id) in [(here, "H-1"), (there, "T-1")] {
        let known = json!({ "userId": admin.global_id(), "websiteId": website.to_global_id(), "externalId": id });
        assert_eq!(admin.try_mutate("userIdentityAdd", known).await, "done");
    }
    app.database
        .sql(&format!(
            "UPDATE sessions SET device = 'Secret device', address = '203.0.113.99';
             UPDATE users SET source_website_id = {} WHERE id = {}",
            here.0, admin.id.0
        ))
        .await;
    let export = async |permissions: &[Permission], websites: &[souk::ids::WebsiteId]| {
        let reader = app.user_with(permissions, websites).await;
        let exported =
            reader.run_with("query ($id: ID!) { userExport(id: $id) }", json!({ "id": admin.global_id() })).await;
        exported.at("userExport").clone()
    };
    let desk = export(&[Permission::ManageUsers], &[]).await;
    let all = [
        "sessions",
        "apiKeys",
        "orders",
        "payments",
        "reviews",
        "priceChanges",
        "stockMovements",
        "searches",
        "auditLog",
    ];
    for section in all {
        assert_eq!(desk[section], Value::Null, "{section}");
    }
    assert!(desk["user"].is_object() && desk["wishlists"].is_array(), "{desk:#}");
    let everything = export(Permission::ALL, &[]).await;
    for section in ["sessions", "apiKeys", "searches"] {
        assert_eq!(everything[section], Value::Null, "{section} are the user's own");
    }
    assert_eq!(everything["orders"].as_array().map(Vec::len), Some(2));
    assert!(everything["auditLog"].as_array().is_some_and(|entries| !entries.is_empty()));
    let limited = export(Permission::ALL, &[here]).await;
    let text = limited.to_string();
    assert!(text.contains(&ordered) && !text.contains(&elsewhere), "{limited:#}");
    assert!(text.contains("H-1") && !text.contains("T-1"), "{limited:#}");
    assert_eq!(limited["stockMovements"].as_array().map(Vec::len), Some(1));
    assert!(!text.contains("Secret device") && !text.contains("203.0.113.99"), "{limited:#}");
    let own = admin.run("{ userExport }").await;
    assert!(own.at("userExport").to_string().contains("Secret device"));
    assert_eq!(own.at("userExport.orders").as_array().map(Vec::len), Some(2));
}

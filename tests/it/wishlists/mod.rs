//! Wishlists: their owner's lists, sharing by link, and moving items into the cart.

mod fixtures;
mod move_to_cart;
mod sharing;

pub use self::fixtures::FIXTURES;

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductId, RowId, WishlistId},
};

use crate::support::{Actor, ProductSpec, TestApp};

/// Creates a product for sale.
async fn product(app: &TestApp, sku: &str, stock: i32) -> ProductId {
    let website = match app.database.scalar("SELECT min(id) FROM websites").await.parse() {
        Ok(id) => souk::ids::WebsiteId(id),
        Err(_) => app.website("sailor").await.id,
    };
    app.product(website, ProductSpec { sku: Some(sku.into()), stock, ..ProductSpec::default() }).await.id
}

/// Creates a wishlist of this actor.
async fn wishlist(actor: &Actor<'_>, name: &str) -> String {
    actor
        .mutate("wishlistCreate", "wishlist { id }", json!({ "name": name }))
        .await
        .text_at("wishlistCreate.wishlist.id")
}

/// Adds a product to a wishlist; returns the item's id.
async fn add(actor: &Actor<'_>, wishlist: &str, product: ProductId, quantity: i32) -> String {
    let input = json!({ "wishlistId": wishlist, "productId": product.to_global_id(), "quantity": quantity });
    let response = actor.mutate("wishlistItemAdd", "wishlistItem { id }", input).await;
    assert_eq!(response.outcome("wishlistItemAdd"), "done", "{response:#?}");
    response.text_at("wishlistItemAdd.wishlistItem.id")
}

/// Returns the SKUs and quantities on a wishlist as this actor sees them, latest first; null if the wishlist is not
/// visible.
async fn items(actor: &Actor<'_>, wishlist: &str) -> Value {
    let document = "query ($id: ID!) { wishlist(id: $id) { items { nodes { quantity product { sku } } } } }";
    let response = actor.run_with(document, json!({ "id": wishlist })).await;
    match response.at("wishlist") {
        Value::Null => Value::Null,
        wishlist => {
            let items = wishlist["items"]["nodes"].as_array().expect("a list").iter();
            items.map(|item| json!([item["product"]["sku"], item["quantity"]])).collect()
        }
    }
}

#[tokio::test]
async fn wishlist_is_created_filled_renamed_and_deleted() {
    let app = TestApp::new().await;
    let (rope, sail) = (product(&app, "R", 10).await, product(&app, "S", 10).await);
    let ada = app.customer().await;
    let response = ada
        .mutate(
            "wishlistCreate",
            "wishlist { id name isShared sharedAt user { id } items { nodes { id } } }",
            json!({ "name": "Boat" }),
        )
        .await;
    let id = response.text_at("wishlistCreate.wishlist.id");
    let expected = json!({ "id": id, "name": "Boat", "isShared": false, "sharedAt": null,
        "user": { "id": ada.global_id() }, "items": { "nodes": [] } });
    assert_eq!(response.at("wishlistCreate.wishlist"), &expected);

    let item = add(&ada, &id, rope, 2).await;
    add(&ada, &id, sail, 1).await;
    assert_eq!(items(&ada, &id).await, json!([["S", 1], ["R", 2]]));
    // Adding a product again sets its quantity.
    assert_eq!(add(&ada, &id, rope, 5).await, item);
    assert_eq!(items(&ada, &id).await, json!([["S", 1], ["R", 5]]));

    let response = ada.mutate("wishlistItemRemove", "deletedId", json!({ "id": item })).await;
    assert_eq!(response.text_at("wishlistItemRemove.deletedId"), item);
    assert_eq!(ada.try_mutate("wishlistItemRemove", json!({ "id": item })).await, "NOT_FOUND id");
    assert_eq!(items(&ada, &id).await, json!([["S", 1]]));

    let response = ada.mutate("wishlistUpdate", "wishlist { name }", json!({ "id": id, "name": "Ship" })).await;
    assert_eq!(response.text_at("wishlistUpdate.wishlist.name"), "Ship");
    // An omitted name is kept.
    let response = ada.mutate("wishlistUpdate", "wishlist { name }", json!({ "id": id })).await;
    assert_eq!(response.text_at("wishlistUpdate.wishlist.name"), "Ship");

    assert_eq!(ada.try_mutate("wishlistDelete", json!({ "id": id })).await, "done");
    assert_eq!(ada.try_mutate("wishlistDelete", json!({ "id": id })).await, "NOT_FOUND id");
    assert_eq!(app.database.scalar("SELECT count(*) FROM wishlist_items").await, "0");
}

#[tokio::test]
async fn invalid_input_changes_nothing() {
    let app = TestApp::new().await;
    let (rope, removed) = (product(&app, "R", 10).await, product(&app, "gone", 10).await);
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", removed.0)).await;
    let ada = app.customer().await;
    let id = wishlist(&ada, "Boat").await;
    let add = |product: ProductId, quantity: i32| json!({ "wishlistId": id, "productId": product.to_global_id(), "quantity": quantity });
    let table = [
        ("wishlistCreate", json!({ "name": " " }), "REQUIRED name"),
        ("wishlistCreate", json!({ "name": "x".repeat(101) }), "TOO_LONG name"),
        ("wishlistCreate", json!({ "name": "a\nb" }), "INVALID name"),
        ("wishlistUpdate", json!({ "id": id, "name": "" }), "REQUIRED name"),
        ("wishlistUpdate", json!({ "id": WishlistId(999_999).to_global_id(), "name": "Ship" }), "NOT_FOUND id"),
        ("wishlistUpdate", json!({ "id": rope.to_global_id(), "name": "Ship" }), "INVALID id"),
        ("wishlistItemAdd", add(rope, 0), "OUT_OF_RANGE quantity"),
        ("wishlistItemAdd", add(rope, 1_000_001), "OUT_OF_RANGE quantity"),
        ("wishlistItemAdd", add(removed, 1), "NOT_FOUND productId"),
        ("wishlistItemAdd", add(ProductId(999_999), 1), "NOT_FOUND productId"),
        ("wishlistMoveToCart", json!({ "id": id }), "REQUIRED id"),
        ("wishlistMoveToCart", json!({ "id": id, "itemIds": [rope.to_global_id()] }), "INVALID itemIds.0"),
    ];
    let before = app.database.contents().await;
    for (mutation, input, expected) in table {
        assert_eq!(ada.try_mutate(mutation, input.clone()).await, expected, "{mutation} {input}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn only_the_owner_and_staff_see_a_wishlist_and_only_the_owner_changes_it() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let elsewhere = app.website("rise").await;
    let rope = product(&app, "R", 10).await;
    let (ada, other) = (app.customer().await, app.customer().await);
    let from = format!("UPDATE users SET source_website_id = {} WHERE id = {}", website.id.0, ada.id.0);
    app.database.sql(&from).await;
    let id = wishlist(&ada, "Boat").await;
    let item = add(&ada, &id, rope, 1).await;
    let people = [Permission::ManageUsers];
    let viewers = [
        (app.anonymous(), false),
        (other, false),
        (app.seller().await, false),
        (app.user_with(&people, &[elsewhere.id]).await, false),
        (app.user_with(&people, &[website.id]).await, true),
        (app.manager().await, true),
        (app.admin().await, true),
    ];
    let node = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    for (at, (viewer, sees)) in viewers.iter().enumerate() {
        let seen = !items(viewer, &id).await.is_null();
        let nodes = viewer.run_with(node, json!({ "ids": [id, item] })).await;
        let nodes = nodes.at("nodes").as_array().expect("a list").iter().all(|node| !node.is_null());
        assert_eq!((seen, nodes), (*sees, *sees), "viewer {at}");
        if at == 0 {
            continue;
        }
        let listed = viewer.run("{ wishlists { nodes { id } } }").await.at("wishlists.nodes").as_array().map(Vec::len);
        assert_eq!(listed, Some(usize::from(*sees)), "viewer {at}");
        for mutation in ["wishlistUpdate", "wishlistDelete", "wishlistShare", "wishlistUnshare", "wishlistMoveToCart"] {
            assert_eq!(
                viewer.try_mutate(mutation, json!({ "id": id })).await,
                "NOT_FOUND id",
                "viewer {at}: {mutation}"
            );
        }
        let input = json!({ "wishlistId": id, "productId": rope.to_global_id() });
        assert_eq!(viewer.try_mutate("wishlistItemAdd", input).await, "NOT_FOUND wishlistId", "viewer {at}");
        assert_eq!(viewer.try_mutate("wishlistItemRemove", json!({ "id": item })).await, "NOT_FOUND id", "viewer {at}");
    }
    assert_eq!(items(&ada, &id).await, json!([["R", 1]]));
}

#[tokio::test]
async fn wishlists_are_filtered_and_ordered() {
    let app = TestApp::new().await;
    let (ada, admin) = (app.customer().await, app.admin().await);
    let (boat, axe) = (wishlist(&ada, "Boat").await, wishlist(&ada, "Axe").await);
    wishlist(&admin, "Crew").await;
    ada.mutate("wishlistShare", "shareToken", json!({ "id": axe })).await;
    let names = async |arguments: &str| {
        let response =
            admin.run(&format!("{{ wishlists({arguments}) {{ nodes {{ name }} totalCount {{ value }} }} }}")).await;
        let nodes = response.at("wishlists.nodes").as_array().expect("a list");
        assert_eq!(response.at("wishlists.totalCount.value"), &json!(nodes.len()));
        nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let of_ada = format!("where: {{ user: {{ eq: {:?} }} }}", ada.global_id());
    assert_eq!(names("first: 10").await, ["Boat", "Axe", "Crew"]);
    assert_eq!(names("orderBy: { field: NAME }").await, ["Axe", "Boat", "Crew"]);
    assert_eq!(names("orderBy: { field: CREATED_AT, direction: DESC }").await, ["Crew", "Axe", "Boat"]);
    assert_eq!(names(&of_ada).await, ["Boat", "Axe"]);
    assert_eq!(names("where: { isShared: true }").await, ["Axe"]);
    assert_eq!(names("where: { isShared: false }").await, ["Boat", "Crew"]);
    assert_eq!(names(r#"where: { name: { contains: "bo" } }"#).await, ["Boat"]);
    let own = ada.run("{ wishlists { nodes { id } } }").await;
    assert_eq!(own.at("wishlists.nodes"), &json!([{ "id": boat }, { "id": axe }]));
}

#[tokio::test]
async fn user_has_at_most_50_wishlists_and_a_wishlist_at_most_500_items() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let ada = app.customer().await;
    let many = format!(
        "INSERT INTO wishlists (user_id, name) SELECT {}, 'List ' || i FROM generate_series(1, 49) i;
         INSERT INTO products (source_website_id, name, slug, sku, price)
             SELECT {}, 'Rope', 'rope-' || i, 'R-' || i, 10 FROM generate_series(1, 501) i",
        ada.id.0, website.id.0
    );
    app.database.sql(&many).await;
    // Of two concurrent requests, one exceeds the limit.
    let create = || ada.try_mutate("wishlistCreate", json!({ "name": "Boat" }));
    let mut outcomes = <[String; 2]>::from(tokio::join!(create(), create()));
    outcomes.sort();
    assert_eq!(outcomes, ["OUT_OF_RANGE", "done"]);

    let id = app.database.scalar("SELECT id FROM wishlists WHERE name = 'Boat'").await;
    let fill = format!(
        "INSERT INTO wishlist_items (wishlist_id, product_id, quantity)
             SELECT {id}, id, 1 FROM products WHERE sku <> 'R-501'"
    );
    app.database.sql(&fill).await;
    let id = WishlistId(id.parse().expect("a key")).to_global_id();
    let of = async |sku: &str| {
        ProductId(
            app.database.scalar(&format!("SELECT id FROM products WHERE sku = '{sku}'")).await.parse().expect("a key"),
        )
    };
    let put = |product: ProductId| json!({ "wishlistId": id, "productId": product.to_global_id(), "quantity": 3 });
    assert_eq!(ada.try_mutate("wishlistItemAdd", put(of("R-501").await)).await, "OUT_OF_RANGE productId");
    assert_eq!(
        ada.try_mutate("wishlistItemAdd", put(of("R-500").await)).await,
        "done",
        "the product is already on the wishlist"
    );
}

#[tokio::test]
async fn wishlist_and_item_lists_use_an_index() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let ada = app.customer().await;
    let many = format!(
        "INSERT INTO users (name, email, role_id)
             SELECT 'Buyer', 'buyer-' || i || '@souk.example', id FROM roles, generate_series(1, 2000) i WHERE code = 'customer';
         INSERT INTO products (source_website_id, name, slug, sku, price)
             SELECT {}, 'Rope', 'rope-' || i, 'R-' || i, 10 FROM generate_series(1, 20) i;
         INSERT INTO wishlists (user_id, name) SELECT id, 'Boat' FROM users, generate_series(1, 5);
         INSERT INTO wishlist_items (wishlist_id, product_id, quantity)
             SELECT w.id, p.id, 1 FROM wishlists w, products p;
         ANALYZE users, products, wishlists, wishlist_items",
        website.id.0
    );
    app.bulk_insert(&many).await;
    for document in [
        "{ wishlists { nodes { id items(first: 3) { nodes { id } } } } }",
        "{ wishlists(orderBy: {field: NAME}) { nodes { id } } }",
    ] {
        let response = ada.run(document).await;
        for plan in app.database.plans(&response).await {
            let lines = plan.lines.join("\n");
            let reads = ["Seq Scan on wishlists", "Seq Scan on wishlist_items", "Sort"];
            assert!(reads.iter().all(|slow| !lines.contains(slow)), "{}\n{lines}", plan.sql);
        }
    }
}

#[tokio::test]
async fn user_export_includes_wishlists_and_erasure_deletes_them() {
    let app = TestApp::new().await;
    let rope = product(&app, "R", 10).await;
    let (ada, other) = (app.customer().await, app.customer().await);
    let id = wishlist(&ada, "Boat").await;
    let item = add(&ada, &id, rope, 2).await;
    let kept = wishlist(&other, "Ship").await;
    let token =
        ada.mutate("wishlistShare", "shareToken", json!({ "id": id })).await.text_at("wishlistShare.shareToken");

    let response = ada.run("{ userExport }").await;
    let mut found = response.at("userExport.wishlists").clone();
    for time in ["createdAt", "updatedAt", "sharedAt"] {
        assert!(found[0][time].take().is_string(), "{time}");
    }
    assert!(found[0]["items"][0]["createdAt"].take().is_string());
    let items = json!([{ "id": item, "productId": rope.to_global_id(), "quantity": 2, "createdAt": null }]);
    let expected =
        json!([{ "id": id, "name": "Boat", "sharedAt": null, "createdAt": null, "updatedAt": null, "items": items }]);
    assert_eq!(found, expected);

    let erased = app.admin().await.try_mutate("userErase", json!({ "id": ada.global_id() })).await;
    assert_eq!(erased, "done");
    assert_eq!(app.database.scalar("SELECT string_agg(name, ',') FROM wishlists").await, "Ship");
    assert!(!self::items(&other, &kept).await.is_null());
    let shared = "query ($token: String!) { sharedWishlist(token: $token) { id } }";
    assert_eq!(app.anonymous().run_with(shared, json!({ "token": token })).await.at("sharedWishlist"), &Value::Null);
    // The name is in no audit log entry.
    assert_eq!(
        app.database.scalar("SELECT count(*) FROM audit_log WHERE (before, after)::text LIKE '%Boat%'").await,
        "0"
    );
}

#[tokio::test]
async fn wishlist_export_lists_items_of_the_websites_users() {
    let app = TestApp::new().await;
    let (rope, sail) = (product(&app, "R", 10).await, product(&app, "S", 10).await);
    let ada = app.customer().await;
    let id = wishlist(&ada, "=Boat").await;
    add(&ada, &id, rope, 2).await;
    add(&ada, &id, sail, 1).await;
    // A user of another website, whom staff of this one cannot see, with a product of this website.
    let other = app.customer().await;
    add(&other, &wishlist(&other, "Ship").await, rope, 1).await;
    let from = format!("UPDATE users SET source_website_id = (SELECT min(id) FROM websites) WHERE id = {}", ada.id.0);
    app.database.sql(&from).await;
    let email = app.database.scalar(&format!("SELECT email FROM users WHERE id = {}", ada.id.0)).await;
    let website = app.database.scalar("SELECT min(id) FROM websites").await;
    let options = souk::transfers::export::ExportOptions {
        resource: souk::transfers::model::Resource::Wishlists,
        format: souk::transfers::model::Format::SoukCsv,
        website: Some(souk::ids::WebsiteId(website.parse().expect("a key"))),
        media_url: None,
    };
    let mut file = Vec::new();
    let rows = souk::transfers::export::export(
        &app.database.db,
        &souk::auth::Viewer::system(),
        &options,
        &mut file,
        |_, _| (),
    )
    .await;
    assert_eq!(rows.expect("an export"), 2);
    let file = String::from_utf8(file).expect("UTF-8");
    let lines: Vec<_> = file.lines().map(|line| line.rsplit_once(',').expect("a cell").0).collect();
    let row = |sku: &str, quantity: i32| format!(",{email},'=Boat,{sku},{quantity}");
    assert_eq!(lines, ["customer_id,customer_email,wishlist,sku,quantity".to_owned(), row("R", 2), row("S", 1)]);
}

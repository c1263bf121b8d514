//! The id of a product that is not for sale, sent where a product is expected: the answer is that of a missing product,
//! without its name, and nothing leads to its images.

use serde_json::{Value, json};
use souk::ids::{ImageId, ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp};

/// Takes a product off sale.
async fn hide(app: &TestApp, product: ProductId) {
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", product.0)).await;
}

async fn secret_product(app: &TestApp) -> ProductId {
    let website = app.website("sailor").await.id;
    let spec = ProductSpec { name: Some("Secret sextant".to_owned()), stock: 10, ..ProductSpec::default() };
    app.product(website, spec).await.id
}

#[tokio::test]
async fn hidden_product_is_answered_like_a_missing_one() {
    let app = TestApp::new().await;
    let hidden = secret_product(&app).await;
    hide(&app, hidden).await;
    let website = app.database.scalar("SELECT id FROM websites").await.parse().expect("a key");
    let spec = ProductSpec { stock: 10, ..ProductSpec::default() };
    let public = app.product(souk::ids::WebsiteId(website), spec).await.id;
    let (customer, seller) = (app.customer().await, app.seller().await);
    let missing = ProductId(999_999);

    for stranger in [&customer, &seller] {
        let order = stranger.order(&[(public, 1)]).await;
        let cart = stranger.create_cart(&[(public, 1)]).await;
        let wishlist = stranger.create("wishlist", json!({ "name": "Boat" })).await;
        let sent = |product: ProductId| {
            let (id, line) = (product.to_global_id(), json!({ "productId": product.to_global_id(), "quantity": 1 }));
            let first = json!({ "productId": public.to_global_id(), "quantity": 1 });
            [
                ("orderCreate", json!({ "lines": [line], "idempotencyKey": "one" })),
                ("orderCreate", json!({ "lines": [first, line], "idempotencyKey": "two" })),
                ("orderCreate", json!({ "lines": [line, first], "idempotencyKey": "three" })),
                ("orderDetailAdd", json!({ "orderId": order, "productId": id, "quantity": 1 })),
                ("cartCreate", json!({ "lines": [line] })),
                ("cartLineAdd", json!({ "cartId": cart.id, "productId": id, "quantity": 1 })),
                ("wishlistItemAdd", json!({ "wishlistId": wishlist, "productId": id })),
                ("reviewCreate", json!({ "productId": id, "rating": 5 })),
            ]
        };
        for ((mutation, theirs), (_, none)) in sent(hidden).into_iter().zip(sent(missing)) {
            let mut name = mutation.to_owned();
            name[..1].make_ascii_uppercase();
            // `CartCreateInput` is optional, the others are not; both accept a variable that is not null.
            let document = format!(
                "mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code message field }} }} }}"
            );
            let found = stranger.run_with(&document, json!({ "input": theirs })).await;
            let not_found = stranger.run_with(&document, json!({ "input": none })).await;
            assert!(found.outcome(mutation).starts_with("NOT_FOUND "), "{mutation}: {}", found.text);
            assert_eq!(found.at(mutation), not_found.at(mutation), "{mutation}");
            assert!(!found.text.contains("Secret"), "{mutation}: {}", found.text);
        }
    }
}

#[tokio::test]
async fn who_knows_a_product_learns_that_it_is_no_longer_for_sale() {
    let app = TestApp::new().await;
    let product = secret_product(&app).await;
    let (buyer, shopper, manager) = (app.customer().await, app.customer().await, app.manager().await);
    let order = buyer.order(&[(product, 1)]).await;
    shopper.create_cart(&[(product, 1)]).await;
    let other = ProductSpec { stock: 10, ..ProductSpec::default() };
    let website = app.database.scalar("SELECT id FROM websites").await.parse().expect("a key");
    let other = app.product(souk::ids::WebsiteId(website), other).await.id;
    let open = shopper.order(&[(other, 1)]).await;
    hide(&app, product).await;
    for actor in [&buyer, &shopper, &manager] {
        let response = actor.try_order(&[(product, 1)], "again").await;
        assert_eq!(response.outcome("orderCreate"), "PRODUCT_INACTIVE lines.0.productId");
    }
    for (actor, order) in [(&buyer, order), (&shopper, open)] {
        let add = json!({ "orderId": order, "productId": product.to_global_id(), "quantity": 1 });
        assert_eq!(actor.try_mutate("orderDetailAdd", add).await, "PRODUCT_INACTIVE productId");
    }
}

#[tokio::test]
async fn nothing_leads_strangers_to_the_images_of_a_hidden_product() {
    let app = TestApp::new().await;
    let product = secret_product(&app).await;
    let hash = "ab".repeat(32);
    let insert = format!(
        "WITH made AS (INSERT INTO media (sha256, format, width, height, bytes, blurhash, widths)
            VALUES ('{hash}', 'jpeg', 640, 480, 1000, 'LEHV6nWB2yk8', ARRAY[160, 640]) RETURNING id)
         INSERT INTO images (product_id, media_id, position) SELECT {}, id, 1 FROM made RETURNING id",
        product.0
    );
    let image = ImageId(app.database.scalar(&insert).await.parse().expect("a key")).to_global_id();
    let (buyer, stranger, manager) = (app.customer().await, app.customer().await, app.manager().await);
    buyer.order(&[(product, 1)]).await;
    let review = json!({ "productId": product.to_global_id(), "rating": 5, "title": "Exact" });
    assert_eq!(buyer.try_mutate("reviewCreate", review).await, "done");
    let wishlist = buyer.create("wishlist", json!({ "name": "Boat" })).await;
    let item = json!({ "wishlistId": wishlist, "productId": product.to_global_id() });
    assert_eq!(buyer.try_mutate("wishlistItemAdd", item).await, "done");
    let shared = buyer.mutate("wishlistShare", "shareToken", json!({ "id": wishlist })).await;
    let variables = json!({ "image": image, "product": product.to_global_id(), "token": shared.text_at("wishlistShare.shareToken") });
    let everywhere = "query ($image: ID!, $product: ID!, $token: String!) {
        image: node(id: $image) { ... on Image { url } }
        nodes(ids: [$image, $product]) { ... on Image { url } ... on Product { images { url } } }
        node(id: $product) { ... on Product { image { url } } }
        product(id: $product) { images { url } }
        products(first: 2) { nodes { images { url } } }
        search(query: \"sextant\", first: 2) { nodes { ... on Product { images { url } } } }
        websites(first: 2) { nodes { products(first: 2) { nodes { images { url } } } } }
        sharedWishlist(token: $token) { items { nodes { product { images { url } } } } } }";
    let shown = async |actor: &Actor<'_>| {
        let response = actor.run_with(everywhere, variables.clone()).await;
        assert_eq!(response.json["errors"], Value::Null, "{response:#?}");
        response.text.matches(&hash).count()
    };
    assert!(shown(&stranger).await > 5);
    hide(&app, product).await;
    for actor in [&app.anonymous(), &stranger] {
        assert_eq!(shown(actor).await, 0);
    }
    assert!(shown(&manager).await > 5);
    // Who bought it still sees in the order what it was. `hidden_images` has the files.
    let bought = buyer.run("{ orders { nodes { details { product { image { url } } } } } }").await;
    assert!(bought.text_at("orders.nodes.0.details.0.product.image.url").contains(&hash));
}

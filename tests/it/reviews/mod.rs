//! Reviews: who writes, reads and moderates them, and the ratings that the database computes from them.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{
    auth::Permission,
    config::ReviewSettings,
    ids::{ProductId, ReviewId, RowId},
};

use crate::support::{
    Actor, ProductSpec, TestApp, TestResponse,
    psql::{Psql, violated_constraint},
};

/// Every field of a review.
const REVIEW: &str = "review { id rating title text status isVerifiedPurchase author product { id } }";

/// The public reviews and rating of a product.
const REVIEWS_QUERY: &str = "query ($id: ID!) { product(id: $id) { rating { average count stars { stars count } }
    reviews { totalCount { value } nodes { id rating status author user { id } } } } }";

fn review_input(product: ProductId, rating: i32) -> Value {
    json!({ "productId": product.to_global_id(), "rating": rating, "title": "Well made", "text": "Holds\nin any wind." })
}

async fn create_review(actor: &Actor<'_>, product: ProductId, rating: i32) -> String {
    let response = actor.mutate("reviewCreate", REVIEW, review_input(product, rating)).await;
    assert_eq!(response.outcome("reviewCreate"), "done", "{response:#?}");
    response.text_at("reviewCreate.review.id")
}

async fn moderate(actor: &Actor<'_>, mutation: &str, id: &str) -> String {
    actor.mutate(mutation, "", json!({ "id": id })).await.outcome(mutation)
}

async fn visible_reviews(actor: &Actor<'_>, product: ProductId) -> TestResponse {
    actor.run_with(REVIEWS_QUERY, json!({ "id": product.to_global_id() })).await
}

async fn create_product(app: &TestApp, sku: &str) -> ProductId {
    let website = app.database.scalar("SELECT id FROM websites WHERE code = 'sailor'").await;
    let website = match website.parse() {
        Ok(id) => souk::ids::WebsiteId(id),
        Err(_) => app.website("sailor").await.id,
    };
    app.product(website, ProductSpec { sku: Some(sku.into()), stock: 10, ..ProductSpec::default() }).await.id
}

/// Checks the stored ratings of all products against the reviews.
async fn assert_ratings(app: &TestApp) {
    let wrong = "SELECT id, rating_count, rating_average FROM products p WHERE (rating_count, rating_average) <>
        (SELECT count(*)::integer, coalesce(round(avg(rating), 2), 0) FROM reviews
         WHERE product_id = p.id AND status = 'approved')";
    assert_eq!(app.database.rows(wrong).await, Vec::<String>::new(), "(product, count, average)");
}

#[tokio::test]
async fn review_is_visible_and_counted_once_approved() {
    let app = TestApp::new().await;
    let rope = create_product(&app, "R").await;
    let (customer, other, manager) = (app.customer().await, app.customer().await, app.manager().await);
    let response = customer.mutate("reviewCreate", REVIEW, review_input(rope, 4)).await;
    let id = response.text_at("reviewCreate.review.id");
    let expected = json!({
        "id": id, "rating": 4, "title": "Well made", "text": "Holds\nin any wind.", "status": "PENDING", "isVerifiedPurchase": false,
        "author": "A C.", "product": { "id": rope.to_global_id() },
    });
    assert_eq!(response.at("reviewCreate.review"), &expected);

    let node = "query ($id: ID!) { node(id: $id) { id } }";
    let counts = async |who: &Actor<'_>| {
        let list = visible_reviews(who, rope).await.at("product.reviews.totalCount.value").as_i64();
        let is_there = !who.run_with(node, json!({ "id": id })).await.at("node").is_null();
        (list, is_there)
    };
    let (nothing, one) = ((Some(0), false), (Some(1), true));
    for (who, expected) in [(&app.anonymous(), nothing), (&other, nothing), (&customer, one), (&manager, one)] {
        assert_eq!(counts(who).await, expected);
    }
    assert_eq!(
        visible_reviews(&manager, rope).await.at("product.rating.average"),
        &Value::Null,
        "an unapproved review does not count"
    );
    let queue = "{ reviews(where: {status: {eq: PENDING}}) { nodes { id } } }";
    assert_eq!(manager.run(queue).await.text_at("reviews.nodes.0.id"), id);

    assert_eq!(moderate(&manager, "reviewApprove", &id).await, "done");
    for who in [&app.anonymous(), &other, &customer, &manager] {
        assert_eq!(counts(who).await, one);
    }
    let response = visible_reviews(&app.anonymous(), rope).await;
    let stars: Vec<_> = (1..=5).rev().map(|stars| json!({ "stars": stars, "count": i32::from(stars == 4) })).collect();
    assert_eq!(response.at("product.rating"), &json!({ "average": "4.00", "count": 1, "stars": stars }));
    assert_eq!(response.at("product.reviews.nodes.0.user"), &Value::Null, "the author's account is not public");
    assert_eq!(response.text_at("product.reviews.nodes.0.author"), "A C.");
    assert_eq!(manager.run(queue).await.at("reviews.nodes"), &json!([]));

    assert_eq!(moderate(&manager, "reviewReject", &id).await, "done");
    assert_eq!(counts(&other).await, nothing);
    assert_eq!(counts(&customer).await, one);
    assert_ratings(&app).await;
}

#[tokio::test]
async fn rejected_review_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let (rope, removed) = (create_product(&app, "R").await, create_product(&app, "gone").await);
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", removed.0)).await;
    let (customer, seller, manager) = (app.customer().await, app.seller().await, app.manager().await);
    app.database.sql(&format!("UPDATE products SET seller_id = {} WHERE id = {}", seller.id.0, rope.0)).await;
    let table = [
        (&customer, json!({ "productId": rope.to_global_id(), "rating": 0 }), "OUT_OF_RANGE rating"),
        (&customer, json!({ "productId": rope.to_global_id(), "rating": 6 }), "OUT_OF_RANGE rating"),
        (&customer, json!({ "productId": rope.to_global_id(), "rating": 5, "title": "a\nb" }), "INVALID title"),
        (
            &customer,
            json!({ "productId": rope.to_global_id(), "rating": 5, "title": "x".repeat(151) }),
            "TOO_LONG title",
        ),
        (
            &customer,
            json!({ "productId": rope.to_global_id(), "rating": 5, "text": "x".repeat(5001) }),
            "TOO_LONG text",
        ),
        (&customer, json!({ "productId": ProductId(999_999).to_global_id(), "rating": 5 }), "NOT_FOUND productId"),
        (&customer, json!({ "productId": removed.to_global_id(), "rating": 5 }), "NOT_FOUND productId"),
        (&manager, json!({ "productId": removed.to_global_id(), "rating": 5 }), "PRODUCT_INACTIVE productId"),
        (&seller, json!({ "productId": rope.to_global_id(), "rating": 5 }), "INVALID productId"),
        (&customer, json!({ "productId": customer.global_id(), "rating": 5 }), "INVALID productId"),
    ];
    for (who, input, expected) in table {
        let response = who.mutate("reviewCreate", "", input.clone()).await;
        assert_eq!(response.outcome("reviewCreate"), expected, "{input}");
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM reviews").await, "0");
    create_review(&customer, rope, 5).await;
    let again = customer.mutate("reviewCreate", "", review_input(rope, 1)).await;
    assert_eq!(again.outcome("reviewCreate"), "TAKEN productId");
    let anonymous = app.anonymous().mutate("reviewCreate", "", review_input(rope, 1)).await;
    assert_eq!(anonymous.outcome("reviewCreate"), "!UNAUTHENTICATED");
}

#[tokio::test]
async fn buyers_only_setting_rejects_other_authors() {
    let rules = ReviewSettings { reviews_buyers_only: true, ..ReviewSettings::default() };
    let app = TestApp::builder().reviews(rules).build().await;
    let (rope, nail) = (create_product(&app, "R").await, create_product(&app, "N").await);
    let (customer, other, manager) = (app.customer().await, app.customer().await, app.manager().await);
    let order = customer.order(&[(rope, 1)]).await;
    let outcome = async |who: &Actor<'_>, product: ProductId| {
        who.mutate("reviewCreate", "review { isVerifiedPurchase }", review_input(product, 5)).await
    };
    let refused = "PURCHASE_REQUIRED productId";
    assert_eq!(outcome(&customer, rope).await.outcome("reviewCreate"), refused, "the order is not confirmed");
    let confirm = json!({ "id": order, "status": "CONFIRMED" });
    assert_eq!(manager.mutate("orderStatusUpdate", "", confirm).await.outcome("orderStatusUpdate"), "done");
    assert_eq!(outcome(&other, rope).await.outcome("reviewCreate"), refused, "another user's order");
    assert_eq!(outcome(&customer, nail).await.outcome("reviewCreate"), refused, "another product");
    assert_eq!(outcome(&customer, rope).await.at("reviewCreate.review.isVerifiedPurchase"), true);
}

#[tokio::test]
async fn moderation_setting_decides_the_status_after_an_update() {
    for is_moderated in [true, false] {
        let rules = ReviewSettings { reviews_moderated: is_moderated, ..ReviewSettings::default() };
        let app = TestApp::builder().reviews(rules).build().await;
        let rope = create_product(&app, "R").await;
        let (customer, manager) = (app.customer().await, app.manager().await);
        let id = create_review(&customer, rope, 5).await;
        let status = async || app.database.scalar("SELECT status FROM reviews").await;
        let change = async |patch: Value| {
            let mut input = patch;
            input["id"] = json!(id);
            let response = customer.mutate("reviewUpdate", REVIEW, input).await;
            assert_eq!(response.outcome("reviewUpdate"), "done");
            response.at("reviewUpdate.review").clone()
        };
        assert_eq!(status().await, if is_moderated { "pending" } else { "approved" });
        moderate(&manager, "reviewApprove", &id).await;
        assert_eq!(change(json!({ "rating": 5 })).await["status"], "APPROVED", "unchanged reviews stay approved");
        let changed = change(json!({ "rating": 2, "title": null })).await;
        assert_eq!((&changed["rating"], &changed["title"]), (&json!(2), &Value::Null));
        assert_eq!(changed["text"], "Holds\nin any wind.", "omitted fields are kept");
        assert_eq!(changed["status"], if is_moderated { "PENDING" } else { "APPROVED" });
        moderate(&manager, "reviewReject", &id).await;
        change(json!({ "text": "Splendid." })).await;
        assert_eq!(status().await, "pending", "updating a rejected review does not approve it");
        let wrong = customer.mutate("reviewUpdate", "", json!({ "id": id, "rating": null, "text": "x" })).await;
        assert_eq!(wrong.outcome("reviewUpdate"), "REQUIRED rating");
        assert_ratings(&app).await;
    }
}

#[tokio::test]
async fn authors_write_their_own_reviews_and_staff_moderate_those_of_their_websites() {
    let app = TestApp::new().await;
    let rope = create_product(&app, "R").await;
    let elsewhere = app.website("rise").await.id;
    let here = souk::ids::WebsiteId(
        app.database.scalar("SELECT id FROM websites WHERE code = 'sailor'").await.parse().unwrap(),
    );
    let (author, other, seller) = (app.customer().await, app.customer().await, app.seller().await);
    let of_here = app.user_with(&[Permission::ManageReviews], &[here]).await;
    let of_elsewhere = app.user_with(&[Permission::ManageReviews], &[elsewhere]).await;
    let sells = app.user_with(&[Permission::ManageProducts], &[]).await;
    let update = "mutation ($id: ID!) { reviewUpdate(input: {id: $id, rating: 1}) { userErrors { code field } } }";
    // The actor, and the outcome of updating, approving and deleting.
    let table = [
        (&app.anonymous(), "!UNAUTHENTICATED", "!UNAUTHENTICATED", "!UNAUTHENTICATED"),
        (&other, "NOT_FOUND id", "!FORBIDDEN", "NOT_FOUND id"),
        (&seller, "NOT_FOUND id", "!FORBIDDEN", "NOT_FOUND id"),
        (&sells, "NOT_FOUND id", "!FORBIDDEN", "NOT_FOUND id"),
        (&of_elsewhere, "NOT_FOUND id", "NOT_FOUND id", "NOT_FOUND id"),
        (&of_here, "NOT_FOUND id", "done", "done"),
        (&author, "done", "!FORBIDDEN", "done"),
    ];
    for (who, changes, approves, deletes) in table {
        let id = match app.database.scalar("SELECT id FROM reviews").await.parse() {
            Ok(key) => ReviewId(key).to_global_id(),
            Err(_) => create_review(&author, rope, 5).await,
        };
        let changed = who.run_with(update, json!({ "id": id })).await;
        assert_eq!(changed.outcome("reviewUpdate"), changes);
        assert_eq!(moderate(who, "reviewApprove", &id).await, approves);
        assert_eq!(moderate(who, "reviewDelete", &id).await, deletes);
    }
    // Each actor sees the reviews that they may moderate.
    create_review(&author, rope, 5).await;
    for (who, count) in [(&of_here, 1), (&of_elsewhere, 0), (&app.manager().await, 1)] {
        let queue = who.run("{ reviews(where: {status: {in: [PENDING]}}) { totalCount { value } } }").await;
        assert_eq!(queue.at("reviews.totalCount.value"), count);
    }
    assert_eq!(author.run("{ reviews { nodes { id } } }").await.code(), "FORBIDDEN");
    assert_eq!(
        author.run("{ me { reviews { nodes { status } } } }").await.text_at("me.reviews.nodes.0.status"),
        "PENDING"
    );
}

#[tokio::test]
async fn lists_are_filtered_and_ordered_by_rating() {
    let app = TestApp::builder()
        .reviews(ReviewSettings { reviews_moderated: false, ..ReviewSettings::default() })
        .build()
        .await;
    let products =
        [create_product(&app, "none").await, create_product(&app, "good").await, create_product(&app, "mixed").await];
    let customers = join_all((0..4).map(|_| app.customer())).await;
    for (customer, rating) in customers.iter().zip([5, 4, 1, 2]) {
        create_review(customer, products[2], rating).await;
    }
    create_review(&customers[0], products[1], 5).await;
    let page = "query ($after: String) { products(first: 1, after: $after, orderBy: {field: RATING, direction: DESC}) {
        nodes { id rating { average } } pageInfo { endCursor hasNextPage } } }";
    let (mut after, mut found) = (Value::Null, Vec::new());
    loop {
        let response = app.anonymous().run_with(page, json!({ "after": after })).await;
        found.push((response.text_at("products.nodes.0.id"), response.at("products.nodes.0.rating.average").clone()));
        after = response.at("products.pageInfo.endCursor").clone();
        if response.at("products.pageInfo.hasNextPage") == false {
            break;
        }
    }
    let of = |index: usize, average: Value| (products[index].to_global_id(), average);
    assert_eq!(found, [of(1, json!("5.00")), of(2, json!("3.00")), of(0, Value::Null)]);
    let list = async |arguments: &str| {
        let document =
            format!("query ($id: ID!) {{ product(id: $id) {{ reviews({arguments}) {{ nodes {{ rating }} }} }} }}");
        let response = app.anonymous().run_with(&document, json!({ "id": products[2].to_global_id() })).await;
        let nodes = response.at("product.reviews.nodes").as_array().cloned().unwrap_or_default();
        nodes.iter().filter_map(|node| node["rating"].as_i64()).collect::<Vec<_>>()
    };
    let website =
        app.database.scalar("SELECT id FROM websites").await.parse().map(souk::ids::WebsiteId).unwrap().to_global_id();
    let product = products[1].to_global_id();
    let table: [(String, &[i64]); 8] = [
        ("first: 20".into(), &[2, 1, 4, 5]),
        ("orderBy: {field: RATING}".into(), &[1, 2, 4, 5]),
        ("first: 2, orderBy: {field: RATING, direction: DESC}".into(), &[5, 4]),
        ("where: {rating: {gte: 4}}".into(), &[4, 5]),
        ("where: {or: [{rating: {eq: 1}}, {rating: {eq: 5}}]}".into(), &[1, 5]),
        ("where: {isVerifiedPurchase: true}".into(), &[]),
        (format!("where: {{sourceWebsite: {{eq: {website:?}}}}}"), &[2, 1, 4, 5]),
        (format!("where: {{product: {{eq: {product:?}}}}}"), &[]),
    ];
    for (arguments, expected) in table {
        assert_eq!(list(&arguments).await, expected, "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_reviews_and_moderation_keep_ratings_correct() {
    let app = TestApp::new().await;
    let (rope, nail) = (create_product(&app, "R").await, create_product(&app, "N").await);
    let customers = join_all((0..12).map(|_| app.customer())).await;
    let manager = app.manager().await;
    join_all(customers.iter().enumerate().map(async |(index, customer)| {
        let (first, second) = if index % 2 == 0 { (rope, nail) } else { (nail, rope) };
        let ids =
            [create_review(customer, first, 1 + index as i32 % 5).await, create_review(customer, second, 5).await];
        for id in &ids {
            assert_eq!(moderate(&manager, "reviewApprove", id).await, "done");
        }
        match index % 3 {
            0 => assert_eq!(moderate(customer, "reviewDelete", &ids[0]).await, "done"),
            1 => assert_eq!(moderate(&manager, "reviewReject", &ids[1]).await, "done"),
            _ => {}
        }
    }))
    .await;
    assert_eq!(app.database.scalar("SELECT sum(rating_count) FROM products").await, "16");
    assert_ratings(&app).await;
    assert_eq!(app.database.deadlock_count().await, "0");
}

#[tokio::test]
async fn rating_is_maintained_by_the_database() {
    let app = TestApp::new().await;
    let (rope, nail) = (create_product(&app, "R").await, create_product(&app, "N").await);
    let (author, other) = (app.customer().await, app.customer().await);
    let (rope, nail, author, other) = (rope.0, nail.0, author.id.0, other.id.0);
    let psql = Psql::connect(&app.database.url).await;
    let refused = [
        ("UPDATE products SET rating_count = 5".to_owned(), "products_rating_from_reviews"),
        ("UPDATE products SET rating_average = 5".into(), "products_rating_from_reviews"),
        (
            "INSERT INTO products (source_website_id, name, slug, sku, price, rating_average)
                SELECT source_website_id, name, 'x', 'x', 1, 5 FROM products LIMIT 1"
                .into(),
            "products_rating_from_reviews",
        ),
        (format!("UPDATE reviews SET product_id = {nail}"), "reviews_stay"),
        (format!("UPDATE reviews SET user_id = {other}"), "reviews_stay"),
        ("TRUNCATE reviews".into(), "reviews_stay"),
        ("UPDATE reviews SET rating = 6".into(), "reviews_rating_range"),
        ("UPDATE reviews SET status = 'shown'".into(), "reviews_status_known"),
        (
            format!("INSERT INTO reviews (product_id, user_id, rating) VALUES ({rope}, {author}, 1)"),
            "reviews_product_id_user_id_key",
        ),
    ];
    let rows = format!(
        "INSERT INTO reviews (product_id, user_id, rating, status)
            VALUES ({rope}, {author}, 5, 'approved'), ({rope}, {other}, 2, 'approved'), ({nail}, {other}, 1, 'pending')"
    );
    psql.try_run(&rows).await.expect("reviews");
    assert_ratings(&app).await;
    for (sql, constraint) in refused {
        let error = psql.try_run(&sql).await.expect_err(&sql);
        assert_eq!(violated_constraint(&error), constraint, "{sql}");
    }
    for change in [
        "UPDATE reviews SET rating = 1 WHERE status = 'approved'",
        "UPDATE reviews SET status = 'approved'",
        "UPDATE reviews SET title = 'The same stars'",
        &format!("DELETE FROM reviews WHERE user_id = {other}"),
        "DELETE FROM reviews",
    ] {
        psql.try_run(change).await.unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_ratings(&app).await;
    }
    assert_eq!(
        psql.scalar("SELECT count(*) FROM audit_log WHERE resource_type = 'Product' AND change = 'updated'").await,
        "0"
    );
}

#[tokio::test]
async fn erasing_a_user_deletes_their_reviews() {
    let app = TestApp::builder()
        .reviews(ReviewSettings { reviews_moderated: false, ..ReviewSettings::default() })
        .build()
        .await;
    let rope = create_product(&app, "R").await;
    let (customer, other, admin) = (app.customer().await, app.customer().await, app.admin().await);
    create_review(&customer, rope, 1).await;
    create_review(&other, rope, 5).await;
    let export = customer.run("{ userExport }").await;
    assert_eq!(export.at("userExport.reviews.0.text"), "Holds\nin any wind.");
    assert_eq!(export.at("userExport.reviews.0.status"), "APPROVED");
    let erased = admin.mutate("userErase", "", json!({ "id": customer.global_id() })).await;
    assert_eq!(erased.outcome("userErase"), "done");
    let rating = visible_reviews(&app.anonymous(), rope).await.at("product.rating").clone();
    assert_eq!((&rating["average"], &rating["count"]), (&json!("5.00"), &json!(1)));
    let select =
        "SELECT count(*) FROM audit_log WHERE resource_type = 'Review' AND (before::text || after::text) ~ 'wind|made'";
    assert_eq!(app.database.scalar(select).await, "0");
    assert_ratings(&app).await;
}

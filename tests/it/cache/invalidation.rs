//! Each response that is cached is dropped when what it shows changes, whoever changes it, and kept otherwise.

use serde_json::json;
use souk::{
    db::{Db, DbSettings},
    ids::RowId,
};

use super::{is_hit, run, warm};
use crate::support::{ProductSpec, Proxy, TestApp, TestDb};

/// Queries of the shop below, each with SQL after which its response must be loaded again, and SQL after which it must not.
const CASES: &[(&str, &[&str], &[&str])] = &[
    (
        "{ product(id: \"MUG\") { name availability remainingQuantity rating { average } } }",
        &[
            "UPDATE products SET name = name || '!' WHERE sku = 'MUG'",
            "UPDATE products SET is_active = NOT is_active WHERE sku = 'MUG'",
            "UPDATE products SET is_active = NOT is_active WHERE sku = 'MUG'",
            // The stock falls below the threshold, and then by one more.
            "INSERT INTO stock_movements (product_id, delta, reason) SELECT id, -6, 'adjustment' FROM products WHERE sku = 'MUG'",
            "INSERT INTO stock_movements (product_id, delta, reason) SELECT id, -1, 'adjustment' FROM products WHERE sku = 'MUG'",
            "TRUNCATE search_popular",
        ],
        &[
            "UPDATE products SET name = name || '!' WHERE sku = 'CUP'",
            "UPDATE products SET cost_price = 1 WHERE sku = 'MUG'",
            // It is sold, but there are enough.
            "INSERT INTO stock_movements (product_id, delta, reason) SELECT id, -1, 'adjustment' FROM products WHERE sku = 'MUG'",
            "INSERT INTO brands (name, slug) VALUES ('Another', 'another')",
        ],
    ),
    (
        "{ product(slug: \"new-one\") { name } }",
        &["UPDATE products SET slug = 'new-one' WHERE sku = 'CUP'"],
        &["UPDATE brands SET name = name || '!' WHERE slug = 'nadel'"],
    ),
    (
        "{ product(id: \"MUG\") { category { name } brand { name } group { name } } }",
        &[
            "UPDATE categories SET name = name || '!' WHERE slug = 'drinking'",
            "UPDATE brands SET name = name || '!' WHERE slug = 'nadel'",
        ],
        &["UPDATE categories SET name = name || '!' WHERE slug = 'other'"],
    ),
    (
        "{ product(id: \"MUG\") { reviews { nodes { text author } } rating { stars { count } } } }",
        &[
            "UPDATE reviews SET text = 'Changed' WHERE text = 'Fine'",
            "UPDATE reviews SET status = 'approved' WHERE status = 'pending'",
            "UPDATE users SET name = 'Zoe Zorn' WHERE id IN (SELECT user_id FROM reviews)",
            "DELETE FROM reviews WHERE text = 'Changed'",
        ],
        &["UPDATE reviews SET text = text || '!' WHERE status = 'pending'", "UPDATE users SET email = 'user-' || id || '@souk.example'"],
    ),
    (
        "{ product(id: \"MUG\") { images { alt } lowestPrice30Days { amount } } }",
        &[
            "INSERT INTO images (product_id, source_url, position) SELECT id, 'https://x.example/1.png', 1 FROM products WHERE sku = 'MUG'",
            "UPDATE products SET price = price - 1 WHERE sku = 'MUG'",
        ],
        &["INSERT INTO images (product_id, source_url, position) SELECT id, 'https://x.example/1.png', 1 FROM products WHERE sku = 'CUP'"],
    ),
    (
        "{ products(where: {category: {eq: \"drinking\"}}, orderBy: {field: PRICE}) { totalCount { value } nodes { name } } }",
        &[
            "UPDATE products SET price = price + 1 WHERE sku = 'MUG'",
            "UPDATE products SET category_id = (SELECT id FROM categories WHERE slug = 'other') WHERE sku = 'CUP'",
            "UPDATE products SET category_id = (SELECT id FROM categories WHERE slug = 'drinking') WHERE sku = 'CUP'",
            "INSERT INTO categories (name, slug) VALUES ('Late', 'late')",
            "UPDATE websites SET name = name || '!'",
        ],
        &["UPDATE products SET price = price + 1 WHERE sku = 'OIL'"],
    ),
    (
        "{ category(slug: \"kitchen\") { name productCount { value } products(includeDescendants: true) { nodes { name } }
           children { nodes { name } } image { alt } } }",
        &[
            "UPDATE products SET price = price + 1 WHERE sku = 'MUG'",
            "INSERT INTO categories (name, slug, parent_id) SELECT 'New', 'new', id FROM categories WHERE slug = 'kitchen'",
            "UPDATE categories SET parent_id = NULL, position = 99 WHERE slug = 'drinking'",
            "DELETE FROM categories WHERE slug = 'new'",
        ],
        &["UPDATE products SET price = price + 1 WHERE sku = 'OIL'", "UPDATE brands SET name = name || '!'"],
    ),
    (
        "{ brand(slug: \"nadel\") { name logo { alt } products { nodes { name } } } }",
        &["UPDATE products SET name = name || '!' WHERE sku = 'MUG'", "UPDATE brands SET description = 'New' WHERE slug = 'nadel'"],
        &["UPDATE products SET name = name || '!' WHERE sku = 'OIL'", "UPDATE categories SET description = 'New' WHERE slug = 'other'"],
    ),
    (
        "{ websites { nodes { name products { nodes { name } } } } website(code: \"sailor\") { name } }",
        &["UPDATE websites SET name = name || '!'", "UPDATE products SET name = name || '!' WHERE sku = 'OIL'"],
        &["UPDATE categories SET description = 'New' WHERE slug = 'other'"],
    ),
    (
        "{ search(query: \"mug\", where: {category: {eq: \"drinking\"}}) { totalCount { value } nodes { ... on Product { name } }
           facets { brands { count } prices { min { amount } } } } }",
        &[
            "UPDATE products SET price = price + 1 WHERE sku = 'MUG'",
            "UPDATE search_documents SET popularity = popularity + 1 WHERE sku = 'MUG'",
            "INSERT INTO search_words (word) VALUES ('muggy')",
            "INSERT INTO search_rules (website_id, words) SELECT id, '{mug,becher}' FROM websites",
        ],
        &["UPDATE products SET price = price + 1 WHERE sku = 'OIL'"],
    ),
    (
        "{ search(query: \"nothing has this\", where: {category: {eq: \"drinking\"}}) { didYouMean totalCount { value } } }",
        &["UPDATE products SET name = 'Nothing has this' WHERE sku = 'OIL'"],
        &["UPDATE images SET attempts = attempts + 1"],
    ),
    (
        "{ search(where: {category: {eq: \"drinking\"}}) { facets { categories { count } } } }",
        &["UPDATE products SET is_active = NOT is_active WHERE sku = 'OIL'"],
        &["UPDATE images SET attempts = attempts + 1"],
    ),
    (
        "{ search(where: {brand: {eq: \"nadel\"}}) { facets { brands { count } websites { count } } } }",
        &["UPDATE products SET is_active = NOT is_active WHERE sku = 'OIL'"],
        &["UPDATE images SET attempts = attempts + 1"],
    ),
    (
        "{ search(query: \"mug OR cupp\", where: {category: {eq: \"drinking\"}}) { totalCount { value } } }",
        &["UPDATE products SET name = name || ' cupp' WHERE sku = 'OIL'", "UPDATE search_websites SET language = language"],
        &["UPDATE images SET attempts = attempts + 1"],
    ),
    (
        "{ searchSuggestions(prefix: \"mu\") { kind text } }",
        &["UPDATE products SET name = name || ' mural' WHERE sku = 'OIL'", "DELETE FROM search_popular WHERE false"],
        &["UPDATE images SET attempts = attempts + 1"],
    ),
];

/// Creates a shop with a few products, categories and reviews.
async fn create_shop(app: &TestApp) -> String {
    let website = app.website("sailor").await;
    let kitchen = app.category("kitchen", None).await;
    let drinking = app.category("drinking", Some(kitchen.id)).await;
    let other = app.category("other", None).await;
    let brand = app.brand("nadel").await;
    let new = async |sku: &str, name: &str, category| {
        let (sku, name) = (Some(sku.to_owned()), Some(name.to_owned()));
        let spec = ProductSpec { sku, name, stock: 10, category: Some(category), ..ProductSpec::default() };
        app.product(website.id, ProductSpec { brand: (category == drinking.id).then_some(brand.id), ..spec }).await
    };
    let mug = new("MUG", "Blue mug", drinking.id).await;
    new("CUP", "Cup", drinking.id).await;
    new("OIL", "Oil", other.id).await;
    let (one, two) = (app.customer().await, app.customer().await);
    let reviews = format!(
        "INSERT INTO reviews (product_id, user_id, rating, text, status)
         VALUES ({0}, {1}, 5, 'Fine', 'approved'), ({0}, {2}, 3, 'Waiting', 'pending')",
        mug.id.0, one.id.0, two.id.0
    );
    app.database.sql(&reviews).await;
    mug.id.to_global_id()
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_are_dropped_when_what_they_show_changes_and_kept_otherwise() {
    let app = TestApp::builder().cached().build().await;
    let mug = create_shop(&app).await;
    // Without a cache, on the same database.
    let uncached = app.second_server().await;
    for (document, relevant, irrelevant) in CASES {
        let document = document.replace("MUG\")", &format!("{mug}\")"));
        for change in *irrelevant {
            warm(&app, &document).await;
            app.database.sql(change).await;
            assert!(is_hit(&app, &document).await, "{change}\ndropped {document}");
        }
        for change in *relevant {
            warm(&app, &document).await;
            app.database.sql(change).await;
            assert!(!is_hit(&app, &document).await, "{change}\nkept {document}");
        }
        let (cached, loaded) = (run(&app.anonymous(), &document).await, uncached.anonymous().run(&document).await);
        assert_eq!(cached.data(), loaded.data(), "{document}");
    }
}

#[tokio::test]
async fn writer_reads_its_own_writes() {
    let app = TestApp::builder().cached().build().await;
    let mug = create_shop(&app).await;
    let admin = app.admin().await;
    let read = format!("{{ product(id: \"{mug}\") {{ name }} }}");
    warm(&app, &read).await;
    for n in 0..20 {
        let update = format!(
            "mutation {{ productUpdate(input: {{id: \"{mug}\", name: \"Mug {n}\"}}) {{ userErrors {{ code }} }} }}"
        );
        assert_eq!(admin.run(&update).await.user_errors("productUpdate"), []);
        assert_eq!(app.anonymous().run(&read).await.at("product.name"), &json!(format!("Mug {n}")));
    }
}

#[tokio::test]
async fn sale_that_changes_nothing_public_writes_no_change() {
    let app = TestApp::builder().cached().build().await;
    let mug = create_shop(&app).await;
    let key = souk::ids::ProductId::parse("id", &mug).expect("an ID");
    let changes = async || app.database.scalar("SELECT count(*) FROM changes").await;
    let before = changes().await;
    app.customer().await.order(&[(key, 1)]).await;
    assert_eq!(changes().await, before);
    // Five are left: few enough to be shown.
    app.customer().await.order(&[(key, 4)]).await;
    assert_ne!(changes().await, before);
}

#[tokio::test]
async fn change_that_commits_late_is_seen() {
    let app = TestApp::builder().cached().build().await;
    let mug = create_shop(&app).await;
    let read = format!("{{ product(id: \"{mug}\") {{ name }} }}");
    let late = crate::support::psql::Psql::connect(&app.database.url).await;
    late.rows("BEGIN").await;
    late.rows("UPDATE products SET name = 'Late' WHERE sku = 'MUG'").await;
    // Later transactions commit and are seen before.
    for n in 0..3 {
        app.database.sql(&format!("UPDATE products SET name = 'Cup {n}' WHERE sku = 'CUP'")).await;
        warm(&app, &read).await;
    }
    late.rows("COMMIT").await;
    assert_eq!(run(&app.anonymous(), &read).await.at("product.name"), "Late");
    // A transaction that was rolled back changes nothing.
    warm(&app, &read).await;
    app.database.sql("BEGIN; UPDATE products SET name = 'Never' WHERE sku = 'MUG'; ROLLBACK").await;
    assert!(is_hit(&app, &read).await);
}

#[tokio::test]
async fn nothing_comes_from_the_cache_while_the_database_is_down_or_after_it() {
    let mut database = TestDb::new().await;
    let proxy = Proxy::start(&database.url).await;
    let settings = DbSettings { read_connections: 2, pool_size: 4, ..DbSettings::default() };
    database.db = Db::connect(&proxy.url, &settings).await.expect("a connection");
    let app = TestApp::builder().database(database).cached().build().await;
    let mug = create_shop(&app).await;
    let read = format!("{{ product(id: \"{mug}\") {{ name }} }}");
    warm(&app, &read).await;
    proxy.close();
    assert_eq!(run(&app.anonymous(), &read).await.code(), "UNAVAILABLE");
    proxy.open();
    // The cache may not be in use at once, but what it returns is loaded anew.
    app.database.sql("UPDATE products SET name = 'Meanwhile' WHERE sku = 'MUG'").await;
    assert_eq!(run(&app.anonymous(), &read).await.at("product.name"), "Meanwhile");
    while !is_hit(&app, &read).await {
        tokio::task::yield_now().await;
    }
}

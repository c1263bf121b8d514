//! The category tree: moving and ordering, and deleting categories that are not empty.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souk::ids::{CategoryId, RowId};

use crate::support::{
    Actor, ProductSpec, TestApp,
    psql::{Psql, violated_constraint},
};

/// Returns the slugs of a category's children in order; of the roots if there is no parent.
async fn child_slugs(app: &TestApp, parent: Option<&str>) -> String {
    let which = parent.map_or("{ isNull: true }".to_owned(), |id| format!("{{ eq: {id:?} }}"));
    let list =
        app.anonymous().run(&format!("{{ categories(where: {{ parent: {which} }}) {{ nodes {{ slug }} }} }}")).await;
    let nodes = list.at("categories.nodes").as_array().expect("nodes").iter();
    nodes.map(|node| node["slug"].as_str().expect("a slug")).collect::<Vec<_>>().join(" ")
}

async fn create(manager: &Actor<'_>, name: &str, parent: Option<&str>) -> String {
    let input = json!({ "name": name, "parentId": parent });
    manager.mutate("categoryCreate", "category { id }", input).await.text_at("categoryCreate.category.id")
}

async fn try_move(manager: &Actor<'_>, input: Value) -> String {
    manager.mutate("categoryMove", "", input).await.outcome("categoryMove")
}

#[tokio::test]
async fn category_moves_to_the_given_position_and_others_keep_theirs() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let root = create(&manager, "Root", None).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(create(&manager, name, Some(&root)).await);
    }
    let [a, b, c, d] = [&ids[0], &ids[1], &ids[2], &ids[3]];
    assert_eq!(child_slugs(&app, Some(&root)).await, "a b c d", "a new category is the last");
    let positions = "SELECT string_agg(slug || position, ' ' ORDER BY slug) FROM categories WHERE slug <> '?'";
    let others = async |moved: &str| app.database.scalar(&positions.replace('?', moved)).await;
    for (slug, input, expected) in [
        ("d", json!({ "id": d, "before": a }), "d a b c"),
        ("d", json!({ "id": d, "after": a }), "a d b c"),
        ("a", json!({ "id": a, "after": c }), "d b c a"),
        ("b", json!({ "id": b, "before": d }), "b d c a"),
        ("b", json!({ "id": b, "parentId": root }), "d c a b"),
        ("c", json!({ "id": c, "before": a }), "d c a b"),
    ] {
        let before = others(slug).await;
        assert_eq!(try_move(&manager, input.clone()).await, "done");
        assert_eq!(child_slugs(&app, Some(&root)).await, expected, "{input}");
        assert_eq!(others(slug).await, before, "{input}");
    }
    // `before` and `after` imply the sibling's parent; a null parent makes a root.
    let leaf = create(&manager, "leaf", Some(a)).await;
    assert_eq!(try_move(&manager, json!({ "id": leaf, "after": c })).await, "done");
    assert_eq!(child_slugs(&app, Some(&root)).await, "d c leaf a b");
    assert_eq!(try_move(&manager, json!({ "id": c, "parentId": null })).await, "done");
    assert_eq!(child_slugs(&app, None).await, "root c");
    assert_eq!(try_move(&manager, json!({ "id": c, "before": root })).await, "done");
    assert_eq!(child_slugs(&app, None).await, "c root");
    let nothing = CategoryId(999_999).to_global_id();
    let customer = app.customer().await;
    let before = app.database.contents().await;
    for (input, expected) in [
        (json!({ "id": a }), "INVALID parentId"),
        (json!({ "id": a, "before": b, "after": d }), "INVALID parentId"),
        (json!({ "id": a, "parentId": root, "after": d }), "INVALID parentId"),
        (json!({ "id": a, "after": a }), "INVALID after"),
        (json!({ "id": a, "before": nothing }), "NOT_FOUND before"),
        (json!({ "id": a, "after": "x" }), "INVALID after"),
        (json!({ "id": a, "parentId": nothing }), "NOT_FOUND parentId"),
        (json!({ "id": nothing, "parentId": root }), "NOT_FOUND id"),
        (json!({ "id": root, "parentId": a }), "CYCLE parentId"),
        (json!({ "id": root, "before": a }), "CYCLE parentId"),
    ] {
        assert_eq!(try_move(&manager, input.clone()).await, expected, "{input}");
    }
    assert_eq!(try_move(&customer, json!({ "id": a, "parentId": root })).await, "!FORBIDDEN");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_moves_leave_unique_sibling_positions() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let root = create(&manager, "Root", None).await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(create(&manager, &format!("c{number}"), Some(&root)).await);
    }
    // There is no gap between the positions, and all moves have the same target.
    app.database.sql("UPDATE categories SET position = position / 1024 WHERE parent_id IS NOT NULL").await;
    let moves = ids[2..].iter().map(|id| try_move(&manager, json!({ "id": id, "after": ids[0] })));
    let outcomes: BTreeSet<_> = futures_util::future::join_all(moves).await.into_iter().collect();
    assert_eq!(outcomes, BTreeSet::from(["done".to_owned()]));
    let places = "SELECT count(DISTINCT position), count(*) FROM categories WHERE parent_id IS NOT NULL";
    assert_eq!(app.database.rows(places).await, ["(12,12)"]);
    let order = child_slugs(&app, Some(&root)).await;
    assert!(order.starts_with("c0 ") && order.ends_with(" c1"), "{order}");
}

#[tokio::test]
async fn a_category_that_gets_a_new_parent_becomes_its_last_child() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let (one, two) = (create(&manager, "One", None).await, create(&manager, "Two", None).await);
    let mut children = Vec::new();
    for (parent, name) in [(&one, "a"), (&one, "b"), (&two, "c"), (&two, "d")] {
        children.push(create(&manager, name, Some(parent)).await);
    }
    let update = async |input: Value| manager.mutate("categoryUpdate", "", input).await.outcome("categoryUpdate");
    assert_eq!(update(json!({ "id": children[0], "parentId": two })).await, "done");
    assert_eq!(child_slugs(&app, Some(&two)).await, "c d a");
    // The same parent again changes nothing.
    assert_eq!(update(json!({ "id": children[2], "parentId": two })).await, "done");
    assert_eq!(child_slugs(&app, Some(&two)).await, "c d a");
    assert_eq!(update(json!({ "id": children[3], "parentId": null })).await, "done");
    assert_eq!(child_slugs(&app, None).await, "one two d");
    // A position that another category has: that one moves down.
    assert_eq!(update(json!({ "id": children[1], "parentId": two, "position": 0 })).await, "done");
    assert_eq!(child_slugs(&app, Some(&two)).await, "b c a");
    let first = json!({ "name": "e", "parentId": two, "position": 0 });
    assert_eq!(manager.mutate("categoryCreate", "", first).await.outcome("categoryCreate"), "done");
    assert_eq!(child_slugs(&app, Some(&two)).await, "e b c a");
    let equal = "SELECT parent_id FROM categories GROUP BY parent_id HAVING count(*) > count(DISTINCT position)";
    assert_eq!(app.database.rows(equal).await, Vec::<String>::new());
}

#[tokio::test]
async fn sibling_positions_are_unique_whoever_writes() {
    let app = TestApp::new().await;
    let sql = "INSERT INTO categories (name, slug) VALUES ('a', 'a'), ('b', 'b');
        INSERT INTO categories (parent_id, name, slug) SELECT min(id), 'c', 'c' FROM categories;
        INSERT INTO categories (parent_id, name, slug, position) SELECT min(id), 'd', 'd', 2147483647 FROM categories;
        INSERT INTO categories (parent_id, name, slug) SELECT min(id), 'e', 'e' FROM categories";
    app.database.sql(sql).await;
    let psql = Psql::connect(&app.database.url).await;
    let places = "SELECT slug, position FROM categories ORDER BY slug";
    assert_eq!(app.database.rows(places).await, ["(a,0)", "(b,1024)", "(c,0)", "(d,1024)", "(e,2048)"]);
    for clash in [
        "UPDATE categories SET position = 0 WHERE slug = 'b'",
        "UPDATE categories SET position = 1024 WHERE slug = 'c'",
        "UPDATE categories SET parent_id = NULL WHERE slug = 'c'",
    ] {
        let failed = psql.try_run(clash).await.expect_err(clash);
        assert_eq!(violated_constraint(&failed), "categories_position_key", "{clash}");
    }
    // Two siblings can change places, because the constraint is checked at the end of the transaction.
    app.database.sql("UPDATE categories SET position = 1024 - position WHERE parent_id IS NULL").await;
}

#[tokio::test]
async fn deleting_a_nonempty_category_reports_or_moves_its_contents() {
    let app = TestApp::new().await;
    let (manager, website) = (app.manager().await, app.website("sailor").await);
    let root = create(&manager, "Root", None).await;
    let (shelf, other) = (create(&manager, "Shelf", Some(&root)).await, create(&manager, "Other", Some(&root)).await);
    let inner = create(&manager, "Inner", Some(&other)).await;
    for name in ["x", "y"] {
        create(&manager, name, Some(&shelf)).await;
    }
    let key = |id: &str| CategoryId::parse("id", id).expect("a category");
    for sku in ["p1", "p2", "p3"] {
        let spec = ProductSpec { sku: Some(sku.into()), category: Some(key(&shelf)), ..ProductSpec::default() };
        app.product(website.id, spec).await;
    }
    let delete = async |input: Value| {
        let response = manager.mutate("categoryDelete", "deletedId", input).await;
        let outcome = response.outcome("categoryDelete");
        (
            outcome,
            response.at_ignoring_errors("categoryDelete.userErrors.0.message").as_str().unwrap_or_default().to_owned(),
        )
    };
    let before = app.database.contents().await;
    let (outcome, rule) = delete(json!({ "id": shelf })).await;
    assert_eq!(outcome, "IN_USE id");
    assert!(rule.contains("2 children and 3 products"), "{rule}");
    let (_, rule) = delete(json!({ "id": other })).await;
    assert!(rule.contains("has 1 child."), "{rule}");
    let x = app.database.scalar("SELECT id FROM categories WHERE slug = 'x'").await.parse().expect("a key");
    for (input, expected) in [
        (json!({ "id": shelf, "moveTo": shelf }), "CYCLE moveTo"),
        (json!({ "id": shelf, "moveTo": CategoryId(x).to_global_id() }), "CYCLE moveTo"),
        (json!({ "id": shelf, "moveTo": CategoryId(999_999).to_global_id() }), "NOT_FOUND moveTo"),
        (json!({ "id": shelf, "moveTo": other, "moveToParent": true }), "INVALID moveTo"),
        (json!({ "id": CategoryId(999_999).to_global_id(), "moveTo": other }), "NOT_FOUND id"),
    ] {
        assert_eq!(delete(input.clone()).await.0, expected, "{input}");
    }
    assert_eq!(app.database.contents().await, before, "nothing was written");

    assert_eq!(delete(json!({ "id": shelf, "moveTo": other })).await.0, "done");
    assert_eq!(child_slugs(&app, Some(&other)).await, "inner x y", "after the existing ones, in their order");
    let held = format!("SELECT count(*) FROM products WHERE category_id = {}", key(&other).0);
    assert_eq!(app.database.scalar(&held).await, "3");
    assert_eq!(delete(json!({ "id": other, "moveToParent": true })).await.0, "done");
    assert_eq!(child_slugs(&app, Some(&root)).await, "inner x y");
    assert_eq!(delete(json!({ "id": inner })).await.0, "done", "it is empty");
    assert_eq!(delete(json!({ "id": root, "moveToParent": true })).await.0, "done");
    assert_eq!(child_slugs(&app, None).await, "x y");
    assert_eq!(app.database.scalar("SELECT count(*) FROM products WHERE category_id IS NULL").await, "3");
    let paths = "SELECT count(*) FROM categories WHERE path <> ARRAY[id]";
    assert_eq!(app.database.scalar(paths).await, "0", "the paths were updated");
}

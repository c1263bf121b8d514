//! Subtrees of categories: lists and counts match a recursive query and use an index, however large the subtree is.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souk::ids::{CategoryId, ProductId, RowId};

use crate::support::{
    Actor, TestApp,
    bulk::{BASE, nth_id},
};

/// Seeds the catalog, puts all its categories below one, and adds 4,000 empty ones.
async fn seed_category_tree(app: &TestApp) {
    app.seed_catalog().await;
    let script = format!(
        "INSERT INTO categories (id, name, slug) VALUES ({BASE}, 'Everything', 'everything');
         UPDATE categories SET parent_id = {BASE} WHERE parent_id IS NULL AND id > {BASE};
         INSERT INTO categories (id, parent_id, name, slug)
            SELECT {BASE} + i, {BASE} + 101 + i % 100, 'Box ' || i, 'box-' || i FROM generate_series(1001, 5000) i"
    );
    app.bulk_insert(&script).await;
}

/// Returns the product ids that a query selects.
async fn keys(app: &TestApp, sql: &str) -> BTreeSet<String> {
    let rows = app.database.rows(sql).await;
    rows.iter().map(|row| ProductId(row.trim_matches(['(', ')']).parse().expect("a key")).to_global_id()).collect()
}

/// Returns every id of a list of products, page by page.
async fn all_product_ids(actor: &Actor<'_>, filter: &str, order: &str) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let document = format!(
            "{{ products(first: 100, {after} where: {{{filter}}}, orderBy: {order}) {{
                nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let response = actor.run(&document).await;
        let nodes = response.at("products.nodes").as_array().expect("nodes").iter();
        ids.extend(nodes.map(|node| node["id"].as_str().expect("an id").to_owned()));
        if response.at("products.pageInfo.hasNextPage") == &Value::Bool(false) {
            return ids;
        }
        after = format!("after: {:?},", response.text_at("products.pageInfo.endCursor"));
    }
}

/// Returns a recursive query for the categories below these.
fn subtree_sql(roots: &str) -> String {
    format!(
        "WITH RECURSIVE tree AS (SELECT id FROM categories WHERE id IN ({roots})
            UNION SELECT c.id FROM categories c JOIN tree ON c.parent_id = tree.id) SELECT id FROM tree"
    )
}

#[tokio::test]
async fn subtree_lists_and_counts_match_a_recursive_query() {
    let app = TestApp::new().await;
    seed_category_tree(&app).await;
    let (public, manager) = (app.anonymous(), app.manager().await);
    let id = |number: i64| if number == 0 { CategoryId(BASE).to_global_id() } else { nth_id::<CategoryId>(number) };
    // A leaf, a category with children, and several subtrees that overlap.
    for roots in [&[100][..], &[3], &[3, 42, 7]] {
        let given: Vec<_> = roots.iter().map(|number| format!("{:?}", id(*number))).collect();
        let filter = format!("category: {{ in: [{}], includeDescendants: true }}", given.join(", "));
        let sql: Vec<_> = roots.iter().map(|number| (BASE + number).to_string()).collect();
        let products = format!("SELECT id FROM products WHERE category_id IN ({})", subtree_sql(&sql.join(", ")));
        for (actor, products) in [(&public, format!("{products} AND is_active")), (&manager, products.clone())] {
            let expected = keys(&app, &products).await;
            assert!(expected.len() >= 49, "{roots:?}");
            for order in ["{field: CREATED_AT, direction: DESC}", "{field: PRICE}"] {
                let found = all_product_ids(actor, &filter, order).await;
                assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), expected, "{roots:?} {order}");
                assert_eq!(found.len(), expected.len(), "each once: {roots:?} {order}");
            }
            let [one] = roots else { continue };
            let document = format!(
                "{{ category(id: {:?}) {{
                    productCount {{ value precision }} own: productCount(includeDescendants: false) {{ value }}
                    products(first: 3, includeDescendants: true, orderBy: {{field: PRICE}}) {{
                        totalCount {{ value }} nodes {{ id }} }}
                    only: products(first: 1) {{ totalCount {{ value }} }} }}
                  products(where: {{ not: {{ {filter} }} }}) {{ totalCount {{ value }} }}
                  everything: products {{ totalCount {{ value }} }} }}",
                id(*one),
            );
            let response = actor.run(&document).await;
            let count = response.at("category.productCount.value").as_u64().expect("a count");
            assert_eq!(count, expected.len() as u64, "{roots:?}");
            assert_eq!(response.text_at("category.productCount.precision"), "EXACT");
            assert_eq!(response.at("category.products.totalCount.value"), count);
            assert_eq!(response.at("category.own.value"), response.at("category.only.totalCount.value"));
            let rest = response.at("products.totalCount.value").as_u64().expect("a count");
            assert_eq!(count + rest, response.at("everything.totalCount.value").as_u64().expect("a count"));
            let first = all_product_ids(actor, &filter, "{field: PRICE}").await;
            for (index, product) in first.iter().take(3).enumerate() {
                assert_eq!(response.text_at(&format!("category.products.nodes.{index}.id")), *product);
            }
        }
    }
    let whole = format!("{{ category(id: {:?}) {{ productCount {{ value precision }} }} }}", id(0));
    for (actor, of_all) in [(&public, 9800), (&manager, 10000)] {
        let count = json!({ "value": of_all, "precision": "EXACT" });
        assert_eq!(actor.run(&whole).await.at("category.productCount"), &count);
    }
    let document = format!("{{ categories(where: {{ancestor: {{eq: {:?}}}}}) {{ totalCount {{ value }} }} }}", id(3));
    let below = keys(&app, &subtree_sql(&(BASE + 3).to_string())).await.len() - 1;
    assert_eq!(public.run(&document).await.at("categories.totalCount.value"), below);
}

#[tokio::test]
async fn subtree_pages_use_an_index_at_any_size() {
    let app = TestApp::new().await;
    seed_category_tree(&app).await;
    let manager = app.manager().await;
    // A single category has an index of its own; small subtrees are selected by category and sorted, large ones are
    // read in list order.
    let cases = [
        (
            nth_id::<CategoryId>(100),
            "{field: CREATED_AT, direction: DESC}",
            "products_category_id_created_at_idx",
            true,
        ),
        (nth_id::<CategoryId>(100), "{field: PRICE}", "products_category_id_price_idx", true),
        (nth_id::<CategoryId>(3), "{field: CREATED_AT, direction: DESC}", "products_", false),
        (nth_id::<CategoryId>(3), "{field: NAME}", "products_", false),
        (CategoryId(BASE).to_global_id(), "{field: CREATED_AT, direction: DESC}", "products_created_at_idx", true),
        (CategoryId(BASE).to_global_id(), "{field: PRICE}", "products_price_idx", true),
        (CategoryId(BASE).to_global_id(), "{field: NAME}", "products_name_idx", true),
    ];
    for (category, order, index, in_order) in cases {
        let filter = format!("category: {{ eq: {category:?}, includeDescendants: true }}");
        let mut after = String::new();
        for page in 1..=5 {
            let document = format!(
                "{{ products(first: 5, {after} where: {{{filter}}}, orderBy: {order}) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
            );
            let response = manager.run(&document).await;
            // The categories, the currencies of the websites for an order by price, then the page.
            let statements = if order == "{field: PRICE}" { 3 } else { 2 };
            assert_eq!(response.statements(), statements, "{:#?}", response.sql);
            let plans = app.database.plans(&response).await;
            let lines: Vec<_> = plans.iter().flat_map(|plan| &plan.lines).collect();
            let shown = plans.iter().map(|plan| plan.lines.join("\n")).collect::<Vec<_>>().join("\n\n");
            let reads_all = |line: &&&String| line.contains("Seq Scan") && !line.contains("Seq Scan on websites");
            assert!(!lines.iter().any(|line| reads_all(&line)), "{order} page {page}\n{shown}");
            assert!(lines.iter().any(|line| line.contains("categories_path_idx")), "{order} page {page}\n{shown}");
            assert!(lines.iter().any(|line| line.contains(index)), "{order} page {page}\n{shown}");
            let sorts = lines.iter().any(|line| line.trim_start_matches([' ', '-', '>']) == "Sort");
            assert!(!(in_order && sorts), "{order} page {page}\n{shown}");
            after = format!("after: {:?},", response.text_at("products.pageInfo.endCursor"));
        }
    }
}

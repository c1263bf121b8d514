//! Creating, moving and deleting categories, and the limits of the tree.

use serde_json::{Value, json};
use souk::ids::{BrandId, CategoryId, RowId, SupplierId};

use crate::support::{ProductSpec, TestApp};

#[tokio::test]
async fn moving_a_category_moves_its_subtree() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let new = async |name: &str, parent: Option<&str>| {
        manager.create("category", json!({ "name": name, "parentId": parent })).await
    };
    let (house, garden) = (new("House", None).await, new("Garden", None).await);
    let kitchen = new("Kitchen", Some(&house)).await;
    let pots = new("Pots", Some(&kitchen)).await;
    let lids = new("Lids", Some(&pots)).await;
    let above = async |id: &str| {
        let query = "query ($id: ID!) { category(id: $id) { depth parent { name } ancestors { name } } }";
        let found = app.anonymous().run_with(query, json!({ "id": id })).await;
        let names: Vec<String> = found
            .at("category.ancestors")
            .as_array()
            .expect("a list")
            .iter()
            .map(|category| category["name"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(*found.at("category.depth"), names.len());
        assert_eq!(found.at("category.parent.name").as_str(), names.last().map(String::as_str));
        names.join(" ")
    };
    assert_eq!(above(&lids).await, "House Kitchen Pots");
    let move_to = async |id: &str, parent: Value| {
        manager.try_mutate("categoryUpdate", json!({ "id": id, "parentId": parent })).await
    };
    assert_eq!(move_to(&kitchen, json!(garden)).await, "done");
    assert_eq!(
        [above(&kitchen).await, above(&pots).await, above(&lids).await],
        ["Garden", "Garden Kitchen", "Garden Kitchen Pots"]
    );
    assert_eq!(move_to(&pots, json!(house)).await, "done");
    assert_eq!([above(&kitchen).await, above(&pots).await, above(&lids).await], ["Garden", "House", "House Pots"]);
    assert_eq!(move_to(&pots, Value::Null).await, "done");
    assert_eq!([above(&pots).await, above(&lids).await], ["", "Pots"]);
    // An omitted `parentId` keeps the parent.
    assert_eq!(manager.try_mutate("categoryUpdate", json!({ "id": lids, "name": "Covers" })).await, "done");
    assert_eq!(above(&lids).await, "Pots");
    let children = "query ($id: ID!) { category(id: $id) { children { nodes { name } } } }";
    let below = app.anonymous().run_with(children, json!({ "id": pots })).await;
    assert_eq!(*below.at("category.children.nodes"), json!([{ "name": "Covers" }]));

    let before = app.database.contents().await;
    for (id, parent, expected) in [
        (&pots, json!(pots), "CYCLE parentId"),
        (&pots, json!(lids), "CYCLE parentId"),
        (&garden, json!(kitchen), "CYCLE parentId"),
        (&pots, json!(CategoryId(999).to_global_id()), "NOT_FOUND parentId"),
        (&pots, json!(BrandId(1).to_global_id()), "INVALID parentId"),
        (&pots, json!(""), "INVALID parentId"),
    ] {
        assert_eq!(move_to(id, parent.clone()).await, expected, "{parent}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn category_tree_is_at_most_thirty_two_levels_deep() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let mut ids = vec![manager.create("category", json!({ "name": "Level 1" })).await];
    for level in 2..=32 {
        ids.push(
            manager.create("category", json!({ "name": format!("Level {level}"), "parentId": ids[level - 2] })).await,
        );
    }
    let root = manager.create("category", json!({ "name": "Root" })).await;
    let before = app.database.contents().await;
    let deeper = json!({ "name": "Level 33", "parentId": ids[31] });
    assert_eq!(manager.try_mutate("categoryCreate", deeper).await, "OUT_OF_RANGE parentId");
    let deeper = json!({ "id": ids[0], "parentId": root });
    assert_eq!(manager.try_mutate("categoryUpdate", deeper).await, "OUT_OF_RANGE parentId");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn only_unused_categories_brands_and_suppliers_can_be_deleted() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let manager = app.manager().await;
    let top = app.category("top", None).await;
    let below = app.category("below", Some(top.id)).await;
    let (brand, supplier) = (app.brand("knot").await, app.supplier("Hemp Ltd").await);
    let spec = ProductSpec {
        category: Some(below.id),
        brand: Some(brand.id),
        supplier: Some(supplier.id),
        ..ProductSpec::default()
    };
    let product = app.product(website.id, spec).await.id.to_global_id();
    // An inactive product still counts, because old orders show it.
    assert_eq!(manager.try_mutate("productDelete", json!({ "id": product })).await, "done");
    let things = [
        ("categoryDelete", top.id.to_global_id()),
        ("categoryDelete", below.id.to_global_id()),
        ("brandDelete", brand.id.to_global_id()),
        ("supplierDelete", supplier.id.to_global_id()),
    ];
    let before = app.database.contents().await;
    for (mutation, id) in &things {
        assert_eq!(manager.try_mutate(mutation, json!({ "id": id })).await, "IN_USE id", "{mutation}");
    }
    assert_eq!(app.database.contents().await, before);

    let free = json!({ "id": product, "categoryId": null, "brandId": null, "supplierId": null });
    assert_eq!(manager.try_mutate("productUpdate", free).await, "done");
    for (mutation, id) in things.iter().rev() {
        let response = manager.mutate(mutation, "deletedId", json!({ "id": id })).await;
        assert_eq!(response.text_at(&format!("{mutation}.deletedId")), *id);
        let node = manager.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert!(node.at("node").is_null());
        assert_eq!(manager.try_mutate(mutation, json!({ "id": id })).await, "NOT_FOUND id", "{mutation}");
    }
    assert_eq!(app.database.rows("SELECT kind FROM search_documents WHERE kind <> 'product'").await.len(), 0);
    for (mutation, id) in [
        ("categoryDelete", BrandId(1).to_global_id()),
        ("brandDelete", SupplierId(1).to_global_id()),
        ("supplierDelete", String::new()),
    ] {
        assert_eq!(manager.try_mutate(mutation, json!({ "id": id })).await, "INVALID id", "{mutation}");
    }
}

//! A filter or a sort order on a field that is hidden from the viewer must not tell what the field hides.

use async_graphql::parser::types::FieldDefinition;
use serde_json::{Value, json};
use souk::{auth::Permission, ids::UserId};

use crate::support::{
    Actor, ProductSpec, TestApp,
    scenario::{ACTORS, Scenario},
    sdl::{Sdl, base_name},
};

/// Returns the last characters of the SKUs that a filter matches, or the code of its error.
async fn skus(actor: &Actor<'_>, filter: &str) -> String {
    let response = actor.run(&format!("{{ products(where: {{{filter}}}) {{ nodes {{ sku }} }} }}")).await;
    if !response.json["errors"].is_null() {
        return response.code().to_owned();
    }
    let mut found: Vec<_> = response.at("products.nodes").as_array().expect("nodes").iter().collect();
    found.sort_by_key(|node| node["sku"].to_string());
    found.iter().map(|node| node["sku"].as_str().expect("a SKU")).collect()
}

#[tokio::test]
async fn only_those_who_see_a_seller_find_their_products() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let (seller, other, customer, manager) =
        (app.seller().await, app.seller().await, app.customer().await, app.manager().await);
    let clerk = app.user_with(&[Permission::ManageUsers, Permission::ManageProducts], &[here]).await;
    let origin = format!("UPDATE users SET source_website_id = {} WHERE id = {}", here.0, other.id.0);
    app.database.sql(&origin).await;
    let product = async |sku: &str, seller: Option<UserId>| {
        let spec = ProductSpec { sku: Some(sku.to_owned()), seller, ..ProductSpec::default() };
        app.product(there, spec).await;
    };
    product("a", Some(seller.id)).await;
    product("b", Some(other.id)).await;
    product("c", None).await;
    let of = |actor: &Actor<'_>| format!("seller: {{eq: {:?}}}", actor.global_id());

    for stranger in [&app.anonymous(), &customer, &seller] {
        for filter in [
            of(&other),
            format!("seller: {{in: [{:?}]}}", other.global_id()),
            format!("seller: {{in: [{:?}, {:?}]}}", stranger.global_id(), other.global_id()),
            format!("seller: {{eq: {:?}, isNull: false}}", stranger.global_id()),
            "seller: {isNull: true}".to_owned(),
            "seller: {}".to_owned(),
            format!("not: {{or: [{{and: [{{{}}}]}}]}}", of(&other)),
        ] {
            assert_eq!(skus(stranger, &filter).await, "FORBIDDEN", "{filter}");
            let nested = format!("{{ websites {{ nodes {{ products(where: {{{filter}}}) {{ nodes {{ id }} }} }} }} }}");
            assert_eq!(stranger.run(&nested).await.code(), "FORBIDDEN", "{nested}");
        }
    }
    // Sellers find their own products, and nobody else's by negation.
    assert_eq!(skus(&seller, &of(&seller)).await, "a");
    assert_eq!(skus(&seller, &format!("not: {{{}}}", of(&seller))).await, "bc");
    assert_eq!(skus(&customer, &of(&customer)).await, "");
    // Staff of one website see the seller who comes from there; the others match as if the products had none.
    assert_eq!(skus(&clerk, &of(&other)).await, "b");
    assert_eq!(skus(&clerk, &of(&seller)).await, "");
    assert_eq!(skus(&clerk, "seller: {isNull: true}").await, "ac");
    assert_eq!(skus(&clerk, &format!("not: {{{}}}", of(&seller))).await, "abc");
    assert_eq!(skus(&manager, &of(&seller)).await, "a");
    assert_eq!(skus(&manager, "seller: {isNull: true}").await, "c");
}

#[tokio::test]
async fn filters_by_customer_match_only_customers_whom_the_viewer_sees() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (seller, buyer) = (app.seller().await, app.customer().await);
    let spec = ProductSpec { stock: 10, seller: Some(seller.id), ..ProductSpec::default() };
    let product = app.product(website, spec).await.id;
    buyer.order(&[(product, 1)]).await;
    seller.order(&[(product, 1)]).await;
    let clerk = app.user_with(&[Permission::ManageOrders, Permission::ViewAuditLog], &[]).await;
    let count = async |actor: &Actor<'_>, list: &str, filter: String| {
        let document = format!("{{ {list}(where: {{user: {filter}}}) {{ totalCount {{ value }} }} }}");
        actor.run(&document).await.at(&format!("{list}.totalCount.value")).clone()
    };
    let (of_buyer, of_seller) =
        (format!("{{eq: {:?}}}", buyer.global_id()), format!("{{eq: {:?}}}", seller.global_id()));
    for (actor, expected) in [(&seller, [0, 1, 1, 1]), (&clerk, [0, 0, 2, 0]), (&app.admin().await, [1, 1, 0, 2])] {
        let found = [
            count(actor, "orders", of_buyer.clone()).await,
            count(actor, "orders", of_seller.clone()).await,
            count(actor, "orders", "{isNull: true}".to_owned()).await,
            count(actor, "orders", "{isNull: false}".to_owned()).await,
        ];
        assert_eq!(found, expected.map(Value::from), "{}", actor.id.0);
    }
    // Placing the order is in the audit log.
    assert_eq!(count(&clerk, "auditLog", of_buyer.clone()).await, json!(0));
    assert_ne!(count(&app.admin().await, "auditLog", of_buyer).await, json!(0));
}

/// Returns the type of the items of a connection; none for other fields.
fn item_type<'a>(sdl: &'a Sdl, field: &FieldDefinition) -> Option<&'a str> {
    let fields = sdl.fields(base_name(&field.ty.node));
    fields.into_iter().find(|field| field.name.node == "nodes").map(|nodes| base_name(&nodes.ty.node))
}

#[tokio::test]
async fn every_filter_by_a_related_object_matches_only_items_that_show_it() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let scenario = Scenario::create(&app).await;
    let mut ids: Vec<String> = scenario.actors.iter().filter(|actor| actor.id.0 != 0).map(Actor::global_id).collect();
    ids.extend(scenario.ids.values().cloned());
    let mut tried = Vec::new();
    for list in sdl.fields("Query") {
        let argument = list.arguments.iter().find(|argument| argument.node.name.node == "where");
        let (Some(argument), Some(item)) = (argument, item_type(&sdl, list)) else { continue };
        let list = &list.name.node;
        for condition in sdl.inputs(base_name(&argument.node.ty.node)) {
            let name = &condition.name.node;
            let shows = sdl.fields(item).into_iter().find(|field| field.name.node == *name);
            let Some(field) = shows.filter(|_| base_name(&condition.ty.node) == "IdFilter") else { continue };
            let type_name = base_name(&field.ty.node);
            if sdl.is_leaf(type_name) {
                continue;
            }
            tried.push(format!("{list}.{name}"));
            for id in ids.iter().filter(|id| souk::ids::decode(id).is_some_and(|(name, _)| name == type_name)) {
                let document =
                    format!("{{ {list}(where: {{{name}: {{eq: {id:?}}}}}) {{ nodes {{ {name} {{ id }} }} }} }}");
                for (who, actor) in ACTORS.iter().zip(&scenario.actors) {
                    let response = actor.run(&document).await;
                    if !response.json["errors"].is_null() {
                        assert!(["FORBIDDEN", "UNAUTHENTICATED"].contains(&response.code()), "{who}: {response:#?}");
                        continue;
                    }
                    for node in response.at(&format!("{list}.nodes")).as_array().expect("nodes") {
                        assert_eq!(node[name.as_str()]["id"], json!(id), "{who} filters by what is hidden: {document}");
                    }
                }
            }
        }
    }
    for expected in ["products.seller", "products.supplier", "orders.user", "auditLog.user", "wishlists.user"] {
        assert!(tried.iter().any(|tried| tried == expected), "{expected} is not among {tried:?}");
    }
}

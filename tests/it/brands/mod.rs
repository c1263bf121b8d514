//! Brands: their slugs, which follow the same rules as those of categories.

use serde_json::json;
use souk::ids::{BrandId, CategoryId, RowId, SupplierId};

use crate::support::TestApp;

#[tokio::test]
async fn categories_and_brands_get_normalized_unique_slugs() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    for resource in ["category", "brand"] {
        let (create, update) = (format!("{resource}Create"), format!("{resource}Update"));
        let fields = format!("{resource} {{ id name slug description }}");
        let new = manager.mutate(&create, &fields, json!({ "name": "Café & Bar", "description": "Cups" })).await;
        let id = new.text_at(&format!("{create}.{resource}.id"));
        assert_eq!(new.text_at(&format!("{create}.{resource}.slug")), "cafe-bar");
        let chosen = manager.mutate(&create, &fields, json!({ "name": "Café & Bar", "slug": "bar" })).await;
        assert_eq!(chosen.text_at(&format!("{create}.{resource}.slug")), "bar");

        // Without a slug another one is derived, also for the third of that name.
        for (input, expected) in [
            (json!({ "name": "Cafe Bar" }), "cafe-bar-2"),
            (json!({ "name": " Cafe Bar " }), "cafe-bar-"),
            (json!({ "name": "Pub", "slug": "" }), "pub"),
        ] {
            let slug = manager.mutate(&create, &fields, input).await.text_at(&format!("{create}.{resource}.slug"));
            assert!(slug.starts_with(expected) && slug.len() <= expected.len() + 8, "{slug}");
        }

        let before = app.database.contents().await;
        for (mutation, input, expected) in [
            (&create, json!({ "name": "Other", "slug": "bar" }), "TAKEN slug"),
            (&create, json!({ "name": "Other", "slug": "Bar" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "a--b" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "-a" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "a".repeat(201) }), "INVALID slug"),
            (&update, json!({ "id": id, "slug": "bar" }), "TAKEN slug"),
            (&update, json!({ "id": id, "slug": "ü" }), "INVALID slug"),
            (&update, json!({ "id": id, "slug": null }), "REQUIRED slug"),
            (&update, json!({ "id": id, "name": null }), "REQUIRED name"),
            (&update, json!({ "id": id, "name": "" }), "REQUIRED name"),
            (&update, json!({ "id": SupplierId(1).to_global_id(), "name": "x" }), "INVALID id"),
        ] {
            assert_eq!(manager.try_mutate(mutation, input.clone()).await, expected, "{mutation} {input}");
        }
        let missing = if resource == "category" { CategoryId(999).to_global_id() } else { BrandId(999).to_global_id() };
        assert_eq!(manager.try_mutate(&update, json!({ "id": missing, "name": "x" })).await, "NOT_FOUND id");
        assert_eq!(app.database.contents().await, before);

        // Renaming keeps the slug, so that links keep working; null clears the description.
        let renamed = manager.mutate(&update, &fields, json!({ "id": id, "name": "Bistro" })).await;
        let whole = json!({ "id": id, "name": "Bistro", "slug": "cafe-bar", "description": "Cups" });
        assert_eq!(*renamed.at(&format!("{update}.{resource}")), whole);
        let cleared = manager.mutate(&update, &fields, json!({ "id": id, "description": null })).await;
        assert_eq!(cleared.text_at(&format!("{update}.{resource}.description")), "");
    }
}

#[tokio::test]
async fn brand_is_found_by_id_or_slug() {
    let app = TestApp::new().await;
    let id = app.brand("acme").await.id.to_global_id();
    let public = app.anonymous();
    for (arguments, found) in [
        (format!("id: {id:?}"), true),
        ("slug: \" acme\"".to_owned(), true),
        ("slug: \"acm\"".to_owned(), false),
        (format!("id: {:?}", BrandId(999).to_global_id()), false),
    ] {
        let seen = public.run(&format!("{{ brand({arguments}) {{ id }} }}")).await;
        let expected = if found { json!({ "id": id }) } else { serde_json::Value::Null };
        assert_eq!(*seen.at("brand"), expected, "{arguments}");
    }
    for arguments in [format!("id: {id:?}, slug: \"acme\""), "slug: null".to_owned()] {
        let rejected = public.run(&format!("{{ brand({arguments}) {{ id }} }}")).await;
        assert_eq!(rejected.code(), "BAD_USER_INPUT", "{arguments}");
    }
}

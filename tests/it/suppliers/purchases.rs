//! Suppliers and cost prices of products, which are never public.

use serde_json::{Value, json};
use souk::{auth::Permission, ids::RowId};

use crate::support::{Actor, ProductSpec, TestApp};

#[tokio::test]
async fn cost_price_is_visible_only_to_those_who_manage_the_product() {
    let app = TestApp::new().await;
    let (sailor, rise) = (app.website("sailor").await, app.website("rise").await);
    let seller = app.seller().await;
    let spec = ProductSpec { seller: Some(seller.id), ..ProductSpec::default() };
    let product = app.product(sailor.id, spec).await.id.to_global_id();
    let manager = app.manager().await;
    let input = json!({ "id": product, "costPrice": "7.10", "supplierSku": "H-1" });
    let updated = manager.mutate("productUpdate", "product { costPrice { amount currency } supplierSku }", input).await;
    let bought = json!({ "costPrice": { "amount": "7.10", "currency": "EUR" }, "supplierSku": "H-1" });
    assert_eq!(updated.at("productUpdate.product"), &bought);
    let hidden = json!({ "costPrice": null, "supplierSku": null });
    let products = &[Permission::ManageProducts][..];
    for (index, (actor, expected)) in [
        (app.anonymous(), &hidden),
        (app.customer().await, &hidden),
        (seller, &bought),
        (app.seller().await, &hidden),
        (app.user_with(&[Permission::ManageCatalogue, Permission::ManageStock], &[]).await, &hidden),
        (app.user_with(products, &[rise.id]).await, &hidden),
        (app.user_with(products, &[sailor.id]).await, &bought),
        (manager, &bought),
    ]
    .into_iter()
    .enumerate()
    {
        let document = format!("{{ product(id: {product:?}) {{ costPrice {{ amount currency }} supplierSku }} }}");
        assert_eq!(actor.run(&document).await.at("product"), expected, "actor {index}");
    }
}

#[tokio::test]
async fn cost_and_supplier_sku_are_validated_and_cleared() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.to_global_id();
    let seller = app.seller().await;
    let create = json!({ "sourceWebsiteId": website, "name": "Lamp", "sku": "L", "price": "9", "costPrice": "4.5", "supplierSku": "S" });
    let fields = "product { id costPrice { amount } supplierSku }";
    let new = seller.mutate("productCreate", fields, create).await;
    let id = new.text_at("productCreate.product.id");
    assert_eq!(new.text_at("productCreate.product.costPrice.amount"), "4.50");
    for (change, expected) in [
        (json!({ "costPrice": "-1" }), "OUT_OF_RANGE costPrice"),
        (json!({ "costPrice": "1.005" }), "INVALID costPrice"),
        (json!({ "supplierSku": "x".repeat(256) }), "TOO_LONG supplierSku"),
    ] {
        let mut change = change;
        change["id"] = json!(id);
        let refused = seller.mutate("productUpdate", "", change.clone()).await;
        assert_eq!(refused.outcome("productUpdate"), expected, "{change}");
    }
    let clear = json!({ "id": id, "costPrice": null, "supplierSku": null });
    let cleared = seller.mutate("productUpdate", fields, clear).await;
    assert_eq!(cleared.at("productUpdate.product"), &json!({ "id": id, "costPrice": null, "supplierSku": null }));
}

#[tokio::test]
async fn supplier_contact_and_lead_time_are_validated_and_cleared() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let fields = "supplier { id contactName leadTimeDays }";
    let input = json!({ "name": "Hemp Ltd", "contactName": "Ada", "leadTimeDays": 14 });
    let new = manager.mutate("supplierCreate", fields, input).await;
    let id = new.text_at("supplierCreate.supplier.id");
    let whole = |name: Value, days: Value| json!({ "id": id, "contactName": name, "leadTimeDays": days });
    assert_eq!(new.at("supplierCreate.supplier"), &whole(json!("Ada"), json!(14)));
    let update = async |actor: &Actor<'_>, change: Value| {
        let mut change = change;
        change["id"] = json!(id);
        actor.mutate("supplierUpdate", fields, change).await
    };
    for (change, expected) in [
        (json!({ "contactName": "x".repeat(256) }), "TOO_LONG contactName"),
        (json!({ "leadTimeDays": -1 }), "OUT_OF_RANGE leadTimeDays"),
        (json!({ "leadTimeDays": 1001 }), "OUT_OF_RANGE leadTimeDays"),
        (json!({ "leadTimeDays": 0 }), "done"),
    ] {
        assert_eq!(update(&manager, change.clone()).await.outcome("supplierUpdate"), expected, "{change}");
    }
    for blank in [json!(" "), Value::Null] {
        assert_eq!(update(&manager, json!({ "contactName": "Ada" })).await.outcome("supplierUpdate"), "done");
        let cleared = update(&manager, json!({ "contactName": blank, "leadTimeDays": null })).await;
        assert_eq!(cleared.at("supplierUpdate.supplier"), &whole(Value::Null, Value::Null));
    }
}

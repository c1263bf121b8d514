//! The audit log entries of every mutation: actor, client, before and after.
//! The table covers every mutation of the schema; a new one has to be added here.

mod cases;
mod catalog_image_cases;
mod unaudited;
mod website_cases;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souk::{
    ids::{ImageId, JobId, ProductId, RoleId, RowId},
    storage::uploads,
};

use self::{
    cases::CASES, catalog_image_cases::CATALOG_IMAGE_CASES, unaudited::UNAUDITED, website_cases::WEBSITE_CASES,
};
use crate::{
    DOMAINS,
    support::{Actor, ProductSpec, TestApp, domain_fixtures::AuditCase as Case, image_server::image_server, sdl::Sdl},
};

/// A row of each resource type, and the names of their ids.
struct Shop<'a> {
    admin: Actor<'a>,
    names: Vec<(String, String)>,
}

impl<'a> Shop<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let (admin, customer) = (app.admin().await, app.customer().await);
        let website = app.website("sailor").await.id;
        let product = async |sku: &str| {
            app.product(website, ProductSpec { sku: Some(sku.into()), stock: 10, ..ProductSpec::default() }).await.id
        };
        let (rope, sail) = (product("R").await, product("S").await);
        let clerk = json!({ "code": "temp", "name": "Temp", "permissions": ["MANAGE_STOCK"] });
        let role = admin.mutate("roleCreate", "role { id }", clerk).await;
        let role_of = async |code: &str| {
            let sql = format!("SELECT id FROM roles WHERE code = '{code}'");
            RoleId(app.database.scalar(&sql).await.parse().expect("a key")).to_global_id()
        };
        let (unpaid, paid) = (admin.order(&[(sail, 1)]).await, admin.order(&[(sail, 1)]).await);
        let payment = admin.pay(&paid, "4111111111111111").await;
        let placed = admin.try_order(&[(rope, 2)], "first").await;
        let parcels = admin.ship_and_return(sail).await;
        let key = json!({ "name": "Till", "permissions": [] });
        let key = admin.mutate("apiKeyCreate", "apiKey { id }", key).await;
        let dead = async |attempts: i32| {
            let sql = format!(
                "INSERT INTO jobs (kind, payload, user_id, state, attempts, last_error)
                    VALUES ('mail', '{{}}', {}, 'dead', {attempts}, 'no such address') RETURNING id",
                admin.id.0
            );
            JobId(app.database.scalar(&sql).await.parse().expect("a key")).to_global_id()
        };
        let content = async |product: ProductId, position: i32| {
            let sql = format!(
                "INSERT INTO images (product_id, source_url, position)
                    VALUES ({}, 'https://pictures.example/1.jpg', {position}) RETURNING id",
                product.0
            );
            ImageId(app.database.scalar(&sql).await.parse().expect("a key")).to_global_id()
        };
        let group = json!({ "sourceWebsiteId": website.to_global_id(), "name": "Hull", "variesBy": ["Size"] });
        let group = admin.mutate("productGroupCreate", "productGroup { id }", group).await;
        let review = async |actor: &Actor<'_>, product: ProductId| {
            let input = json!({ "productId": product.to_global_id(), "rating": 4 });
            actor.mutate("reviewCreate", "review { id }", input).await.text_at("reviewCreate.review.id")
        };
        let (review, other_review) = (review(&admin, rope).await, review(&customer, rope).await);
        let rule = json!({ "websiteId": website.to_global_id(), "words": ["rope", "line"] });
        let rule = admin.mutate("searchRuleCreate", "searchRule { id }", rule).await;
        let cart = admin.create_cart(&[(rope, 1)]).await;
        let upload = uploads::new_id();
        let key_of = uploads::key(admin.id.0, &upload).expect("an upload id");
        app.services.storage.put(&key_of, "sku,stock\n".into()).await.expect("a store");
        let mut of_domains = Vec::new();
        for domain in DOMAINS {
            of_domains.extend((domain.rows)(&admin, rope).await);
        }
        let of_domains = of_domains.into_iter().map(|(name, id)| (name.to_uppercase(), id));
        let names = vec![
            ("CART", cart.id),
            ("KEY", key.text_at("apiKeyCreate.apiKey.id")),
            ("ADMIN", admin.global_id()),
            ("CUSTOMER", customer.global_id()),
            ("WEBSITE", website.to_global_id()),
            ("EMPTY_WEBSITE", app.website("empty").await.id.to_global_id()),
            ("CATEGORY", app.category("ropes", None).await.id.to_global_id()),
            ("LEAF", app.category("leaf", None).await.id.to_global_id()),
            ("BRAND", app.brand("knot").await.id.to_global_id()),
            ("SUPPLIER", app.supplier("Hemp Ltd").await.id.to_global_id()),
            ("GROUP", group.text_at("productGroupCreate.productGroup.id")),
            ("ROPE", rope.to_global_id()),
            ("SAIL", sail.to_global_id()),
            ("ADDRESS", admin.address().await.id.to_global_id()),
            ("UNPAID", unpaid),
            ("PAYMENT", payment),
            ("ORDER", placed.text_at("orderCreate.order.id")),
            ("PARCELS", parcels.order),
            ("PARCEL_LINE", parcels.line),
            ("SHIPMENT", parcels.shipment),
            ("RETURN", parcels.returns[0].clone()),
            ("OTHER_RETURN", parcels.returns[1].clone()),
            ("REVIEW", review),
            ("OTHER_REVIEW", other_review),
            ("LINE", placed.text_at("orderCreate.order.details.0.id")),
            ("ROLE", role.text_at("roleCreate.role.id")),
            ("CUSTOMERS", role_of("customer").await),
            ("SELLERS", role_of("seller").await),
            ("JOB", dead(10).await),
            ("GONE", dead(3).await),
            ("UPLOAD", upload),
            ("RULE", rule.text_at("searchRuleCreate.searchRule.id")),
            ("PICTURE", content(rope, 1).await),
            ("OTHER_PICTURE", content(sail, 5).await),
            ("IMAGE_URL", format!("{}/a.jpg", image_server().await)),
        ];
        let names = names.into_iter().map(|(name, id)| (name.to_owned(), id)).chain(of_domains).collect();
        Self { admin, names }
    }

    fn input(&self, text: &str) -> Value {
        let text = self
            .names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{name:?}"), &format!("{id:?}")));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Returns the entries of a request, oldest first.
    async fn entries(&self, request_id: &str) -> Vec<Value> {
        let document = "{ auditLog(last: 100, orderBy: {field: AT}) { nodes {
            via user { id } address requestId resourceType resourceId website { code } change before after } } }";
        let response = self.admin.run(document).await;
        let entries = response.at("auditLog.nodes").as_array().expect("a list").iter();
        entries.filter(|entry| entry["requestId"] == request_id).cloned().collect()
    }

    /// Formats an entry as in [`Case`].
    fn describe(&self, entry: &Value) -> String {
        let side = |side: &str| {
            let mut columns = entry[side].clone();
            for moving in [
                "created_at",
                "delivered_at",
                "erased_at",
                "placed_at",
                "settled_at",
                "shipped_at",
                "order_number",
                "prefix",
                "revoked_at",
                "checkout_id",
                "contact_email",
            ] {
                columns.as_object_mut().map(|columns| columns.shift_remove(moving));
            }
            columns.to_string()
        };
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (change, resource_type, website) =
            (word(&entry["change"]), word(&entry["resourceType"]), word(&entry["website"]["code"]));
        let text = format!("{change} {resource_type} {website} {} {}", side("before"), side("after"));
        self.names.iter().fold(text, |text, (name, id)| text.replace(&format!("{id:?}"), &format!("{name:?}")))
    }
}

fn all_cases() -> impl Iterator<Item = &'static Case> {
    let of_domains = DOMAINS.iter().flat_map(|domain| domain.audit_cases);
    WEBSITE_CASES.iter().chain(CATALOG_IMAGE_CASES).chain(CASES).chain(of_domains)
}

#[tokio::test]
async fn every_mutation_logs_who_changed_what_from_where() {
    let app = TestApp::new().await;
    let shop = Shop::new(&app).await;
    let mut wrong = String::new();
    for Case(mutation, input, expected) in all_cases() {
        let actor =
            if *mutation == "register" { app.anonymous() } else { app.existing_user(shop.admin.id, "admin").await };
        let request = actor.request().header("x-request-id", *mutation).header("x-forwarded-for", "203.0.113.9");
        let mut input_type = (*mutation).to_owned() + "Input";
        input_type[..1].make_ascii_uppercase();
        let document = format!(
            "mutation ($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
        );
        let response = actor.run_request(request, &document, json!({ "input": shop.input(input) })).await;
        assert_eq!(response.outcome(mutation), "done", "{mutation}: {response:#?}");
        let entries = shop.entries(mutation).await;
        let reported: Vec<_> = entries.iter().map(|entry| shop.describe(entry)).collect();
        if reported != *expected {
            wrong += &format!("{mutation} leaves\n    {}\n", reported.join("\n    "));
        }
        for entry in &entries {
            let (via, user) = match *mutation {
                "register" => ("ANONYMOUS", Value::Null),
                _ => ("SESSION", json!(shop.admin.global_id())),
            };
            assert_eq!((entry["via"].as_str(), &entry["user"]["id"]), (Some(via), &user), "{entry:#}");
            assert_eq!(entry["address"], "203.0.113.9", "{entry:#}");
            let (type_name, _) = souk::ids::decode(entry["resourceId"].as_str().expect("an id")).expect("an id");
            let resource_type = entry["resourceType"].as_str().expect("a resource type").replace('_', "");
            assert_eq!(type_name.to_uppercase(), resource_type, "{entry:#}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_mutation_has_an_audit_case() {
    let sdl = Sdl::read();
    let audited = all_cases().map(|case| case.0);
    let unaudited =
        UNAUDITED.iter().chain(DOMAINS.iter().flat_map(|domain| domain.unaudited_mutations)).map(|case| case.0);
    let reported: BTreeSet<_> = audited.chain(unaudited).map(str::to_owned).collect();
    let all: BTreeSet<_> = sdl.fields("Mutation").iter().map(|field| field.name.node.to_string()).collect();
    assert_eq!(reported, all, "each mutation needs an audit case");
}

//! A role that is limited to one website must not learn from imports and exports which customers another website has, nor
//! read or change them.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, UserId, WebsiteId},
};

use crate::{
    support::{Actor, ProductSpec, TestApp},
    transfers::mutations::{run_import, stored_file, transfer_status},
};

const STAFF: &[Permission] =
    &[Permission::ManageUsers, Permission::ManageOrders, Permission::ManageReviews, Permission::ManageStock];

/// Returns what an import reports, without what differs from run to run.
fn report(transfer: &Value) -> Value {
    let fields =
        ["status", "created", "updated", "unchanged", "rejected", "errors", "rejections", "failure", "missing"];
    fields.iter().map(|field| (field.to_string(), transfer[*field].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// Runs an export and returns its file; none if the viewer may not read it.
async fn export(actor: &Actor<'_>, website: WebsiteId, resource: &str) -> String {
    let input = json!({ "resource": resource, "websiteId": website.to_global_id(),
        "idempotencyKey": uuid::Uuid::new_v4().to_string() });
    let id = actor.mutate("exportStart", "transfer { id }", input).await.text_at("exportStart.transfer.id");
    actor.app.run_jobs().await;
    let done = transfer_status(actor, &id).await;
    assert!(done["downloadUrl"].is_string(), "{done:#}");
    stored_file(actor.app, "output_key", &id).await
}

fn customers(name: &str, key: &str, email: &str) -> String {
    format!(
        "external_id,email,name,phone,addresses\n{key},{email},{name},+442079460000,\
         \"[{{\"\"country\"\":\"\"GB\"\",\"\"city\"\":\"\"London\"\",\"\"address\"\":\"\"1 High St\"\"}}]\"\n"
    )
}

fn orders(key: &str, customer: &str) -> String {
    format!(
        "{{\"number\":\"{key}\",\"status\":\"delivered\",{customer},\"placed_at\":\"2020-12-01T08:26:00Z\",\
         \"lines\":[{{\"sku\":\"R\",\"name\":\"Rope\",\"quantity\":2,\"unit_price\":\"1.50\"}}]}}"
    )
}

/// Returns everything that staff of a website can observe of a customer with this email address whom they import.
async fn observed(actor: &Actor<'_>, website: WebsiteId, key: &str, email: &str) -> String {
    let mut seen = Vec::new();
    for (name, is_dry_run) in [("New", true), ("New", false), ("New", true), ("New", false), ("Newer", false)] {
        let more = json!({ "resource": "CUSTOMERS", "isDryRun": is_dry_run });
        seen.push(report(&run_import(actor, website, &customers(name, key, email), more).await));
    }
    let without_id = format!("email,name\n{email},Newest\n");
    seen.push(report(&run_import(actor, website, &without_id, json!({ "resource": "CUSTOMERS" })).await));
    for is_dry_run in [true, false, false] {
        let file = orders(key, &format!("\"customer_email\":\"{email}\""));
        let more = json!({ "resource": "ORDERS", "format": "SOUK_JSONL", "isDryRun": is_dry_run });
        seen.push(report(&run_import(actor, website, &file, more).await));
    }
    let shown = actor
        .run(&format!(
            "{{ users(where: {{email: {{eq: {email:?}}}}}) {{ nodes {{ id name email phone isEmailVerified isActive
                    addresses {{ city }} identities {{ externalId }} orders {{ nodes {{ orderNumber }} }} }} }}
                orders(where: {{orderNumber: {{eq: {key:?}}}}}) {{ nodes {{ user {{ email }} contact {{ email }} }} }} }}"
        ))
        .await;
    seen.push(shown.json["data"].clone());
    let id = shown.text_at("users.nodes.0.id");
    seen.push(json!(actor.try_mutate("userUpdate", json!({ "id": id, "email": email })).await));
    for resource in ["CUSTOMERS", "ORDERS"] {
        let file = export(actor, website, resource).await;
        seen.push(file.lines().filter(|line| line.contains(email)).collect());
    }
    json!(seen).to_string().replace(email, "EMAIL").replace(&id, "ID").replace(key, "KEY")
}

/// Adds private data to a user of another website; returns a query for everything stored about the user.
async fn make_victim(app: &TestApp, website: WebsiteId, user: UserId, more: &str) -> String {
    let id = user.0;
    let sql = format!(
        "UPDATE users SET source_website_id = {website}, name = 'Victim', phone = '+442079460999'{more} WHERE id = {id};
         INSERT INTO addresses (user_id, country, city, address) VALUES ({id}, 'GB', 'Secretville', 'Secret St')",
        website = website.0
    );
    app.database.sql(&sql).await;
    format!(
        "SELECT u::text, (SELECT string_agg(a::text, '|') FROM addresses a WHERE a.user_id = u.id),
            (SELECT count(*) FROM sources s WHERE s.resource_type = 'User' AND s.resource_id = u.id),
            (SELECT count(*) FROM orders o WHERE o.user_id = u.id) FROM users u WHERE u.id = {id}"
    )
}

#[tokio::test]
async fn import_reveals_and_changes_no_customer_of_another_website() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    app.product(here, ProductSpec { sku: Some("R".into()), ..ProductSpec::default() }).await;
    let (clerk, admin) = (app.user_with(STAFF, &[here]).await, app.admin().await);
    let verified = app.register_verified("verified@souk.example").await;
    let inactive = app.register_verified("inactive@souk.example").await;
    app.register("pending@souk.example").await;
    app.emails().await;
    run_import(&admin, there, &customers("V", "1", "imported@souk.example"), json!({ "resource": "CUSTOMERS" })).await;
    let user = async |email: &str| {
        UserId(app.database.scalar(&format!("SELECT id FROM users WHERE email = '{email}'")).await.parse().unwrap())
    };
    app.database.sql(&format!("UPDATE users SET email = 'staff@souk.example' WHERE id = {}", admin.id.0)).await;
    let victims = [
        (verified, ""),
        (inactive, ", is_active = false"),
        (user("pending@souk.example").await, ""),
        (user("imported@souk.example").await, ""),
        (admin.id, ", email_verified_at = now()"),
    ];
    let mut stored = Vec::new();
    for (id, more) in victims {
        let query = make_victim(&app, there, id, more).await;
        stored.push((app.database.rows(&query).await, query));
    }
    let expected = observed(&clerk, here, "K-nobody", "nobody@souk.example").await;
    for name in ["verified", "inactive", "pending", "imported", "staff"] {
        let seen = observed(&clerk, here, &format!("K-{name}"), &format!("{name}@souk.example")).await;
        assert_eq!(seen, expected, "{name}");
    }
    for trace in ["Victim", "Secret", "460999"] {
        assert!(!expected.contains(trace), "{trace} in {expected}");
    }
    for (before, query) in &stored {
        assert_eq!(&app.database.rows(query).await, before, "{query}");
    }
}

#[tokio::test]
async fn hidden_customer_with_an_identity_at_the_website_stays_hidden() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let rope = app.product(here, ProductSpec { sku: Some("R".into()), stock: 9, ..ProductSpec::default() }).await;
    let (clerk, admin) = (app.user_with(STAFF, &[here]).await, app.admin().await);
    let victim = app.customer().await;
    make_victim(&app, there, victim.id, ", email = 'victim@souk.example', email_verified_at = now()").await;
    let known = json!({ "userId": victim.global_id(), "websiteId": here.to_global_id(), "externalId": "7" });
    assert_eq!(admin.try_mutate("userIdentityAdd", known).await, "done");
    victim.order(&[(rope.id, 1)]).await;
    let review = json!({ "productId": rope.id.to_global_id(), "rating": 2 });
    assert_eq!(victim.try_mutate("reviewCreate", review).await, "done");
    let more = json!({ "resource": "ORDERS", "format": "SOUK_JSONL" });
    assert_eq!(run_import(&admin, here, &orders("A-1", "\"customer_id\":\"7\""), more.clone()).await["created"], 1);
    // The outcome does not depend on the guess.
    let mut outcomes = Vec::new();
    for email in ["victim@souk.example", "wrong@souk.example"] {
        let file = customers("New", "7", email);
        let run = run_import(&clerk, here, &file, json!({ "resource": "CUSTOMERS" })).await;
        assert_eq!(run["rejected"], 1, "{run:#}");
        outcomes.push(report(&run));
    }
    assert_eq!(outcomes[0], outcomes[1]);
    let by_id = run_import(&clerk, here, &orders("A-2", "\"customer_id\":\"7\""), more).await;
    assert_eq!(by_id["errors"][0]["message"], "there is no such customer; import customers first");
    for resource in ["CUSTOMERS", "ORDERS", "REVIEWS", "WISHLISTS", "STOCK_MOVEMENTS"] {
        let file = export(&clerk, here, resource).await;
        // The contact of an order that was placed at the website belongs to the order.
        let file = file.replacen("victim@souk.example", "", usize::from(resource == "ORDERS"));
        for trace in ["Victim", "victim@", "Secret", "460999", ",7,"] {
            assert!(!file.contains(trace), "{trace} in {resource}: {file}");
        }
    }
    // Staff who see no users export no users, and do not read the files of others who do.
    let packer = app.user_with(&[Permission::ManageOrders], &[]).await;
    let file = export(&packer, here, "ORDERS").await;
    assert!(!file.contains(",7,") && file.matches("victim@").count() <= 1, "{file}");
    let input = json!({ "resource": "CUSTOMERS", "websiteId": here.to_global_id(), "idempotencyKey": "all" });
    let all = admin.mutate("exportStart", "transfer { id }", input).await.text_at("exportStart.transfer.id");
    app.run_jobs().await;
    assert!(transfer_status(&admin, &all).await["downloadUrl"].is_string());
    assert_eq!(transfer_status(&clerk, &all).await["downloadUrl"], Value::Null);
}

#[tokio::test]
async fn imports_create_categories_brands_and_suppliers_only_with_the_permission() {
    let app = TestApp::new().await;
    let here = app.website("here").await.id;
    app.category("mugs", None).await;
    let file = "sku,name,price,category,brand,supplier\n\
                a,Mug,1,mugs,,\n\
                b,Cup,1,New > Cups,,\n\
                c,Jug,1,mugs,New brand,\n\
                d,Pot,1,,,New supplier\n\
                e,Pan,1,,,\n";
    let counted =
        "SELECT (SELECT count(*) FROM categories), (SELECT count(*) FROM brands), (SELECT count(*) FROM suppliers)";
    let limited = app.user_with(&[Permission::ManageProducts], &[here]).await;
    let before = app.database.rows(counted).await;
    for is_dry_run in [true, false] {
        let run = run_import(&limited, here, file, json!({ "isDryRun": is_dry_run })).await;
        assert_eq!((&run["created"], &run["rejected"]), (&json!(2), &json!(3)), "{run:#}");
        let errors = run["errors"].to_string();
        for name in ["New > Cups", "New brand", "New supplier"] {
            assert!(errors.contains(name) && errors.contains("MANAGE_CATALOGUE"), "{name}: {errors}");
        }
        assert_eq!(app.database.rows(counted).await, before);
    }
    let both = app.user_with(&[Permission::ManageProducts, Permission::ManageCatalogue], &[here]).await;
    let run = run_import(&both, here, file, json!({})).await;
    assert_eq!((&run["created"], &run["rejected"]), (&json!(3), &json!(0)), "{run:#}");
}

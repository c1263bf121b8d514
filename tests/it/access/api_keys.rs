//! API keys: who may create which, what they may do, and that the database does not contain them.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{
    access::actions::{cache::refresh_cache, keys::write_last_used},
    auth::Permission,
    ids::{RowId, UserId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

const FIELDS: &str =
    "secret apiKey { id name prefix permissions websites { id } createdAt lastUsedAt expiresAt __typename }";

/// Creates a key through GraphQL.
pub async fn try_create_key(owner: &Actor<'_>, input: Value) -> TestResponse {
    owner.mutate("apiKeyCreate", FIELDS, input).await
}

/// Returns an input for a key with these permissions.
pub fn key_input(permissions: &[Permission]) -> Value {
    let codes: Vec<_> = permissions.iter().map(|permission| permission.as_str()).collect();
    json!({ "name": "Cash register", "permissions": codes })
}

fn key_input_at(permissions: &[Permission], websites: &[WebsiteId]) -> Value {
    let mut input = key_input(permissions);
    input["websites"] = websites.iter().map(|website| website.to_global_id()).collect();
    input
}

/// Creates a key of this owner and returns an actor that sends it.
pub async fn api_key_actor<'a>(owner: &Actor<'a>, input: Value) -> Actor<'a> {
    owner.app.with_key(try_create_key(owner, input).await.text_at("apiKeyCreate.secret"), owner.id)
}

pub async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "__typename", input).await.outcome(mutation)
}

/// Creates a brand, which requires MANAGE_CATALOGUE.
async fn create_brand(actor: &Actor<'_>) -> String {
    try_mutate(actor, "brandCreate", json!({ "name": format!("B {}", uuid::Uuid::new_v4()) })).await
}

#[tokio::test]
async fn api_key_secret_is_shown_once_and_never_stored() {
    let app = TestApp::new().await;
    let (admin, website) = (app.admin().await, app.website("sailor").await);
    let mut input = key_input_at(&[Permission::ManageStock, Permission::ManageCatalogue], &[website.id]);
    input["expiresAt"] = json!("2099-01-01T00:00:00Z");
    let response = try_create_key(&admin, input).await;
    let (secret, prefix) = (response.text_at("apiKeyCreate.secret"), response.text_at("apiKeyCreate.apiKey.prefix"));
    let random = secret.strip_prefix(&format!("{prefix}_")).expect("the key starts with its prefix");
    assert_eq!((random.len(), prefix.len()), (43, "souk_k_".len() + 8));
    let key = response.at("apiKeyCreate.apiKey");
    assert_eq!(key["permissions"], json!(["MANAGE_CATALOGUE", "MANAGE_STOCK"]));
    assert_eq!(key["websites"], json!([{ "id": website.id.to_global_id() }]));
    assert_eq!(key["expiresAt"], "2099-01-01T00:00:00+00:00");
    let again = try_create_key(&admin, key_input(&[])).await;
    assert_ne!(again.text_at("apiKeyCreate.apiKey.prefix"), prefix);
    let list =
        "{ me { apiKeys { id name prefix permissions websites { id } createdAt lastUsedAt expiresAt __typename } } }";
    let list = admin.run(list).await;
    assert_eq!(*list.at("me.apiKeys"), json!([again.at("apiKeyCreate.apiKey"), key]));
    assert!(!list.text.contains(random));

    // Using the key does not store it either.
    app.with_key(secret.clone(), admin.id).run("{ websites { nodes { id } } }").await.at("websites.nodes");
    write_last_used(&app.database.db, &app.services.permission_cache).await.unwrap();
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let mut prefixes = 0;
    for table in app.database.rows(tables).await {
        let table = table.trim_matches(['(', ')']);
        let text = app.database.rows(&format!("SELECT r::text FROM {table} r")).await.join("\n");
        assert!(!text.contains(random), "{table} contains the key");
        prefixes += text.matches(&prefix).count();
    }
    assert_eq!(prefixes, 2, "the prefix is in the table and the audit log");
}

#[tokio::test]
async fn api_key_is_limited_to_its_permissions() {
    use Permission::*;
    let app = TestApp::new().await;
    let (admin, website, stranger) = (app.admin().await, app.website("sailor").await, app.customer().await);
    let product = app.product(website.id, ProductSpec { stock: 5, ..ProductSpec::default() }).await;
    let order = stranger.order(&[(product.id, 1)]).await;
    let name = || format!("n{}", uuid::Uuid::new_v4().simple());
    for permission in Permission::ALL {
        let key = api_key_actor(&admin, key_input(&[*permission])).await;
        let new_product =
            json!({ "sourceWebsiteId": website.id.to_global_id(), "name": name(), "sku": name(), "price": "1.00" });
        // The mutation, its input, and the permissions that allow it.
        let table: [(&str, Value, &[Permission]); 7] = [
            (
                "websiteCreate",
                json!({ "code": name(), "name": name(), "baseUrl": "https://a.example", "currency": "EUR" }),
                &[ManageWebsites],
            ),
            ("userCreate", json!({ "name": name(), "email": format!("{}@souk.example", name()) }), &[ManageUsers]),
            ("brandCreate", json!({ "name": name() }), &[ManageCatalogue]),
            ("productCreate", new_product, &[ManageProducts, SellProducts]),
            ("roleCreate", json!({ "code": name(), "name": name(), "permissions": [] }), &[ManageRoles]),
            ("supplierCreate", json!({ "name": name() }), &[ManageCatalogue]),
            (
                "roleCreate",
                json!({ "code": name(), "name": name(), "permissions": [permission.as_str()] }),
                &[ManageRoles],
            ),
        ];
        for (mutation, input, opens) in table {
            let expected = if opens.contains(permission) { "done" } else { "!FORBIDDEN" };
            assert_eq!(try_mutate(&key, mutation, input).await, expected, "{mutation} with {permission}");
        }
        // Without the permission a key sees no user, not even its owner.
        let sees = key.run(&format!("{{ order(id: {order:?}) {{ id }} users {{ nodes {{ id }} }} }}")).await;
        assert_eq!(!sees.at("order").is_null(), *permission == ManageOrders, "{permission}");
        assert_eq!(*sees.at("users.nodes") != json!([]), *permission == ManageUsers, "{permission}");
    }
    // A key cannot grant permissions that it lacks, even if its owner has them.
    let key = api_key_actor(&admin, key_input(&[ManageRoles])).await;
    let more = json!({ "code": name(), "name": name(), "permissions": ["MANAGE_ORDERS"] });
    assert_eq!(try_mutate(&key, "roleCreate", more).await, "PERMISSION_NOT_HELD permissions");
    // A key without permissions sees what is public.
    let key = api_key_actor(&stranger, key_input(&[])).await;
    assert_eq!(key.run("{ me { id } }").await.code(), "FORBIDDEN");
    assert_eq!(*key.run("{ orders { nodes { id } } }").await.at("orders.nodes"), json!([]));
    assert_ne!(*key.run("{ products { nodes { id } } }").await.at("products.nodes"), json!([]));
    assert_eq!(create_brand(&key).await, "!FORBIDDEN");
}

#[tokio::test]
async fn api_key_cannot_manage_the_account() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.admin().await;
    let key = api_key_actor(&admin, key_input(Permission::ALL)).await;
    let (me, own) = (admin.global_id(), admin.run("{ me { apiKeys { id } sessions { id } } }").await);
    for (mutation, input) in [
        ("apiKeyCreate", key_input(&[])),
        ("apiKeyRevoke", json!({ "id": own.text_at("me.apiKeys.0.id") })),
        ("sessionRevoke", json!({ "id": own.text_at("me.sessions.0.id") })),
        ("userUpdate", json!({ "id": me, "name": "Machine" })),
        ("userDeactivate", json!({ "id": me })),
    ] {
        assert_eq!(try_mutate(&key, mutation, input).await, "!FORBIDDEN", "{mutation}");
    }
    for document in
        ["mutation { logout { userErrors { code } } }", "mutation { logoutEverywhere { userErrors { code } } }"]
    {
        assert_eq!(key.run(document).await.code(), "FORBIDDEN");
    }
    let seen = key.run("{ me { apiKeys { id } sessions { id } } }").await;
    assert_eq!(*seen.at("me"), json!({ "apiKeys": [], "sessions": [] }));
    assert_eq!(admin.run("{ me { apiKeys { id } } }").await.at("me.apiKeys").as_array().unwrap().len(), 1);
    assert_eq!(try_create_key(&app.anonymous(), key_input(&[])).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn api_key_cannot_exceed_the_permissions_of_its_creator() {
    use Permission::*;
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await.id, app.website("rise").await.id);
    let (admin, seller) = (app.admin().await, app.seller().await);
    let limited = app.user_with(&[ManageProducts], &[here]).await;
    let named = |name: &str| json!({ "name": name, "permissions": [] });
    let until = |moment: &str| json!({ "name": "A", "permissions": [], "expiresAt": moment });
    let many: Vec<WebsiteId> = (1..=101).map(WebsiteId).collect();
    for (owner, input, expected) in [
        (&seller, key_input(&[SellProducts]), "done"),
        (&seller, key_input(&[SellProducts, ManageProducts]), "PERMISSION_NOT_HELD permissions"),
        (&limited, key_input_at(&[ManageProducts], &[here, here]), "done"),
        (&limited, key_input_at(&[ManageProducts], &[]), "done"),
        (&limited, key_input_at(&[ManageProducts], &[here, there]), "PERMISSION_NOT_HELD websites"),
        (&limited, key_input_at(&[], &[there]), "PERMISSION_NOT_HELD websites"),
        (&admin, key_input_at(&[ManageProducts], &[here, there]), "done"),
        (&admin, key_input_at(&[], &[WebsiteId(999)]), "NOT_FOUND websites"),
        (&admin, key_input_at(&[], &many), "OUT_OF_RANGE websites"),
        (&admin, json!({ "name": "A", "permissions": [], "websites": [admin.global_id()] }), "INVALID websites.0"),
        (&admin, named(" "), "REQUIRED name"),
        (&admin, named(&"a".repeat(101)), "TOO_LONG name"),
        (&admin, named(&"a".repeat(100)), "done"),
        (&admin, until("2020-01-01T00:00:00Z"), "INVALID expiresAt"),
        (&admin, json!({ "name": "A", "permissions": ["ADMIN"] }), "!BAD_USER_INPUT"),
    ] {
        let before = app.database.scalar("SELECT count(*) FROM api_keys").await;
        assert_eq!(try_mutate(owner, "apiKeyCreate", input.clone()).await, expected, "{input}");
        let after = app.database.scalar("SELECT count(*) FROM api_keys").await;
        assert_eq!(after != before, expected == "done", "{input}");
    }
}

#[tokio::test]
async fn user_has_at_most_fifty_api_keys() {
    let app = TestApp::new().await;
    let (owner, other) = (app.customer().await, app.customer().await);
    let forty_eight = format!(
        "INSERT INTO api_keys (user_id, name, prefix, hash) SELECT {}, 'A', 'souk_k_' || repeat('a', 6)
            || chr(97 + i / 26) || chr(97 + i % 26), sha256(i::text::bytea) FROM generate_series(1, 48) i",
        owner.id.0
    );
    app.database.sql(&forty_eight).await;
    let made = join_all((0..5).map(|_| try_mutate(&owner, "apiKeyCreate", key_input(&[])))).await;
    assert_eq!(made.iter().filter(|outcome| *outcome == "done").count(), 2, "{made:?}");
    assert_eq!(made.iter().filter(|outcome| *outcome == "OUT_OF_RANGE").count(), 3, "{made:?}");
    assert_eq!(try_mutate(&other, "apiKeyCreate", key_input(&[])).await, "done");
    let first = owner.run("{ me { apiKeys { id } } }").await;
    assert_eq!(first.at("me.apiKeys").as_array().unwrap().len(), 50);
    let revoke = json!({ "id": first.text_at("me.apiKeys.0.id") });
    assert_eq!(try_mutate(&owner, "apiKeyRevoke", revoke).await, "done");
    assert_eq!(try_mutate(&owner, "apiKeyCreate", key_input(&[])).await, "done");
}

#[tokio::test]
async fn api_key_works_only_at_websites_of_both_key_and_owner() {
    use Permission::ManageProducts;
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await.id, app.website("rise").await.id);
    let (admin, limited) = (app.admin().await, app.user_with(&[ManageProducts], &[here]).await);
    let add = async |key: &Actor<'_>, website: WebsiteId| {
        let sku = uuid::Uuid::new_v4().to_string();
        let input = json!({ "sourceWebsiteId": website.to_global_id(), "name": "Lamp", "sku": sku, "price": "1.00" });
        try_mutate(key, "productCreate", input).await == "done"
    };
    let everywhere = api_key_actor(&admin, key_input_at(&[ManageProducts], &[])).await;
    let narrow = api_key_actor(&admin, key_input_at(&[ManageProducts], &[there])).await;
    let as_owner = api_key_actor(&limited, key_input_at(&[ManageProducts], &[])).await;
    let both = api_key_actor(&admin, key_input_at(&[ManageProducts], &[here, there])).await;
    for (key, expected) in
        [(&everywhere, [true, true]), (&narrow, [false, true]), (&as_owner, [true, false]), (&both, [true, true])]
    {
        assert_eq!([add(key, here).await, add(key, there).await], expected);
    }
    // The owner's role is limited from now on; the key keeps what both allow.
    app.admin().await;
    let role = limited.run("{ me { role { id } } }").await.text_at("me.role.id");
    let chief = app.admin().await;
    assert_eq!(try_mutate(&chief, "userRoleSet", json!({ "userId": admin.global_id(), "role": role })).await, "done");
    for (key, expected) in [(&everywhere, [true, false]), (&narrow, [false, false]), (&both, [true, false])] {
        assert_eq!([add(key, here).await, add(key, there).await], expected);
    }
}

#[tokio::test]
async fn downgrade_of_the_owner_limits_the_api_key_immediately() {
    let app = TestApp::new().await;
    let (chief, owner) = (app.admin().await, app.user_with(&[Permission::ManageCatalogue], &[]).await);
    let key = api_key_actor(&owner, key_input(&[Permission::ManageCatalogue])).await;
    assert_eq!(create_brand(&key).await, "done");
    let role = owner.run("{ me { role { id } } }").await.text_at("me.role.id");
    let give = async |permissions: Value| {
        try_mutate(&chief, "roleUpdate", json!({ "id": role, "permissions": permissions })).await
    };
    assert_eq!(give(json!([])).await, "done");
    assert_eq!(create_brand(&key).await, "!FORBIDDEN");
    // Unlike a token, the key works again as soon as the role grants the permission again.
    assert_eq!(give(json!(["MANAGE_CATALOGUE", "MANAGE_STOCK"])).await, "done");
    assert_eq!(create_brand(&key).await, "done");
    let move_down = json!({ "userId": owner.global_id(), "role": "customer" });
    assert_eq!(try_mutate(&chief, "userRoleSet", move_down).await, "done");
    assert_eq!(create_brand(&key).await, "!FORBIDDEN");
    // Another server applies it at its next refresh, within a second.
    let elsewhere = app.second_server().await;
    refresh_cache(&elsewhere.database.db, &elsewhere.services.permission_cache).await.unwrap();
    let secret = try_create_key(&app.admin().await, key_input(&[Permission::ManageCatalogue]))
        .await
        .text_at("apiKeyCreate.secret");
    assert_eq!(create_brand(&elsewhere.with_key(secret, UserId(0))).await, "done");
}

#[tokio::test]
async fn api_keys_of_other_users_are_not_found() {
    let app = TestApp::new().await;
    let (owner, other, admin) = (app.customer().await, app.customer().await, app.admin().await);
    let made = try_create_key(&owner, key_input(&[])).await;
    let id = made.text_at("apiKeyCreate.apiKey.id");
    let node = format!("{{ node(id: {id:?}) {{ __typename id ... on ApiKey {{ name }} }} }}");
    let expected = json!({ "__typename": "ApiKey", "id": id, "name": "Cash register" });
    assert_eq!(*owner.run(&node).await.at("node"), expected);
    let unknown = json!({ "id": souk::ids::ApiKeyId(999).to_global_id() });
    for stranger in [&other, &admin] {
        assert_eq!(*stranger.run(&node).await.at("node"), Value::Null);
        let theirs = stranger.mutate("apiKeyRevoke", "apiKey { id }", json!({ "id": id })).await;
        let nobodys = stranger.mutate("apiKeyRevoke", "apiKey { id }", unknown.clone()).await;
        assert_eq!(theirs.at("apiKeyRevoke"), nobodys.at("apiKeyRevoke"));
        assert_eq!(theirs.outcome("apiKeyRevoke"), "NOT_FOUND id");
    }
    assert_eq!(*app.anonymous().run(&node).await.at("node"), Value::Null);
    let wrong = json!({ "id": owner.global_id() });
    assert_eq!(try_mutate(&owner, "apiKeyRevoke", wrong).await, "INVALID id");
    let all = admin.run("{ users { nodes { apiKeys { id } } } }").await;
    assert!(all.at("users.nodes").as_array().unwrap().iter().all(|user| user["apiKeys"] == json!([])));
    // A revoked key is not found.
    assert_eq!(try_mutate(&owner, "apiKeyRevoke", json!({ "id": id })).await, "done");
    assert_eq!(try_mutate(&owner, "apiKeyRevoke", json!({ "id": id })).await, "NOT_FOUND id");
    assert_eq!(*owner.run(&node).await.at("node"), Value::Null);
    assert_eq!(*owner.run("{ me { apiKeys { id } } }").await.at("me.apiKeys"), json!([]));
}

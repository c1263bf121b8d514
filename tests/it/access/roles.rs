//! Roles as data: who may create which, who may assign them, and when changes take effect.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RoleId, RowId},
};

use crate::support::{Actor, TestApp, query_scalar};

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "__typename", input).await.outcome(mutation)
}

/// Returns the id of a role in the database.
async fn role_id(app: &TestApp, code: &str) -> String {
    let id = app.database.scalar(&format!("SELECT id FROM roles WHERE code = '{code}'")).await;
    souk::ids::RoleId(id.parse().unwrap()).to_global_id()
}

#[tokio::test]
async fn role_is_created_updated_listed_and_deleted() {
    let app = TestApp::new().await;
    let (admin, website) = (app.admin().await, app.website("sailor").await);
    let fields = "role { id code name description permissions isBuiltin websites { code } }";
    let input = json!({
        "code": "librarian", "name": "Librarian", "description": "Keeps the shelves.",
        "permissions": ["MANAGE_CATALOGUE", "MANAGE_PRODUCTS"], "websites": [website.id.to_global_id()],
    });
    let made = admin.mutate("roleCreate", fields, input).await;
    let id = made.text_at("roleCreate.role.id");
    let mut expected = json!({
        "id": id, "code": "librarian", "name": "Librarian", "description": "Keeps the shelves.",
        "permissions": ["MANAGE_CATALOGUE", "MANAGE_PRODUCTS"], "isBuiltin": false, "websites": [{ "code": "sailor" }],
    });
    assert_eq!(made.at("roleCreate.role"), &expected);
    let change = json!({ "id": id, "name": "Keeper", "permissions": ["MANAGE_STOCK"], "websites": null });
    let changed = admin.mutate("roleUpdate", fields, change).await;
    expected["name"] = json!("Keeper");
    expected["permissions"] = json!(["MANAGE_STOCK"]);
    expected["websites"] = json!([]);
    assert_eq!(changed.at("roleUpdate.role"), &expected);
    let unchanged = admin.mutate("roleUpdate", fields, json!({ "id": id })).await;
    assert_eq!(unchanged.at("roleUpdate.role"), &expected);
    let listed = admin.run("{ roles { totalCount { value } nodes { code } } }").await;
    assert_eq!(
        listed.at("roles.nodes"),
        &json!([{ "code": "admin" }, { "code": "customer" }, { "code": "librarian" }, { "code": "manager" }, { "code": "seller" }])
    );
    let own = admin.run("{ roles(where: { isBuiltin: false }) { nodes { code } } }").await;
    assert_eq!(own.at("roles.nodes"), &json!([{ "code": "librarian" }]));
    let removed = admin.mutate("roleDelete", "role { code }", json!({ "id": id })).await;
    assert_eq!(removed.text_at("roleDelete.role.code"), "librarian");
    assert_eq!(try_mutate(&admin, "roleDelete", json!({ "id": id })).await, "NOT_FOUND id");
}

#[tokio::test]
async fn rejected_role_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.user_with(&[Permission::ManageStock], &[]).await;
    let held = role_id(&app, "customer").await;
    let taken = app.database.scalar("SELECT code FROM roles WHERE NOT is_builtin").await;
    let new = |code: &str, name: &str| json!({ "code": code, "name": name, "permissions": [] });
    let before = app.database.contents().await;
    for (mutation, input, expected) in [
        ("roleCreate", new("", "A"), "INVALID code"),
        ("roleCreate", new("Upper", "A"), "INVALID code"),
        ("roleCreate", new("1st", "A"), "INVALID code"),
        ("roleCreate", new("a b", "A"), "INVALID code"),
        ("roleCreate", new(&"a".repeat(51), "A"), "INVALID code"),
        ("roleCreate", new("a", " "), "REQUIRED name"),
        ("roleCreate", new("a", &"n".repeat(256)), "TOO_LONG name"),
        ("roleCreate", new("", ""), "INVALID code, REQUIRED name"),
        ("roleCreate", new(&taken, "A"), "TAKEN code"),
        ("roleCreate", new("admin", "A"), "TAKEN code"),
        ("roleCreate", json!({ "code": "a", "name": "A", "permissions": ["FLY"] }), "!BAD_USER_INPUT"),
        ("roleCreate", json!({ "code": "a", "name": "A", "permissions": [], "isBuiltin": true }), "!BAD_USER_INPUT"),
        (
            "roleCreate",
            json!({ "code": "a", "name": "A", "permissions": [], "websites": [souk::ids::WebsiteId(99).to_global_id()] }),
            "NOT_FOUND websites",
        ),
        ("roleUpdate", json!({ "id": held, "name": "Kings" }), "PROTECTED id"),
        ("roleUpdate", json!({ "id": souk::ids::RoleId(99).to_global_id(), "name": "Kings" }), "NOT_FOUND id"),
        ("roleUpdate", json!({ "id": souk::ids::UserId(1).to_global_id() }), "INVALID id"),
        ("roleUpdate", json!({ "id": role_id(&app, &taken).await, "permissions": null }), "REQUIRED permissions"),
        ("roleDelete", json!({ "id": held }), "PROTECTED id"),
        ("roleDelete", json!({ "id": role_id(&app, &taken).await }), "IN_USE id"),
    ] {
        assert_eq!(try_mutate(&admin, mutation, input.clone()).await, expected, "{mutation} {input}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn user_cannot_grant_permissions_they_lack() {
    let app = TestApp::new().await;
    let (sailor, rise) = (app.website("sailor").await, app.website("rise").await);
    let chief =
        app.user_with(&[Permission::ManageRoles, Permission::ManageUsers, Permission::ManageStock], &[sailor.id]).await;
    let (customer, admin) = (app.customer().await, app.admin().await);
    app.database
        .sql(&format!(
            "UPDATE users SET source_website_id = {} WHERE id IN ({}, {})",
            sailor.id.0, customer.id.0, admin.id.0
        ))
        .await;
    let role = |code: &str, permissions: Value, websites: Value| json!({ "code": code, "name": "N", "permissions": permissions, "websites": websites });
    for (input, expected) in [
        (role("a", json!(["MANAGE_ORDERS"]), json!([sailor.id.to_global_id()])), "PERMISSION_NOT_HELD permissions"),
        (role("b", json!(["MANAGE_STOCK"]), json!([rise.id.to_global_id()])), "PERMISSION_NOT_HELD websites"),
        (role("c", json!(["MANAGE_STOCK"]), json!([])), "PERMISSION_NOT_HELD websites"),
        (role("e", json!([]), json!([])), "PERMISSION_NOT_HELD websites"),
        (role("d", json!(["MANAGE_STOCK"]), json!([sailor.id.to_global_id()])), "done"),
    ] {
        assert_eq!(try_mutate(&chief, "roleCreate", input.clone()).await, expected, "{input}");
    }
    for widen in [json!({ "websites": null }), json!({ "permissions": [], "websites": [] })] {
        let mut input = widen;
        input["id"] = json!(role_id(&app, "d").await);
        assert_eq!(try_mutate(&chief, "roleUpdate", input).await, "PERMISSION_NOT_HELD websites");
    }
    for (user, code, expected) in [
        (&customer, "d", "done"),
        (&customer, "customer", "done"),
        (&customer, "manager", "PERMISSION_NOT_HELD role"),
        (&customer, "admin", "PERMISSION_NOT_HELD role"),
        (&admin, "customer", "PERMISSION_NOT_HELD userId"),
    ] {
        let input = json!({ "userId": user.global_id(), "role": code });
        assert_eq!(try_mutate(&chief, "userRoleSet", input).await, expected, "{code}");
    }
    let stranger = app.customer().await;
    let input = json!({ "userId": stranger.global_id(), "role": "d" });
    assert_eq!(
        try_mutate(&chief, "userRoleSet", input).await,
        "NOT_FOUND userId",
        "the user belongs to another website"
    );
}

#[tokio::test]
async fn inputs_name_a_role_by_its_code_or_id() {
    let app = TestApp::new().await;
    let (admin, user) = (app.admin().await, app.customer().await);
    let seller = role_id(&app, "seller").await;
    let set = async |role: &str| {
        let input = json!({ "userId": user.global_id(), "role": role });
        let response = admin.mutate("userRoleSet", "user { role { code } }", input).await;
        match response.outcome("userRoleSet").as_str() {
            "done" => response.text_at("userRoleSet.user.role.code"),
            outcome => outcome.to_owned(),
        }
    };
    let create = async |index: usize, role: &str| {
        let input = json!({ "name": "New", "email": format!("new-{index}@souk.example"), "role": role });
        let response = admin.mutate("userCreate", "user { role { code } }", input).await;
        match response.outcome("userCreate").as_str() {
            "done" => response.text_at("userCreate.user.role.code"),
            outcome => outcome.to_owned(),
        }
    };
    let unknown = RoleId(999).to_global_id();
    for (index, (role, expected)) in [
        ("manager", "manager"),
        (seller.as_str(), "seller"),
        (" customer ", "customer"),
        ("nothing", "NOT_FOUND role"),
        ("Manager", "NOT_FOUND role"),
        (unknown.as_str(), "NOT_FOUND role"),
        (user.global_id().as_str(), "NOT_FOUND role"),
        ("", "NOT_FOUND role"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(set(role).await, expected, "{role:?}");
        assert_eq!(create(index, role).await, expected, "{role:?}");
    }
}

#[tokio::test]
async fn revoked_permissions_apply_immediately_and_new_ones_after_token_refresh() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let clerk = app.user_with(&[Permission::ManageCatalogue, Permission::ManageProducts], &[]).await;
    let code = app.database.scalar("SELECT code FROM roles WHERE NOT is_builtin").await;
    let id = role_id(&app, &code).await;
    let brand = async |who: &Actor<'_>, name: &str| try_mutate(who, "brandCreate", json!({ "name": name })).await;
    let give = async |permissions: Value| {
        assert_eq!(try_mutate(&admin, "roleUpdate", json!({ "id": id, "permissions": permissions })).await, "done");
    };
    assert_eq!(brand(&clerk, "One").await, "done");
    give(json!(["MANAGE_PRODUCTS"])).await;
    assert_eq!(brand(&clerk, "Two").await, "!FORBIDDEN");
    give(json!(["MANAGE_CATALOGUE", "MANAGE_PRODUCTS", "MANAGE_WEBSITES"])).await;
    assert_eq!(brand(&clerk, "Two").await, "done", "both the token and the role grant it");
    let website = json!({ "code": "rise", "name": "Rise", "baseUrl": "https://rise.example", "currency": "GBP" });
    assert_eq!(try_mutate(&clerk, "websiteCreate", website.clone()).await, "!FORBIDDEN", "the token was issued before");
    assert_eq!(try_mutate(&clerk.log_in_again().await, "websiteCreate", website).await, "done");
    // The user gets another role.
    let input = json!({ "userId": clerk.global_id(), "role": role_id(&app, "customer").await });
    assert_eq!(try_mutate(&admin, "userRoleSet", input).await, "done");
    assert_eq!(brand(&clerk, "Three").await, "!FORBIDDEN");
    assert_eq!(clerk.run("{ me { role { code } } }").await.text_at("me.role.code"), "customer", "still logged in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_admin_cannot_be_demoted() {
    let app = TestApp::new().await;
    let (first, second) = (app.admin().await, app.admin().await);
    let customer = role_id(&app, "customer").await;
    let demote = |who: &Actor<'_>| json!({ "userId": who.global_id(), "role": customer });
    // Both demote each other at the same time.
    let (one, two) = (demote(&second), demote(&first));
    let (one, two) = tokio::join!(try_mutate(&first, "userRoleSet", one), try_mutate(&second, "userRoleSet", two));
    let (done, refused): (Vec<_>, Vec<_>) = [one, two].into_iter().partition(|outcome| outcome == "done");
    assert_eq!((done.len(), refused.len()), (1, 1), "{refused:?}");
    assert!(
        ["PROTECTED userId", "!FORBIDDEN", "PERMISSION_NOT_HELD userId"].contains(&refused[0].as_str()),
        "{refused:?}"
    );
    let last =
        app.database.scalar("SELECT users.id FROM users JOIN roles ON roles.id = role_id WHERE code = 'admin'").await;
    let last = app.existing_user(souk::ids::UserId(last.parse().unwrap()), "admin").await;
    let before = app.database.scalar("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await;
    for (mutation, input, rule) in [
        ("userRoleSet", demote(&last), "PROTECTED userId"),
        ("userDeactivate", json!({ "id": last.global_id() }), "PROTECTED id"),
    ] {
        assert_eq!(try_mutate(&last, mutation, input).await, rule);
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await, before);
    // Nor by SQL.
    let by_hand = format!("UPDATE users SET is_active = false WHERE id = {} RETURNING 1", last.id.0);
    let refused = query_scalar(&app.database.url, &by_hand).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("users_last_admin"));
}

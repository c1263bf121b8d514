//! Links in emails about accounts lead to hosts that only unlimited staff set, and those of staff always to the main shop.

use serde_json::json;
use souk::{
    auth::Permission,
    ids::{RowId, UserId},
};

use crate::support::TestApp;

const MAIN: &str = "https://shop.example/";

#[tokio::test]
async fn limited_role_cannot_change_the_host_or_put_a_url_into_the_name() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let limited = app.user_with(&[Permission::ManageWebsites], &[website]).await;
    let id = website.to_global_id();
    for url in [
        "https://evil.example",
        "https://sailor.example.evil.example",
        "https://sailor.example@evil.example",
        "https://evil.example\\@sailor.example",
        "https://sailor.example:8443",
        "http://sailor.example",
    ] {
        let outcome = limited.try_mutate("websiteUpdate", json!({ "id": id, "baseUrl": url })).await;
        assert_eq!(outcome, "PERMISSION_NOT_HELD baseUrl", "{url}");
    }
    let named = json!({ "id": id, "name": "Log in at evil.example" });
    assert_eq!(limited.try_mutate("websiteUpdate", named.clone()).await, "PERMISSION_NOT_HELD name");
    let path = json!({ "id": id, "baseUrl": "https://sailor.example/de", "name": "Sailor" });
    assert_eq!(limited.try_mutate("websiteUpdate", path).await, "done");
    let moved = json!({ "id": id, "baseUrl": "https://other.example", "name": "other.example" });
    let unlimited = app.user_with(&[Permission::ManageWebsites], &[]).await;
    assert_eq!(unlimited.try_mutate("websiteUpdate", moved).await, "done");
}

#[tokio::test]
async fn emails_to_staff_lead_to_the_main_shop() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let roles = [
        (app.admin().await, MAIN),
        (app.seller().await, MAIN),
        (app.user_with(&[Permission::ManageReviews], &[website]).await, MAIN),
        (app.customer().await, "https://sailor.example/"),
    ];
    for (user, expected) in roles {
        let UserId(id) = user.id;
        let email = format!("user-{id}@souk.example");
        let update = format!("UPDATE users SET source_website_id = {}, email = '{email}' WHERE id = {id}", website.0);
        app.database.sql(&update).await;
        for (mutation, path) in [
            ("passwordForgot", "account/reset-password?token="),
            ("emailVerificationResend", "account/verify-email?token="),
        ] {
            let mut input = json!({ "email": email });
            if mutation == "passwordForgot" {
                input["websiteId"] = website.to_global_id().into();
            }
            assert_eq!(app.anonymous().try_mutate(mutation, input).await, "done");
            let mail = app.email().await;
            assert!(mail.text.contains(&format!("{expected}{path}")), "{mutation}: {}", mail.text);
            let is_main = expected == MAIN;
            assert_eq!(mail.text.contains("sailor"), !is_main, "{}", mail.text);
        }
    }
}

//! A role that is limited to one website must not learn from `userCreate` and `userUpdate` which email addresses have accounts
//! elsewhere.

use serde_json::json;
use souk::{
    auth::Permission,
    ids::{RowId, UserId, WebsiteId},
};

use crate::{
    support::{Actor, TestApp, accounts::PASSWORD},
    transfers::mutations::run_import,
};

/// Creates a user as staff of a website; returns the user's ID.
async fn create(clerk: &Actor<'_>, website: WebsiteId, email: &str) -> String {
    let input = json!({ "name": "Ada", "email": email, "sourceWebsiteId": website.to_global_id() });
    let created = clerk.mutate("userCreate", "user { id }", input).await;
    assert_eq!(created.outcome("userCreate"), "done", "{email}");
    created.text_at("userCreate.user.id")
}

async fn set_email(actor: &Actor<'_>, user: &str, email: &str) -> String {
    actor.try_mutate("userUpdate", json!({ "id": user, "email": email })).await
}

/// Returns everything that staff of a website can observe when they create a user with this address, and give it to others.
async fn observed(clerk: &Actor<'_>, website: WebsiteId, email: &str, account: UserId) -> String {
    let mut seen = Vec::new();
    let input = |email: &str| json!({ "name": "Ada", "email": email, "sourceWebsiteId": website.to_global_id() });
    let fields = "{ id name email phone isEmailVerified isActive role { code } sourceWebsite { code } }";
    let show = async |user: &str| {
        let document = format!("query ($id: ID!) {{ node(id: $id) {{ ... on User {fields} }} }}");
        clerk.run_with(&document, json!({ "id": user })).await.json["data"].clone()
    };
    // An account and an invited user of the website get the address, before anyone here has it.
    let invited = create(clerk, website, &format!("spare-{email}")).await;
    let (ours, other) = (account.to_global_id(), format!("other-{email}"));
    seen.push(json!(set_email(clerk, &ours, email).await));
    clerk.app.run_jobs().await;
    seen.push(show(&ours).await);
    seen.push(json!(set_email(clerk, &invited, email).await));
    clerk.app.run_jobs().await;
    seen.push(show(&invited).await);
    seen.push(json!(set_email(clerk, &invited, &other).await));
    // A user is created with it, twice.
    let created = clerk.mutate("userCreate", &format!("user {fields}"), input(email)).await;
    seen.push(created.json["data"].clone());
    let user = created.text_at("userCreate.user.id");
    clerk.app.run_jobs().await;
    seen.push(show(&user).await);
    seen.push(json!(clerk.try_mutate("userCreate", input(email)).await));
    seen.push(json!(set_email(clerk, &invited, email).await));
    let listed =
        clerk.run(&format!("{{ users(where: {{email: {{eq: {email:?}}}}}) {{ nodes {{ id email }} }} }}")).await;
    seen.push(listed.json["data"].clone());
    let text = json!(seen).to_string();
    text.replace(&user, "CREATED").replace(&invited, "INVITED").replace(&ours, "OURS").replace(email, "EMAIL")
}

#[tokio::test]
async fn staff_of_a_website_learn_nothing_about_accounts_of_another() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let clerk = app.user_with(&[Permission::ManageUsers], &[here]).await;
    let admin = app.admin().await;
    app.register_verified("verified@souk.example").await;
    let inactive = app.register_verified("inactive@souk.example").await;
    app.register("pending@souk.example").await;
    let file = "external_id,email,name\nV,imported@souk.example,Victim\n";
    run_import(&admin, there, file, json!({ "resource": "CUSTOMERS" })).await;
    app.database
        .sql(&format!(
            "UPDATE users SET source_website_id = {there}, name = 'Victim' WHERE email LIKE '%@souk.example' AND id <> {clerk};
             UPDATE users SET is_active = false WHERE id = {inactive};
             UPDATE users SET email = 'staff@souk.example' WHERE id = {admin}",
            there = there.0,
            clerk = clerk.id.0,
            inactive = inactive.0,
            admin = admin.id.0
        ))
        .await;
    let stored =
        "SELECT id, name, email, imported_email, is_active, source_website_id FROM users WHERE source_website_id = "
            .to_owned()
            + &there.0.to_string()
            + " ORDER BY id";
    let before = app.database.rows(&stored).await;
    let mut all = Vec::new();
    for name in ["nobody", "verified", "inactive", "pending", "imported", "staff"] {
        let account = app.customer().await.id;
        let ours = format!(
            "UPDATE users SET source_website_id = {}, name = 'Ours', email = 'ours-{name}@souk.example' WHERE id = {}",
            here.0, account.0
        );
        app.database.sql(&ours).await;
        all.push((name, observed(&clerk, here, &format!("{name}@souk.example"), account).await));
    }
    let (_, expected) = &all[0];
    let expected = expected.clone();
    assert!(expected.contains("TAKEN email") && !expected.contains("Victim"), "{expected}");
    for (name, seen) in all {
        let seen = seen.replace(&format!("ours-{name}"), "ours-nobody");
        assert_eq!(seen, expected, "{name}");
    }
    assert_eq!(app.database.rows(&stored).await, before, "the users of the other website");
    let with_password = json!({ "name": "Ada", "email": "new@souk.example", "password": PASSWORD,
        "sourceWebsiteId": here.to_global_id() });
    // A login with the password would tell whether the address was free.
    assert_eq!(clerk.try_mutate("userCreate", with_password.clone()).await, "PERMISSION_NOT_HELD password");
    assert_eq!(admin.try_mutate("userCreate", with_password).await, "done");
}

#[tokio::test]
async fn invited_user_accepts_and_account_is_told_that_it_exists() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let clerk = app.user_with(&[Permission::ManageUsers], &[here]).await;
    let invited = create(&clerk, here, "ada@souk.example").await;
    let mail = app.email().await;
    assert!(mail.to == ["ada@souk.example"] && mail.text.contains("/account/reset-password?token="), "{}", mail.text);
    assert_eq!(app.login("ada@souk.example", PASSWORD).await.outcome("login"), "INVALID_CREDENTIALS email");
    let accepted = app.use_token("passwordReset", &mail.token()).await;
    let expected = json!({ "id": invited, "email": "ada@souk.example", "isEmailVerified": true });
    assert_eq!(accepted.at("passwordReset.user"), &expected);
    assert_eq!(app.login("ada@souk.example", PASSWORD).await.outcome("login"), "done");
    assert_eq!(app.use_token("passwordReset", &mail.token()).await.outcome("passwordReset"), "INVALID_TOKEN token");
    app.emails().await;

    // The owner of an account learns of the attempt, and the account stays as it is.
    let known = app.register_verified("known@souk.example").await;
    app.database.sql(&format!("UPDATE users SET source_website_id = {} WHERE id = {}", there.0, known.0)).await;
    app.emails().await;
    let created = create(&clerk, here, "known@souk.example").await;
    let mail = app.email().await;
    assert!(mail.to == ["known@souk.example"] && mail.header("subject").starts_with("You already have"), "{mail:?}");
    assert_ne!(created, known.to_global_id());
    assert_eq!(app.login("known@souk.example", PASSWORD).await.text_at("login.user.id"), known.to_global_id());

    // A mistyped address is corrected: the link that was sent to the old one is worthless.
    let mistyped = create(&clerk, here, "bbo@souk.example").await;
    let old = app.email().await.token();
    assert_eq!(set_email(&clerk, &mistyped, "bob@souk.example").await, "done");
    let mail = app.email().await;
    assert_eq!(mail.to, ["bob@souk.example"]);
    assert_eq!(app.use_token("passwordReset", &old).await.outcome("passwordReset"), "INVALID_TOKEN token");
    assert_eq!(app.use_token("passwordReset", &mail.token()).await.outcome("passwordReset"), "done");
}

#[tokio::test]
async fn staff_of_a_website_cannot_change_the_address_of_an_account() {
    let app = TestApp::new().await;
    let here = app.website("here").await.id;
    let clerk = app.user_with(&[Permission::ManageUsers], &[here]).await;
    let ada = app.register_verified("ada@souk.example").await;
    app.database.sql(&format!("UPDATE users SET source_website_id = {} WHERE id = {}", here.0, ada.0)).await;
    app.emails().await;
    let ada = ada.to_global_id();
    assert_eq!(set_email(&clerk, &ada, "evil@souk.example").await, "PERMISSION_NOT_HELD email");
    assert_eq!(app.emails().await.len(), 0);
    let renamed = clerk.try_mutate("userUpdate", json!({ "id": ada, "name": "Countess", "email": "Ada@souk.example" }));
    assert_eq!(renamed.await, "done", "the address is the same");
    assert_eq!(set_email(&app.admin().await, &ada, "new@souk.example").await, "done");
}

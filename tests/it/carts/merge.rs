//! Merging a guest's cart into the user's at login and registration, and what the payload says about it.

use serde_json::{Value, json};
use souk::ids::{ProductId, RowId, UserId};

use super::{CART, spec};
use crate::support::{Actor, TestApp, TestResponse, accounts::PASSWORD};

const ADA: &str = "ada@souk.example";

/// Fields of a payload about the cart.
const MERGED: &str = "accessToken cartMergeStatus cart { id lines { quantity product { id } } total { currency } }";

async fn log_in(app: &TestApp, cart: Option<String>, fields: &str) -> TestResponse {
    let input = json!({ "email": ADA, "password": PASSWORD });
    app.anonymous().with_cart(cart).mutate("login", fields, input).await
}

/// Registers a user and returns the actor of the new session.
async fn register(app: &TestApp) -> Actor<'_> {
    let input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD });
    let registered = app.anonymous().mutate("register", "accessToken", input).await;
    app.with_token(registered.text_at("register.accessToken"), UserId(0))
}

/// Creates a product of a website with prices in pounds.
async fn product_in_pounds(app: &TestApp) -> ProductId {
    let pounds = app.website("pounds").await;
    app.database.sql("UPDATE websites SET currency = 'GBP' WHERE code = 'pounds'").await;
    app.product(pounds.id, spec("4.00", 9)).await.id
}

/// Returns products and quantities of a cart.
fn lines(cart: &Value) -> Value {
    let lines = cart["lines"].as_array().expect("lines").iter();
    lines.map(|line| json!([line["product"]["id"], line["quantity"]])).collect()
}

#[tokio::test]
async fn guest_cart_is_merged_into_the_user_cart_at_login() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let [a, b, c] = [
        app.product(website.id, spec("2.00", 9)).await.id,
        app.product(website.id, spec("3.00", 9)).await.id,
        app.product(website.id, spec("4.00", 9)).await.id,
    ];
    let register = json!({ "name": "Ada", "email": "ada@souk.example", "password": "a lantern in the harbour" });
    assert_eq!(app.anonymous().mutate("register", "user { id }", register).await.outcome("register"), "done");
    let login = |cart: Option<String>| {
        let actor = app.anonymous().with_cart(cart);
        async move {
            let input = json!({ "email": "ada@souk.example", "password": "a lantern in the harbour" });
            let response = actor.mutate("login", "accessToken", input).await;
            assert_eq!(response.outcome("login"), "done");
            response.text_at("login.accessToken")
        }
    };
    let ada = app.with_token(login(None).await, souk::ids::UserId(0));
    let mine = ada.create_cart(&[(a, 1), (b, 5)]).await;
    app.database.sql(&format!("UPDATE products SET price = 2.50 WHERE id = {}", a.0)).await;
    let guest = app.anonymous().create_cart(&[(a, 4), (b, 2), (c, 1)]).await;
    let token = guest.token.clone();
    login(token.clone()).await;

    let seen = ada.run(&format!("{{ {CART} }}")).await;
    assert_eq!(seen.text_at("cart.id"), mine.id);
    let lines = seen.at("cart.lines").as_array().unwrap().iter();
    let shown: Vec<_> =
        lines.map(|line| (&line["product"]["id"], &line["quantity"], &line["priceWhenAdded"]["amount"])).collect();
    assert_eq!(
        json!(shown),
        json!([[a.to_global_id(), 4, "2.50"], [b.to_global_id(), 5, "3.00"], [c.to_global_id(), 1, "4.00"]])
    );
    let response = app.anonymous().with_cart(token.clone()).run("{ cart { id } }").await;
    assert_eq!(response.at("cart"), &Value::Null, "the token is no longer valid");
    // A second login has nothing to merge.
    login(token).await;
    assert_eq!(ada.run("{ cart { lines { quantity } } }").await.at("cart.lines").as_array().unwrap().len(), 3);

    // A cart in another currency stays the guest's and is accessible with its token.
    let pounds = app.website("pounds").await;
    app.database.sql("UPDATE websites SET currency = 'GBP' WHERE code = 'pounds'").await;
    let tea = app.product(pounds.id, spec("4.00", 9)).await.id;
    let other = app.anonymous().create_cart(&[(tea, 1)]).await;
    login(other.token.clone()).await;
    let both = app.with_token(ada.token().unwrap(), souk::ids::UserId(0)).with_cart(other.token.clone());
    assert_eq!(both.run("{ cart { id } }").await.text_at("cart.id"), mine.id);
    let query = "query ($id: ID!) { cart(id: $id) { total { currency } } }";
    assert_eq!(both.run_with(query, json!({ "id": other.id })).await.text_at("cart.total.currency"), "GBP");
    // `cartCreate` merges as a login does.
    ada.mutate("cartClear", "cart { id }", json!({ "id": mine.id })).await;
    let merged = both.run(&format!("mutation {{ cartCreate {{ {CART} cartToken }} }}")).await;
    assert_eq!(merged.text_at("cartCreate.cart.id"), mine.id);
    assert_eq!(merged.at("cartCreate.cart.total"), &json!({ "amount": "4.00", "currency": "GBP" }));
}

#[tokio::test]
async fn login_returns_the_merged_cart() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let [a, b] = [app.product(website.id, spec("2.00", 9)).await.id, app.product(website.id, spec("3.00", 9)).await.id];
    let ada = register(&app).await;
    // The user has no cart yet.
    let seen = log_in(&app, None, MERGED).await;
    assert_eq!((seen.at("login.cart"), seen.at("login.cartMergeStatus")), (&Value::Null, &json!("NONE")));
    let mine = ada.create_cart(&[(a, 1)]).await;
    let guest = app.anonymous().create_cart(&[(a, 4), (b, 2)]).await;
    let seen = log_in(&app, guest.token.clone(), MERGED).await;
    assert_eq!((seen.at("login.cart.id"), seen.at("login.cartMergeStatus")), (&json!(mine.id), &json!("MERGED")));
    let merged = json!([[a.to_global_id(), 4], [b.to_global_id(), 2]]);
    assert_eq!(lines(seen.at("login.cart")), merged);
    // A used token, an unknown one, and none: the user's cart as it is.
    for token in [guest.token, Some("souk_c_unknown".to_owned()), None] {
        let seen = log_in(&app, token, MERGED).await;
        assert_eq!(lines(seen.at("login.cart")), merged);
        assert_eq!(seen.at("login.cartMergeStatus"), "NONE");
    }
    let wrong = json!({ "email": ADA, "password": "wrong" });
    let failed = app.anonymous().mutate("login", MERGED, wrong).await;
    assert_eq!((failed.at("login.cart"), failed.at("login.cartMergeStatus")), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn cart_is_read_at_login_only_if_it_is_selected() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let a = app.product(website.id, spec("2.00", 9)).await.id;
    register(&app).await.create_cart(&[(a, 1)]).await;
    let without = log_in(&app, None, "accessToken cartMergeStatus").await.statements();
    assert_eq!(log_in(&app, None, "accessToken cart { id }").await.statements(), without + 1);
    // After a merge, the cart is known.
    let with_guest = async |fields: &str| {
        let guest = app.anonymous().create_cart(&[(a, 1)]).await;
        log_in(&app, guest.token, fields).await.statements()
    };
    assert_eq!(with_guest("accessToken cart { id }").await, with_guest("accessToken").await);
}

#[tokio::test]
async fn cart_in_another_currency_is_kept_and_announced() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec("2.00", 9)).await.id;
    let tea = product_in_pounds(&app).await;
    let ada = register(&app).await;
    let mine = ada.create_cart(&[(rope, 1)]).await;
    let guest = app.anonymous().create_cart(&[(tea, 3)]).await;
    for _ in 0..2 {
        let seen = log_in(&app, guest.token.clone(), MERGED).await;
        assert_eq!(seen.at("login.cartMergeStatus"), "KEPT_SEPARATE");
        assert_eq!((seen.at("login.cart.id"), seen.at("login.cart.total.currency")), (&json!(mine.id), &json!("EUR")));
        assert_eq!(lines(seen.at("login.cart")), json!([[rope.to_global_id(), 1]]));
    }
    // The guest's cart is unchanged, and its token is valid.
    let kept = app.anonymous().with_cart(guest.token.clone()).run(&format!("{{ {CART} }}")).await;
    assert_eq!((kept.at("cart.id"), kept.at("cart.total.currency")), (&json!(guest.id), &json!("GBP")));
    assert_eq!(lines(kept.at("cart")), json!([[tea.to_global_id(), 3]]));
    // An empty cart takes the other currency.
    ada.mutate("cartClear", "cart { id }", json!({ "id": mine.id })).await;
    let seen = log_in(&app, guest.token, MERGED).await;
    assert_eq!((seen.at("login.cartMergeStatus"), seen.at("login.cart.id")), (&json!("MERGED"), &json!(mine.id)));
    assert_eq!(seen.at("login.cart.total.currency"), "GBP");
}

#[tokio::test]
async fn failed_merge_does_not_prevent_the_login() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let [a, b] = [app.product(website.id, spec("2.00", 9)).await.id, app.product(website.id, spec("3.00", 9)).await.id];
    let ada = register(&app).await;
    let mine = ada.create_cart(&[(a, 1)]).await;
    let guest = app.anonymous().create_cart(&[(b, 2)]).await;
    let fail = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
        CREATE TRIGGER fail BEFORE DELETE ON carts FOR EACH ROW EXECUTE FUNCTION fail()";
    app.database.sql(fail).await;
    let seen = log_in(&app, guest.token.clone(), MERGED).await;
    assert!(seen.at("login.accessToken").is_string());
    assert_eq!((seen.at("login.cartMergeStatus"), seen.at("login.cart.id")), (&json!("FAILED"), &json!(mine.id)));
    assert_eq!(lines(seen.at("login.cart")), json!([[a.to_global_id(), 1]]));
    app.database.sql("DROP TRIGGER fail ON carts").await;
    let merged = ada.with_cart(guest.token).mutate("cartCreate", CART, json!({})).await;
    assert_eq!(lines(merged.at("cartCreate.cart")), json!([[a.to_global_id(), 1], [b.to_global_id(), 2]]));
}

#[tokio::test]
async fn cart_of_a_guest_who_registers_becomes_the_users_cart() {
    let app = TestApp::new().await;
    let tea = product_in_pounds(&app).await;
    let guest = app.anonymous().create_cart(&[(tea, 3)]).await;
    let input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD });
    let seen = app.anonymous().with_cart(guest.token.clone()).mutate("register", MERGED, input.clone()).await;
    assert_eq!(seen.at("register.cartMergeStatus"), "MERGED");
    assert_eq!(lines(seen.at("register.cart")), json!([[tea.to_global_id(), 3]]));
    let ada = app.with_token(seen.text_at("register.accessToken"), UserId(0));
    assert_eq!(ada.run("{ cart { id } }").await.at("cart.id"), seen.at("register.cart.id"));
    let guest = app.anonymous().with_cart(guest.token);
    assert_eq!(guest.run("{ cart { id } }").await.at("cart"), &Value::Null);
    // A rejected registration leaves the guest's cart alone.
    let guest = app.anonymous().create_cart(&[(tea, 1)]).await;
    let taken = app.anonymous().with_cart(guest.token.clone()).mutate("register", MERGED, input).await;
    assert_eq!(taken.outcome("register"), "TAKEN email");
    let kept = app.anonymous().with_cart(guest.token).run("{ cart { id } }").await;
    assert_eq!(kept.at("cart.id"), &json!(guest.id));
}

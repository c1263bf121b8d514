//! Nobody can use orders to send emails to a stranger: one email until an order is paid or confirmed, or the stranger confirms
//! the address, without any text of the sender; and no URL in a name.

use serde_json::{Value, json};
use souk::{
    config::OrderSettings,
    ids::{ProductId, RowId},
    orders::actions::expiry::cancel_expired,
};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse, fixtures::TestCart};

const STRANGER: &str = "stranger@souk.example";
const CARD: &str = "4111111111111111";

async fn shop(orders: OrderSettings) -> (TestApp, ProductId) {
    let app = TestApp::builder().orders(orders).build().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 500, ..ProductSpec::default() }).await.id;
    (app, product)
}

/// Checks out as a new guest with a stranger's email address and texts of the sender's choice.
async fn buy<'a>(app: &'a TestApp, product: ProductId, email: &str) -> (Actor<'a>, TestResponse) {
    let cart = app.anonymous().create_cart(&[(product, 1)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let texts = json!({
        "contact": { "name": "You have won", "email": email },
        "address": { "recipientName": "Claim it", "company": "Prize Office", "countryCode": "DE", "city": "Call now",
                     "address": "Call 0900 12345", "postalCode": "20457" },
        "note": "Call me",
    });
    let response = guest.checkout_with(&cart, "k", texts).await;
    (guest, response)
}

async fn order_of<'a>(app: &'a TestApp, product: ProductId, email: &str) -> (Actor<'a>, String) {
    let (guest, response) = buy(app, product, email).await;
    assert_eq!(response.outcome("checkout"), "done", "{response:?}");
    let order = response.text_at("checkout.orders.0.id");
    (guest, order)
}

#[tokio::test]
async fn stranger_gets_one_email_without_any_text_of_the_sender() {
    let (app, product) = shop(OrderSettings::default()).await;
    let mut accepted = 0;
    for _ in 0..30 {
        let (_, response) = buy(&app, product, STRANGER).await;
        accepted += usize::from(response.outcome("checkout") == "done");
    }
    assert_eq!(accepted, 30, "requests without an address are not limited");
    let mail = app.email().await;
    assert_eq!(mail.to, [STRANGER]);
    let content = format!("{}\n{}", mail.text, mail.html);
    assert!(mail.text.contains("Hello customer,"), "{content}");
    for text in ["You have won", "Claim it", "Prize Office", "Call now", "0900", "Call me"] {
        assert!(!content.contains(text), "{text}: {content}");
    }
    // Nor do emails about the expiry of the orders add up.
    app.database.sql("UPDATE unpaid_orders SET expires_at = now() - interval '1 minute'").await;
    cancel_expired(&app.database.db).await.unwrap();
    let mail = app.email().await;
    assert!(mail.header("subject").contains("canceled") && mail.text.contains("Hello customer,"), "{}", mail.text);
    // The address stays protected for the rest of the day.
    order_of(&app, product, "Stranger@SOUK.example").await;
    assert!(app.emails().await.is_empty());
    app.database
        .sql("UPDATE unpaid_orders SET ended_at = now() - interval '25 hours' WHERE ended_at IS NOT NULL")
        .await;
    app.database.sql("UPDATE unpaid_orders SET expires_at = now() - interval '1 minute'").await;
    cancel_expired(&app.database.db).await.unwrap();
    assert!(app.emails().await.is_empty(), "an order that was never confirmed by email");
    order_of(&app, product, "other@souk.example").await;
    assert_eq!(app.email().await.to, ["other@souk.example"]);
}

#[tokio::test]
async fn concurrent_orders_send_one_email_too() {
    let (app, product) = shop(OrderSettings::default()).await;
    let orders = (0..8).map(|_| order_of(&app, product, STRANGER));
    futures_util::future::join_all(orders).await;
    app.email().await;
}

#[tokio::test]
async fn network_that_writes_to_many_strangers_is_limited() {
    let (app, product) = shop(OrderSettings { unpaid_orders: 3, ..OrderSettings::default() }).await;
    let document = "mutation ($input: CheckoutInput!) { checkout(input: $input) { orders { id } userErrors { code message field } } }";
    let mut outcomes = Vec::new();
    for n in 0..5 {
        let cart = app.anonymous().create_cart(&[(product, 1)]).await;
        let guest = app.anonymous().with_cart(cart.token.clone());
        let input = json!({
            "cartId": cart.id,
            "contact": { "name": "Ada", "email": format!("stranger{n}@souk.example") },
            "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
            "idempotencyKey": "k",
        });
        let request = guest.request().header("x-forwarded-for", format!("203.0.113.{n}"));
        let response = guest.run_request(request, document, json!({ "input": input })).await;
        outcomes.push(response.outcome("checkout"));
    }
    assert_eq!(outcomes, ["done", "done", "done", "OUT_OF_RANGE cartId", "OUT_OF_RANGE cartId"]);
    assert_eq!(app.emails().await.len(), 3);
}

#[tokio::test]
async fn honest_guest_gets_a_confirmation_of_each_order_that_is_paid() {
    let (app, product) = shop(OrderSettings::default()).await;
    order_of(&app, product, STRANGER).await;
    app.email().await;
    // A card that is authorized, money that staff have received, and an order that staff confirm.
    let (guest, order) = order_of(&app, product, STRANGER).await;
    assert!(app.emails().await.is_empty());
    guest.pay(&order, CARD).await;
    let mail = app.email().await;
    assert!(mail.text.contains("Hello You have won,") && mail.text.contains("Call 0900 12345"), "{}", mail.text);
    assert!(mail.text.contains("10.00 EUR"), "{}", mail.text);

    let manager = app.admin().await;
    let (guest, order) = order_of(&app, product, STRANGER).await;
    let input = json!({ "orderId": order, "provider": "MANUAL", "method": "BANK_TRANSFER", "idempotencyKey": "p" });
    let paid = guest.mutate("paymentCreate", "payment { id }", input).await;
    assert!(app.emails().await.is_empty(), "nobody has paid yet");
    let captured = manager.payment_operation("paymentCapture", &paid.text_at("paymentCreate.payment.id"), None).await;
    assert!(captured.starts_with("captured"), "{captured}");
    assert!(app.email().await.header("subject").starts_with("Your order"));

    let (_, order) = order_of(&app, product, STRANGER).await;
    let confirm = json!({ "id": order, "status": "CONFIRMED" });
    assert_eq!(manager.mutate("orderStatusUpdate", "", confirm).await.outcome("orderStatusUpdate"), "done");
    assert!(app.email().await.header("subject").starts_with("Your order"));
    assert_eq!(app.database.scalar("SELECT count(*) FROM deferred_confirmations").await, "0");
}

/// Places another order of a guest with the same texts.
async fn buy_again(guest: &Actor<'_>, cart: &TestCart, product: ProductId, email: &str, key: &str) {
    let line = json!({ "cartId": cart.id, "productId": product.to_global_id(), "quantity": 1 });
    assert_eq!(guest.try_mutate("cartLineAdd", line).await, "done");
    let contact = json!({ "contact": { "name": "Ada Lovelace", "email": email } });
    assert_eq!(guest.checkout_with(cart, key, contact).await.outcome("checkout"), "done");
}

async fn confirm(app: &TestApp, token: &str) -> TestResponse {
    app.anonymous().mutate("orderEmailConfirm", "order { orderNumber }", json!({ "token": token })).await
}

#[tokio::test]
async fn owner_of_the_address_confirms_it_for_the_guest_who_ordered() {
    let (app, product) = shop(OrderSettings::default()).await;
    let cart = app.anonymous().create_cart(&[(product, 1)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let contact = json!({ "contact": { "name": "Ada Lovelace", "email": "ada@souk.example" } });
    let first = guest.checkout_with(&cart, "1", contact).await;
    assert_eq!(first.outcome("checkout"), "done");
    let mail = app.email().await;
    assert!(mail.text.contains("/account/confirm-order?token=souk_ot_") && !mail.text.contains("Ada"), "{}", mail.text);
    buy_again(&guest, &cart, product, "ada@souk.example", "2").await;
    assert!(app.emails().await.is_empty(), "nobody has confirmed the address");

    let token = mail.token();
    assert!(
        !app.database.scalar("SELECT coalesce(string_agg(payload::text, ''), '') FROM jobs").await.contains(&token)
    );
    let confirmed = confirm(&app, &token).await;
    assert_eq!(confirmed.outcome("orderEmailConfirm"), "done");
    let number = confirmed.text_at("orderEmailConfirm.order.orderNumber");
    assert!(mail.text.contains(&number), "{number}");
    // The second order was deferred.
    let deferred = app.email().await;
    assert!(
        deferred.text.contains("Hello Ada Lovelace,") && deferred.text.contains("Hafenstrasse 1"),
        "{}",
        deferred.text
    );
    assert!(!deferred.text.contains("token="), "there is nothing more to confirm: {}", deferred.text);
    for wrong in [token.as_str(), "", "souk_ot_x"] {
        assert_eq!(confirm(&app, wrong).await.outcome("orderEmailConfirm"), "INVALID_TOKEN token", "{wrong:?}");
    }
    assert!(app.emails().await.is_empty(), "a token is used once");

    // From now on this guest gets complete confirmations at once; in any spelling of the address.
    for (key, email) in [("3", "ada@souk.example"), ("4", "ADA@souk.example")] {
        buy_again(&guest, &cart, product, email, key).await;
        assert!(app.email().await.text.contains("Hello Ada Lovelace,"), "{email}");
    }
    // Neither does the guest for another address, nor anyone else for this one.
    buy_again(&guest, &cart, product, STRANGER, "5").await;
    let mail = app.email().await;
    assert!(mail.to == [STRANGER] && mail.text.contains("Hello customer,"), "{}", mail.text);
    order_of(&app, product, "ada@souk.example").await;
    assert!(app.emails().await.is_empty(), "the address still has unpaid orders");
}

#[tokio::test]
async fn token_of_an_order_expires() {
    let (app, product) = shop(OrderSettings::default()).await;
    order_of(&app, product, STRANGER).await;
    let token = app.email().await.token();
    let expire = "UPDATE order_email_confirmations SET expires_at = now() - interval '1 second'";
    app.database.sql(expire).await;
    assert_eq!(confirm(&app, &token).await.outcome("orderEmailConfirm"), "INVALID_TOKEN token");
    cancel_expired(&app.database.db).await.unwrap();
    assert_eq!(app.database.scalar("SELECT count(*) FROM order_email_confirmations").await, "0");
}

#[tokio::test]
async fn user_with_an_unverified_address_confirms_it_with_an_order() {
    let (app, product) = shop(OrderSettings::default()).await;
    let (customer, other) = (app.customer().await, app.customer().await);
    customer.order(&[(product, 1)]).await;
    let token = app.email().await.token();
    assert_eq!(confirm(&app, &token).await.outcome("orderEmailConfirm"), "done");
    customer.order(&[(product, 1)]).await;
    let mail = app.email().await;
    assert!(mail.text.contains("Hello A "), "{}", mail.text);
    // The account of another customer is not confirmed by it.
    other.order(&[(product, 1)]).await;
    assert!(app.email().await.text.contains("Hello customer,"));
}

#[tokio::test]
async fn account_with_a_stranger_s_address_is_no_way_around() {
    let (app, product) = shop(OrderSettings::default()).await;
    let customer = app.customer().await;
    for _ in 0..3 {
        customer.order(&[(product, 1)]).await;
    }
    assert!(app.email().await.text.contains("Hello customer,"), "the address is not verified");
    let verified = app.customer().await;
    app.database.sql(&format!("UPDATE users SET email_verified_at = now() WHERE id = {}", verified.id.0)).await;
    for _ in 0..2 {
        verified.order(&[(product, 1)]).await;
    }
    let emails = app.emails().await;
    assert_eq!(emails.len(), 2);
    assert!(emails.iter().all(|mail| mail.text.contains("Hello A ")), "{}", emails[0].text);
    // Their own address is verified, and a stranger's is not.
    for _ in 0..3 {
        let cart = verified.create_cart(&[(product, 1)]).await;
        let contact = json!({ "contact": { "name": "You have won", "email": STRANGER } });
        let bought = verified.checkout_with(&cart, &uuid::Uuid::new_v4().to_string(), contact).await;
        assert_eq!(bought.outcome("checkout"), "done");
    }
    let mail = app.email().await;
    assert!(mail.to == [STRANGER] && !mail.text.contains("You have won"), "{}", mail.text);
}

#[tokio::test]
async fn names_with_urls_are_rejected_wherever_customers_type_them() {
    let (app, product) = shop(OrderSettings::default()).await;
    let customer = app.customer().await;
    let address = |field: &str, name: &str| {
        let mut address =
            json!({ "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" });
        address[field] = name.into();
        address
    };
    for name in ["Win at https://evil.example", "www.evil", "Visit evil.com today", "evil\u{3002}com"] {
        let cart = app.anonymous().create_cart(&[(product, 1)]).await;
        let guest = app.anonymous().with_cart(cart.token.clone());
        let check_out = async |other: Value| guest.checkout_with(&cart, "k", other).await.outcome("checkout");
        let contact = json!({ "contact": { "name": name, "email": STRANGER } });
        assert_eq!(check_out(contact).await, "INVALID contact.name", "{name}");
        for field in ["recipientName", "company"] {
            let expected = |input: &str| format!("INVALID {input}{field}");
            let given = json!({ "address": address(field, name) });
            assert_eq!(check_out(given).await, expected("address."), "{name}");
            let given = json!({ "billingAddress": address(field, name) });
            assert_eq!(check_out(given).await, expected("billingAddress."), "{name}");
            let created = customer.try_mutate("addressCreate", address(field, name)).await;
            assert_eq!(created, expected(""), "{name}");
        }
        let account = json!({ "name": name, "email": STRANGER, "password": "four unusual words here" });
        assert_eq!(app.anonymous().try_mutate("register", account).await, "INVALID name");
        let changed = customer.try_mutate("userUpdate", json!({ "id": customer.global_id(), "name": name })).await;
        assert_eq!(changed, "INVALID name");
    }
    assert!(app.emails().await.is_empty());
    let renamed = json!({ "id": customer.global_id(), "name": "Dr. J.R. O'Neill, Jr." });
    assert_eq!(customer.try_mutate("userUpdate", renamed).await, "done");
}

#[tokio::test]
async fn account_emails_to_an_unverified_address_have_no_text_of_the_sender() {
    let app = TestApp::new().await;
    let password = "four unusual words here";
    let account = json!({ "name": "You have won", "email": STRANGER, "password": password });
    assert_eq!(app.anonymous().try_mutate("register", account).await, "done");
    assert_eq!(app.anonymous().try_mutate("passwordForgot", json!({ "email": STRANGER })).await, "done");
    let emails = app.emails().await;
    assert_eq!(emails.len(), 2);
    assert!(emails.iter().all(|mail| mail.text.contains("Hello customer,")), "{}", emails[0].text);
    // A notice would contain the user agent.
    let user = app.log_in_with_password(STRANGER, password).await;
    let document =
        "mutation ($input: PasswordChangeInput!) { passwordChange(input: $input) { userErrors { code field } } }";
    let input = json!({ "input": { "password": password, "newPassword": "five unusual words are here" } });
    let changed = user.run_request(user.request().header("user-agent", "Visit evil.example"), document, input).await;
    assert_eq!(changed.outcome("passwordChange"), "done");
    assert!(app.emails().await.is_empty());
    // The address of an email change may be a stranger's, too.
    let ada = app.register_verified("ada@souk.example").await;
    app.database.sql(&format!("UPDATE users SET name = 'You have won' WHERE id = {}", ada.0)).await;
    let ada = app.log_in_with_password("ada@souk.example", password).await;
    let input = json!({ "password": password, "email": "other@souk.example" });
    assert_eq!(ada.try_mutate("emailChange", input).await, "done");
    assert!(app.email().await.text.contains("Hello customer,"));
}

//! Email addresses and phone numbers, normalized in every input, and common passwords.

use serde_json::json;

use crate::support::TestApp;

/// Submits a value to every mutation that takes an email address or a phone number; returns the outcomes.
async fn submit_everywhere(app: &TestApp, field: &str, value: &str) -> Vec<String> {
    let (admin, anonymous) = (app.admin().await, app.anonymous());
    let own = || format!("{}@souk.example", uuid::Uuid::new_v4().simple());
    let supplier = || json!({ "name": own() });
    let made = admin.mutate("supplierCreate", "supplier { id }", supplier()).await;
    let supplier_id = made.text_at("supplierCreate.supplier.id");
    let mut said = Vec::new();
    for (actor, mutation, resource, mut input) in [
        (&anonymous, "register", "user", json!({ "name": "n", "email": own(), "password": "a long enough password" })),
        (&admin, "userCreate", "user", json!({ "name": "n", "email": own() })),
        (&admin, "userUpdate", "user", json!({ "id": app.customer().await.global_id() })),
        (&admin, "supplierCreate", "supplier", supplier()),
        (&admin, "supplierUpdate", "supplier", json!({ "id": supplier_id })),
    ] {
        input[field] = json!(value);
        let response = actor.mutate(mutation, &format!("{resource} {{ id {field} }}"), input).await;
        said.push(match response.outcome(mutation).as_str() {
            "done" => response.text_at(&format!("{mutation}.{resource}.{field}")),
            rejection => format!("{rejection}: {}", response.text_at(&format!("{mutation}.userErrors.0.message"))),
        });
        // So that the next mutation may use the same address.
        app.database.sql("UPDATE users SET email = NULL WHERE email NOT LIKE 'admin%'").await;
    }
    said
}

#[tokio::test]
async fn email_is_normalized_in_every_input() {
    let app = TestApp::new().await;
    for (typed, expected) in [
        ("Ada.Lovelace@Souk.EXAMPLE", "ada.lovelace@souk.example"),
        ("ａｄａ＠souk.example", "ada@souk.example"),
        ("JÖRG@MÜNCHEN.example", "jörg@xn--mnchen-3ya.example"),
        ("山田@例え.example", "山田@xn--r8jz45g.example"),
        (" ada@souk.example", "ada@souk.example"),
        ("ada@souk.example\n", "ada@souk.example"),
        ("\u{feff}\tada@souk.example\u{a0}\u{200b}", "ada@souk.example"),
    ] {
        for said in submit_everywhere(&app, "email", typed).await {
            assert_eq!(said, expected, "{typed}");
        }
    }
    let such = "must be an email address such as name@shop.example";
    let domain = "the part after the @ must be a domain such as shop.example";
    let unseen = "the email address contains invisible characters; type it again";
    let mixed = "the part before the @ must not mix scripts or contain lookalike letters";
    let latin = "the part before the @ looks like Latin letters but is not; use Latin letters";
    let long = "an email address has at most 254 characters, with at most 64 before the @";
    let [too_long, long_name] = [254, 65].map(|length| format!("{}@souk.example", "a".repeat(length)));
    for (typed, rule) in [
        ("ada", such),
        ("@souk.example", such),
        ("ada @souk.example", such),
        ("a\u{a0}da@souk.example", such),
        ("\"ada\"@souk.example", such),
        ("ada(home)@souk.example", such),
        ("Ada <ada@souk.example>", such),
        ("ada..l@souk.example", such),
        ("ada@", domain),
        ("a@b@souk.example", domain),
        ("ada@[127.0.0.1]", domain),
        ("ada@127.0.0.1", domain),
        ("ada@-souk.example", domain),
        ("ada@so_uk.example", domain),
        ("ada@xn--a.example", domain),
        ("ada@souk\n.example", unseen),
        ("a\u{1b}da@souk.example", unseen),
        ("a\u{200b}da@souk.example", unseen),
        ("ada@so\u{ad}uk.example", unseen),
        ("аda@souk.example", mixed),
        ("раураl@souk.example", mixed),
        ("раура@souk.example", latin),
        (&too_long, long),
        (&long_name, long),
    ] {
        for said in submit_everywhere(&app, "email", typed).await {
            assert_eq!(said, format!("INVALID email: {rule}"), "{typed}");
        }
    }
}

#[tokio::test]
async fn equivalent_emails_are_one_account() {
    let app = TestApp::new().await;
    let forms = [
        "jörg@münchen.example",
        "JÖRG@xn--mnchen-3ya.EXAMPLE",
        "Jo\u{308}rg@mu\u{308}nchen.example",
        "jörg@ｍünchen。example",
        "\u{a0}jörg@münchen.example\t",
    ];
    let registers = async |email: &str| {
        let input = json!({ "name": "J", "email": email, "password": "a long enough password" });
        app.anonymous().mutate("register", "", input).await.outcome("register")
    };
    assert_eq!(registers(forms[0]).await, "done");
    let admin = app.admin().await;
    for form in forms {
        assert_eq!(registers(form).await, "TAKEN email", "{form}");
        let input = json!({ "email": form, "password": "a long enough password" });
        assert_eq!(app.anonymous().mutate("login", "", input).await.outcome("login"), "done", "{form}");
        let search = format!(r#"{{ users(where: {{ email: {{ eq: "{form}" }} }}) {{ nodes {{ email }} }} }}"#);
        let found = admin.run(&search).await;
        assert_eq!(*found.at("users.nodes"), json!([{ "email": "jörg@xn--mnchen-3ya.example" }]), "{form}");
    }
    assert_eq!(registers("jorg@münchen.example").await, "done");
}

#[tokio::test]
async fn phone_number_is_validated_and_normalized() {
    let app = TestApp::new().await;
    for typed in [
        "+44 20 7946 0000",
        "+442079460000",
        "+44 (0)20-7946-0000",
        "+44.20.7946.0000",
        "0044 20 7946 0000",
        "\u{202d} +44 20 7946 0000\u{202c}\u{a0}",
    ] {
        for said in submit_everywhere(&app, "phone", typed).await {
            assert_eq!(said, "+442079460000", "{typed}");
        }
    }
    let rule = "must be a valid phone number with country code, such as +44 20 7946 0000";
    for typed in ["", "12345", "call me", "020 7946 0000", "+44 112", "+999 123456", "+44 20 7946 0000 x1"] {
        for said in submit_everywhere(&app, "phone", typed).await {
            assert_eq!(said, format!("INVALID phone: {rule}"), "{typed}");
        }
    }
}

#[tokio::test]
async fn phone_number_without_country_code_is_read_in_the_country_of_the_default_address() {
    let app = TestApp::new().await;
    let (ada, admin) = (app.customer().await, app.admin().await);
    let call = json!({ "id": ada.global_id(), "phone": "020 7946 0000" });
    assert_eq!(ada.try_mutate("userUpdate", call.clone()).await, "INVALID phone");
    let home = json!({ "countryCode": "GB", "city": "London", "address": "1 High St", "postalCode": "SW1A 1AA" });
    assert_eq!(ada.try_mutate("addressCreate", home).await, "done");
    let other = json!({ "countryCode": "DE", "city": "Kiel", "address": "Kai 1", "postalCode": "24103" });
    assert_eq!(ada.try_mutate("addressCreate", other).await, "done");
    for actor in [&ada, &admin] {
        let changed = actor.mutate("userUpdate", "user { phone }", call.clone()).await;
        assert_eq!(changed.text_at("userUpdate.user.phone"), "+442079460000");
    }
    // The addresses of others are not read.
    assert_eq!(app.customer().await.try_mutate("userUpdate", call).await, "INVALID phone");
}

#[tokio::test]
async fn common_passwords_are_rejected() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let before = app.database.contents().await;
    for (password, expected) in [
        ("seven77", "INVALID"),
        ("Passw0rd!", "WEAK_PASSWORD"),
        ("12345678", "WEAK_PASSWORD"),
        ("qwertyuiop", "WEAK_PASSWORD"),
        (&"1234567890".repeat(12), "WEAK_PASSWORD"),
        ("Lovelace1", "WEAK_PASSWORD"),
        ("ada@souk.example", "WEAK_PASSWORD"),
        (&"correct horse ".repeat(10), "INVALID"),
    ] {
        let input = json!({ "name": "Ada Lovelace", "email": "ada@souk.example", "password": password });
        for (actor, mutation) in [(&app.anonymous(), "register"), (&admin, "userCreate")] {
            let said = actor.mutate(mutation, "", input.clone()).await.outcome(mutation);
            assert_eq!(said, format!("{expected} password"), "{mutation} {password}");
        }
    }
    assert_eq!(app.database.contents().await, before);
}

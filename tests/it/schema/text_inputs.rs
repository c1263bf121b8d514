//! Text inputs of every field: blank, maximum length, too long, very large, and with invisible characters.

use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{Actor, ProductSpec, TestApp};

/// A text field of a mutation, and its maximum length in characters.
struct Field {
    mutation: &'static str,
    name: &'static str,
    longest: usize,
    /// Path of the stored text in the payload; `None` if it is not in the payload.
    path: Option<&'static str>,
    input: Value,
}

/// Returns every field that takes free text. `#` is replaced by a unique value where rows must differ.
fn fields(website: &str, product: &str) -> Vec<Field> {
    let field = |mutation, name, longest, path, input| Field { mutation, name, longest, path, input };
    let shop = || json!({ "code": "#", "name": "n", "baseUrl": "https://shop.example", "currency": "EUR" });
    let slugged = || json!({ "name": "n", "slug": "#" });
    let item = || json!({ "sourceWebsiteId": website, "name": "n", "slug": "#", "sku": "#", "price": "1" });
    let home = || json!({ "countryCode": "IE", "city": "c", "address": "a" });
    vec![
        field("websiteCreate", "name", 255, Some("website.name"), shop()),
        field("categoryCreate", "name", 255, Some("category.name"), slugged()),
        field("brandCreate", "name", 255, Some("brand.name"), slugged()),
        field("supplierCreate", "name", 255, Some("supplier.name"), json!({ "name": "n" })),
        field("productCreate", "name", 255, Some("product.name"), item()),
        field("productCreate", "sku", 255, Some("product.sku"), item()),
        field("productCreate", "barcode", 100, Some("product.barcode"), item()),
        field("productCreate", "variant", 255, Some("product.variant"), item()),
        field("stockAdjust", "note", 1000, None, json!({ "productId": product, "delta": 1 })),
        field("addressCreate", "recipientName", 255, Some("address.recipientName"), home()),
        field("addressCreate", "company", 255, Some("address.company"), home()),
        field("addressCreate", "city", 100, Some("address.city"), home()),
        field("addressCreate", "district", 100, Some("address.district"), home()),
        field("addressCreate", "address", 500, Some("address.address"), home()),
        field("userCreate", "name", 255, Some("user.name"), json!({ "name": "n", "email": "#@souk.example" })),
    ]
}

impl Field {
    /// Returns the input with this text, and unique values where rows must differ.
    fn with(&self, text: &str) -> Value {
        let own = uuid::Uuid::new_v4().simple().to_string();
        let mut input = self.input.clone();
        for (name, value) in input.as_object_mut().expect("an object") {
            if let Some(filled) =
                value.as_str().filter(|_| name != "sourceWebsiteId").map(|text| text.replace('#', &own))
            {
                *value = json!(filled);
            }
        }
        input[self.name] = json!(text);
        input
    }

    async fn try_mutate(&self, actor: &Actor<'_>, text: &str) -> String {
        actor.mutate(self.mutation, "", self.with(text)).await.outcome(self.mutation)
    }
}

/// Fields that a blank text clears.
const OPTIONAL: [&str; 6] = ["barcode", "variant", "note", "recipientName", "company", "district"];

#[tokio::test]
async fn blank_optional_texts_are_none() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let admin = app.admin().await;
    for field in fields(&website.to_global_id(), &product).into_iter().filter(|field| OPTIONAL.contains(&field.name)) {
        let Some((type_name, name)) = field.path.and_then(|path| path.split_once('.')) else { continue };
        for blank in ["", " \t\r\n", "\u{feff}\u{200b}"] {
            let created = admin.mutate(field.mutation, &format!("{type_name} {{ {name} }}"), field.with(blank)).await;
            let stored = created.at(&format!("{}.{type_name}.{name}", field.mutation));
            assert_eq!(stored, &Value::Null, "{} {} {blank:?}", field.mutation, field.name);
        }
    }
}

#[tokio::test]
async fn text_must_not_be_blank_and_its_length_counts_characters() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let admin = app.admin().await;
    for field in fields(&website.to_global_id(), &product) {
        let at = format!("{} {}", field.mutation, field.name);
        let before = app.database.contents().await;
        for blank in ["", " ", " \t\r\n", "\u{a0}\u{2003}\u{3000}\u{2028}", "\u{feff}\u{200b}\u{202e}"] {
            if OPTIONAL.contains(&field.name) {
                continue;
            }
            assert_eq!(field.try_mutate(&admin, blank).await, format!("REQUIRED {}", field.name), "{at} {blank:?}");
        }
        for letter in ["a", "ü", "漢", "🦀"] {
            let long = letter.repeat(field.longest + 1);
            assert_eq!(field.try_mutate(&admin, &long).await, format!("TOO_LONG {}", field.name), "{at} {letter}");
        }
        let enormous = "x".repeat(1_000_000);
        assert_eq!(field.try_mutate(&admin, &enormous).await, format!("TOO_LONG {}", field.name), "{at}");
        for nul in ["\0", "a\0b", "a\0"] {
            assert_eq!(field.try_mutate(&admin, nul).await, "!BAD_USER_INPUT", "{at}");
        }
        assert_eq!(app.database.contents().await, before, "{at}");
        for letter in ["ü", "🦀"] {
            assert_eq!(field.try_mutate(&admin, &letter.repeat(field.longest)).await, "done", "{at} {letter}");
        }
    }
}

#[tokio::test]
async fn visible_characters_are_stored_unchanged() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let admin = app.admin().await;
    let texts = [
        "\u{fffe}\u{10ffff}",
        "'\"\\%_;--<b>&amp;",
        "a\u{a0}\u{3000}b",
        "e\u{301}🏴\u{e0067}\u{e007f}👩🏽\u{200d}🚀",
        "می\u{200c}خواهم",
    ];
    for field in fields(&website.to_global_id(), &product) {
        let Some((type_name, name)) = field.path.and_then(|path| path.split_once('.')) else { continue };
        for text in texts {
            let selection = format!("{type_name} {{ {name} }}");
            let response = admin.mutate(field.mutation, &selection, field.with(text)).await;
            let path = format!("{}.{type_name}.{name}", field.mutation);
            assert_eq!(response.text_at(&path), text, "{} {}", field.mutation, field.name);
        }
    }
}

#[tokio::test]
async fn single_line_text_rejects_invisible_characters_within() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let admin = app.admin().await;
    let before = app.database.contents().await;
    for field in fields(&website.to_global_id(), &product) {
        for text in [
            "\u{1}a",
            "a\u{7f}",
            "a\u{85}b",
            "a\r\nb",
            "a\tb",
            "a\u{2028}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200e}b",
            "a\u{200f}b",
            "a\u{61c}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{ad}b",
            "a\u{200d}b",
            "a\u{e0067}",
        ] {
            // Line breaks separate the street lines of an address.
            if field.name == "address" && ["a\r\nb", "a\u{2028}b"].contains(&text) {
                continue;
            }
            let said = field.try_mutate(&admin, text).await;
            assert_eq!(said, format!("INVALID {}", field.name), "{} {text:?}", field.mutation);
        }
    }
    assert_eq!(app.database.contents().await, before);
    // Other mutations that write the same columns, and the error message.
    let change = json!({ "id": admin.global_id(), "name": "gpj.\u{202e}exe" });
    let response = admin.mutate("userUpdate", "userErrors { message }", change).await;
    let message = "must not contain a text direction character (U+202E at position 5)";
    assert_eq!(response.text_at("userUpdate.userErrors.0.message"), message);
    let eve = json!({ "name": "E\nve", "email": "eve@souk.example", "password": "a long enough password" });
    assert_eq!(app.anonymous().mutate("register", "", eve).await.outcome("register"), "INVALID name");
    let change = json!({ "id": product, "sku": "a\u{200b}b" });
    assert_eq!(admin.mutate("productUpdate", "", change).await.outcome("productUpdate"), "INVALID sku");
}

#[tokio::test]
async fn description_may_be_empty_and_has_at_most_20000_characters() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.to_global_id();
    let manager = app.manager().await;
    let cases = [
        ("category", json!({ "name": "n" })),
        ("brand", json!({ "name": "n" })),
        ("product", json!({ "sourceWebsiteId": website, "name": "n", "sku": "s", "price": "1" })),
    ];
    for (type_name, mut input) in cases {
        let create = format!("{type_name}Create");
        let fields = format!("{type_name} {{ id description }}");
        input["description"] = json!("🦀".repeat(20_001));
        assert_eq!(manager.mutate(&create, &fields, input.clone()).await.outcome(&create), "TOO_LONG description");
        input["description"] = json!("a\0");
        assert_eq!(manager.mutate(&create, &fields, input.clone()).await.outcome(&create), "!BAD_USER_INPUT");
        input.as_object_mut().expect("an object").shift_remove("description");
        let made = manager.mutate(&create, &fields, input).await;
        assert_eq!(made.text_at(&format!("{create}.{type_name}.description")), "");
        let id = made.text_at(&format!("{create}.{type_name}.id"));
        // One very long word, and as many words as fit: the search index accepts both.
        let words: String = (0..20_000)
            .map(|index| if index % 2 == 0 { char::from_u32(0x4e00 + index).unwrap() } else { ' ' })
            .collect();
        let update = format!("{type_name}Update");
        for text in ["a\u{1b}b", "a\u{202e}b", "a\u{200b}b"] {
            let said =
                manager.mutate(&update, &fields, json!({ "id": id, "description": text })).await.outcome(&update);
            assert_eq!(said, "INVALID description", "{text:?}");
        }
        let lines = "one\r\n\ttwo\n\nthree".to_owned();
        for text in ["🦀".repeat(20_000), "x".repeat(20_000), words, " ".to_owned(), lines] {
            let response = manager.mutate(&update, &fields, json!({ "id": id, "description": text })).await;
            assert_eq!(response.text_at(&format!("{update}.{type_name}.description")), text.trim());
        }
    }
}

#[tokio::test]
async fn enormous_values_are_rejected_everywhere() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let id = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let admin = app.admin().await;
    let huge = "9".repeat(1_000_000);
    let mut before = app.database.contents().await;
    before.remove("(login_throttles").expect("the counted attempts");
    for (mutation, input, expected) in [
        ("productUpdate", json!({ "id": huge }), "INVALID id"),
        ("productUpdate", json!({ "id": id, "slug": huge }), "INVALID slug"),
        ("productUpdate", json!({ "id": id, "categoryId": huge }), "INVALID categoryId"),
        ("productUpdate", json!({ "id": id, "price": huge }), "!BAD_USER_INPUT"),
        ("productUpdate", json!({ "id": id, "description": huge }), "TOO_LONG description"),
        ("websiteUpdate", json!({ "id": website.to_global_id(), "code": huge }), "INVALID code"),
        (
            "websiteUpdate",
            json!({ "id": website.to_global_id(), "baseUrl": format!("https://{huge}") }),
            "INVALID baseUrl",
        ),
        ("userUpdate", json!({ "id": admin.global_id(), "email": format!("a@{huge}") }), "INVALID email"),
        ("userUpdate", json!({ "id": admin.global_id(), "phone": huge }), "INVALID phone"),
        ("userCreate", json!({ "name": "n", "email": "a@b.example", "password": huge }), "INVALID password"),
        ("userCreate", json!({ "name": "n", "email": "a@b.example", "role": huge }), "NOT_FOUND role"),
        ("login", json!({ "email": huge, "password": "x" }), "INVALID_CREDENTIALS email"),
        ("login", json!({ "email": "a@b.example", "password": huge }), "INVALID_CREDENTIALS email"),
        ("stockAdjust", json!({ "productId": id, "delta": 1, "idempotencyKey": huge }), "INVALID idempotencyKey"),
    ] {
        let said = admin.mutate(mutation, "", input.clone()).await.outcome(mutation);
        let shown: String = input.to_string().chars().take(80).collect();
        assert_eq!(said, expected, "{mutation} {shown}");
    }
    // A body above the size limit, and a document above its own limit.
    let over = json!({ "id": id, "description": "x".repeat(1024 * 1024) });
    assert_eq!(admin.mutate("productUpdate", "", over).await.outcome("productUpdate"), "!LIMIT_EXCEEDED");
    let document = format!(
        "mutation {{ productUpdate(input: {{ id: \"{id}\", name: \"{huge}\" }}) {{ userErrors {{ code }} }} }}"
    );
    assert_eq!(admin.run(&document).await.outcome("productUpdate"), "!LIMIT_EXCEEDED");
    let mut after = app.database.contents().await;
    after.remove("(login_throttles").expect("the counted attempts");
    assert_eq!(after, before);
}

#[tokio::test]
async fn nul_is_rejected_anywhere_in_a_document() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let before = app.database.contents().await;
    let brand = |name: &str| {
        format!("mutation {{ brandCreate(input: {{ name: {name} }}) {{ brand {{ id }} userErrors {{ code }} }} }}")
    };
    let documents = [
        brand("\"a\\u0000b\""),
        brand("\"a\0b\""),
        brand("\"\"\"a\0b\"\"\""),
        brand("\"a\" \0"),
        "mutation ($name: String! = \"a\\u0000\") { brandCreate(input: { name: $name }) { userErrors { code } } }"
            .to_owned(),
        format!("# \0 \n{}\0", brand("\"a\"")),
        brand("\"\\u{0}\""),
        brand("\"\\u{000000}\""),
    ];
    for document in documents {
        assert_eq!(manager.run(&document).await.outcome("brandCreate"), "!BAD_USER_INPUT", "{document:?}");
    }
    assert_eq!(app.database.contents().await, before);
    // After an escaped backslash, `u0000` is ordinary text.
    let response = manager.run(&brand("\"a\\\\u0000b\"")).await;
    assert_eq!(response.outcome("brandCreate"), "done");
    assert_eq!(app.database.rows("SELECT name FROM brands").await, ["(\"a\\\\u0000b\")"]);
}

//! Variables: which values match their declared types, and how numbers are coerced.

use async_graphql::{Data, Request, Variables};
use serde_json::{Value, json};
use souk::config::LimitSettings;
use souk::graphql;
use souk::ids::RowId;
use souk::telemetry::RequestId;

use crate::support::{ProductSpec, TestApp, failing_fields};

fn request(text: &str, variables: Value) -> Request {
    Request::new(text).variables(Variables::from_json(variables))
}

#[tokio::test]
async fn variables_must_match_their_declared_types() {
    let app = TestApp::new().await;
    let engine = graphql::engine(&app.services, &LimitSettings::default());
    let line = |quantity: Value| json!({"productId": "a", "quantity": quantity});
    let order = |lines: Value| json!({"lines": lines, "idempotencyKey": "k"});
    for (ty, good, bad) in [
        (
            "Int",
            vec![json!(1), json!(5.0), json!(null)],
            vec![json!("1"), json!(1.5), json!(3e9), json!(3_000_000_000_u64), json!([1])],
        ),
        ("Int!", vec![json!(-1)], vec![json!(null), json!(true)]),
        ("Float", vec![json!(1), json!(1.5)], vec![json!("1")]),
        ("String", vec![json!("a")], vec![json!(1), json!("a\u{0}"), json!({})]),
        ("ID", vec![json!("a"), json!(1), json!(5.0)], vec![json!(1.5), json!(1e300), json!(true)]),
        ("Boolean!", vec![json!(false)], vec![json!(0), json!("true")]),
        ("[Int!]", vec![json!([1, 2]), json!(1), json!([]), json!(null)], vec![json!([null]), json!(["a"])]),
        ("[[Int]]!", vec![json!([[1], [null], null]), json!(1)], vec![json!([["a"]])]),
        ("SortDirection", vec![json!("ASC")], vec![json!("UP"), json!(1), json!("asc")]),
        (
            "ProductOrder",
            vec![json!({"field": "NAME"}), json!({"field": "NAME", "direction": "DESC"})],
            vec![json!({}), json!({"field": "NAME", "direction": null}), json!({"field": "COLOUR"}), json!("NAME")],
        ),
        (
            "ProductWhere",
            vec![json!({}), json!({"stock": {"gte": 1}, "or": [{"name": {"eq": "a"}}, {}], "name": null})],
            vec![
                json!([]),
                json!("x"),
                json!({"colour": 1}),
                json!({"stock": {"gte": "x"}}),
                json!({"or": [{"name": {"eq": "a"}}, {"name": {"like": "x"}}]}),
                json!({"not": {"name": {"eq": "\u{0}"}}}),
            ],
        ),
        (
            "OrderCreateInput!",
            vec![order(json!([line(json!(1))])), order(line(json!(1))), order(json!([]))],
            vec![order(json!(null)), order(json!([null])), order(json!([line(json!(null))])), json!({"lines": []})],
        ),
    ] {
        let prepare = |value: &Value| {
            engine.prepare(request(&format!("query ($x: {ty}) {{ me {{ id }} }}"), json!({"x": value})))
        };
        for value in good {
            assert!(prepare(&value).is_ok(), "{ty} {value}");
        }
        for value in bad {
            let error = prepare(&value).err().unwrap_or_else(|| panic!("{ty} {value} was accepted"));
            assert!(error.message.starts_with("Variable \"$x"), "{}", error.message);
        }
    }
    let lines = json!({"in": order(json!([line(json!(1)), line(json!("x"))]))});
    let place = engine.prepare(request("query ($in: OrderCreateInput!) { me { id } }", lines));
    let rule = "must be an integer between -2147483648 and 2147483647.";
    assert_eq!(place.err().unwrap().message, format!(r#"Variable "$in.lines.1.quantity" {rule}"#));
    for bad in [json!(5.5), json!("5"), json!(2_147_483_648_u64)] {
        let error = engine.prepare(request("query ($n: Int) { me { id } }", json!({ "n": bad }))).err().unwrap();
        assert_eq!(error.message, format!(r#"Variable "$n" {rule}"#));
    }
}

#[tokio::test]
async fn whole_numbers_are_integers_however_they_are_written() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id;
    let buyer = app.customer().await;
    let create = async |quantity: &str| {
        let document =
            "mutation ($input: CartCreateInput) { cartCreate(input: $input) { cart { lines { quantity } } } }";
        let line = format!(r#"{{"productId": "{}", "quantity": {quantity}}}"#, product.to_global_id());
        let body = format!(r#"{{"query": "{document}", "variables": {{"input": {{"lines": [{line}]}}}}}}"#);
        let (_, _, bytes) = app.send(buyer.request().body(body.into()).unwrap()).await;
        let response: Value = serde_json::from_slice(&bytes).unwrap();
        response["data"]["cartCreate"]["cart"]["lines"][0]["quantity"].clone()
    };
    assert_eq!(create("2.0").await, 2);
    assert_eq!(create("1e0").await, 3);
    let first = "query ($first: Int) { products(first: $first) { nodes { id } } }";
    assert_eq!(buyer.run_with(first, json!({ "first": 1.0 })).await.at("products.nodes").as_array().unwrap().len(), 1);
    // A number is an ID like any other text: it is not that of a product.
    let by_id = "query ($id: ID!) { product(id: $id) { id } }";
    for id in [json!("5"), json!(5), json!(5.0)] {
        let response = buyer.run_with(by_id, json!({ "id": id })).await;
        assert_eq!(response.json["errors"][0]["message"], "id: must be an ID of type Product", "{id}");
    }
}

#[tokio::test]
async fn errors_of_scalars_name_the_path_of_the_variable() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let country = json!({ "countryCode": "Narnia", "city": "Cair", "address": "1 Lamp Post" });
    let address = customer.mutate("addressCreate", "", country).await;
    let list = "query ($where: ProductWhere) { products(where: $where) { nodes { id } } }";
    let filtered = async |filter: Value| customer.run_with(list, json!({ "where": filter })).await;
    for (response, message) in [
        (address, "Variable \"$input.countryCode\" must be the ISO 3166-1 alpha-2 code of a country, such as DE."),
        (
            filtered(json!({ "price": { "lte": "abc" } })).await,
            "Variable \"$where.price.lte\" must be a decimal number as a string, such as \"12.50\".",
        ),
        (
            filtered(json!({ "and": [{ "createdAt": { "gte": "2026-11-29" } }] })).await,
            "Variable \"$where.and.0.createdAt.gte\" must be a date and time with a time zone, such as 2026-01-31T12:00:00Z, \
             and seconds from 0 to 59.",
        ),
    ] {
        assert_eq!(
            (response.code(), response.json["errors"][0]["message"].as_str()),
            ("BAD_USER_INPUT", Some(message))
        );
    }
}

#[tokio::test]
async fn one_of_variable_has_exactly_one_field() {
    let engine = failing_fields::engine();
    for (value, fits) in [
        (json!({"id": 1}), true),
        (json!({"name": "a"}), true),
        (json!({}), false),
        (json!({"id": 1, "name": "a"}), false),
        (json!({"id": null}), false),
    ] {
        let prepared = engine.prepare(request("query ($by: Pick!) { pick(by: $by) }", json!({"by": value})));
        assert_eq!(prepared.is_ok(), fits, "{value}");
    }
    let prepared =
        engine.prepare(request("query ($by: Pick!) { pick(by: $by) }", json!({"by": {"name": "a"}}))).unwrap();
    let response = engine.execute(prepared, Data::default(), &RequestId::random()).await;
    assert_eq!(response.value().into_json().unwrap(), json!({"pick": "a"}));
}

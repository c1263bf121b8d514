//! Fields that are resolved synchronously return the same value as async-graphql does for the same type.

use std::borrow::Cow;

use async_graphql::{
    EmptyMutation, EmptySubscription, ID, OutputType, Schema, TypeName, Value as GraphqlValue,
    parser::types::OperationType,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use souk::error::{Error, ErrorCode, Result};
use souk::graphql::engine::objects::execute;
use souk::graphql::engine::scalars::{Decimal, Money, money};
use souk::money::Currency;
use souk::orders::model::Status;
use souk_macros::object;

struct Query;

/// A value whose conversion is left to async-graphql.
struct Output<T>(T);

impl<T: OutputType> TypeName for Output<T> {
    fn type_name() -> Cow<'static, str> {
        format!("Output_{}", std::any::type_name::<T>()).replace(|c: char| !c.is_ascii_alphanumeric(), "_").into()
    }
}

#[object(name_type)]
impl<T: OutputType> Output<T> {
    async fn value(&self) -> &T {
        &self.0
    }
}

/// Declares each value twice: as a plain field, and as one that async-graphql converts.
macro_rules! query {
    ($($plain:ident, $awaited:ident: $type:ty = $value:expr;)*) => {
        #[object]
        impl Query {
            $(
                fn $plain(&self) -> $type {
                    $value
                }

                async fn $awaited(&self) -> Output<$type> {
                    Output($value)
                }
            )*
        }

        const FIELDS: &[(&str, &str)] = &[$((stringify!($plain), stringify!($awaited))),*];
    };
}

query! {
    yes, yesawaited: bool = true;
    number, numberawaited: i32 = -7;
    large, largeawaited: i64 = 3_000_000_000;
    float, floatawaited: f32 = 0.25;
    text, textawaited: &str = "Lantern \u{e9}";
    owned, ownedawaited: String = "Sail".to_owned();
    id, idawaited: ID = ID("UHJvZHVjdDox".to_owned());
    time, timeawaited: DateTime<Utc> = "2026-11-28T12:30:00.123456Z".parse().expect("a time");
    decimal, decimalawaited: Decimal = Decimal("12.50".parse().expect("a number"));
    status, statusawaited: Status = Status::Shipped;
    nothing, nothingawaited: Option<i32> = None;
    something, somethingawaited: Option<&str> = Some("x");
    list, listawaited: Vec<i32> = vec![1, 2];
}

#[tokio::test]
async fn plain_field_has_the_same_value_as_in_async_graphql() {
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
    for (plain, awaited) in FIELDS {
        let response =
            execute(&schema, format!("{{ {plain} {awaited} {{ value }} }}").into(), OperationType::Query, |_| ()).await;
        assert!(response.errors.is_empty(), "{plain}: {:?}", response.errors);
        let GraphqlValue::Object(data) = response.value() else { panic!("{plain}: no object") };
        let GraphqlValue::Object(awaited) = &data[*awaited] else { panic!("{awaited}: no object") };
        assert_eq!(data[*plain], awaited["value"], "{plain}");
    }
}

struct Parent;

#[object]
impl Parent {
    fn price(&self) -> Money {
        money("12.5".parse().expect("a number"), Currency::parse("EUR").expect("a currency"))
    }

    fn failing(&self) -> Result<Option<i32>> {
        Err(Error::Coded(ErrorCode::NotFound, "no such number".into()))
    }

    #[graphql(eager)]
    async fn waiting(&self) -> i32 {
        tokio::task::yield_now().await;
        1
    }

    /// A plain field whose selection may have to wait.
    fn parent(&self) -> Self {
        Self
    }

    fn parents(&self) -> Vec<Option<Self>> {
        vec![Some(Self), None]
    }

    fn required(&self) -> Result<i32> {
        Err(Error::Coded(ErrorCode::NotFound, "no such number".into()))
    }
}

#[tokio::test]
async fn plain_objects_errors_and_awaiting_fields_are_resolved() {
    let schema = Schema::build(Parent, EmptyMutation, EmptySubscription).finish();
    let response =
        execute(&schema, "{ price { amount currency } failing waiting }".into(), OperationType::Query, |_| ()).await;
    let data = response.value().into_json().expect("JSON");
    let expected = json!({ "price": { "amount": "12.50", "currency": "EUR" }, "failing": null, "waiting": 1 });
    assert_eq!(data, expected);
    let [error] = &response.errors[..] else { panic!("{:?}", response.errors) };
    assert_eq!(error.path, [async_graphql::PathSegment::Field("failing".into())]);
}

#[tokio::test]
async fn errors_of_fields_beside_a_waiting_one_are_reported_once() {
    let schema = Schema::build(Parent, EmptyMutation, EmptySubscription).finish();
    for (document, expected, errors) in [
        ("{ parent { failing waiting } }", json!({ "parent": { "failing": null, "waiting": 1 } }), 1),
        ("{ parent { failing } }", json!({ "parent": { "failing": null } }), 1),
        ("{ parents { failing waiting } }", json!({ "parents": [{ "failing": null, "waiting": 1 }, null] }), 1),
        // The error of a required field makes the nearest nullable value null.
        ("{ parents { required waiting } }", json!({ "parents": [null, null] }), 1),
        ("{ parents { required } waiting }", json!({ "parents": [null, null], "waiting": 1 }), 1),
        (
            "{ parents { waiting parent { failing waiting } } }",
            json!({ "parents": [{ "waiting": 1, "parent": { "failing": null, "waiting": 1 } }, null] }),
            1,
        ),
        (
            "{ a: waiting parent { b: waiting a: failing __typename } c: waiting }",
            json!({ "a": 1, "parent": { "b": 1, "a": null, "__typename": "Parent" }, "c": 1 }),
            1,
        ),
        ("{ parent { required } }", Value::Null, 1),
        ("{ parents { failing required } }", json!({ "parents": [null, null] }), 2),
        ("{ parents { failing required waiting } }", json!({ "parents": [null, null] }), 2),
    ] {
        let response = execute(&schema, document.into(), OperationType::Query, |_| ()).await;
        assert_eq!(response.value().into_json().expect("JSON"), expected, "{document}");
        assert_eq!(response.errors.len(), errors, "{document} {:?}", response.errors);
    }
}

#[tokio::test]
async fn waiting_fields_are_written_in_their_places() {
    let schema = Schema::build(Parent, EmptyMutation, EmptySubscription).finish();
    let document = "{ a: waiting parent { b: waiting a: failing __typename } c: waiting parents { waiting } }";
    let response = execute(&schema, document.into(), OperationType::Query, |_| ()).await;
    let text = String::from_utf8(response.data.expect("data").to_vec()).expect("text");
    let expected = r#"{"a":1,"parent":{"b":1,"a":null,"__typename":"Parent"},"c":1,"parents":[{"waiting":1},null]}"#;
    assert_eq!(text, expected);
}

//! Documents: what is too large for us, what variables must be, what is kept validated.

use std::time::{Duration, Instant};

use async_graphql::{Data, Executor, Request, Response, Variables};
use futures_util::StreamExt;
use serde_json::{Value, json};
use souk::{graphql::engine::Engine, telemetry::RequestId};

fn engine() -> Engine {
    souk::toy::app(Duration::from_secs(1)).1
}

/// The answer to an operation.
async fn run(engine: &Engine, text: &str, variables: Value) -> Response {
    let request = Request::new(text).variables(Variables::from_json(variables));
    let id = RequestId::random();
    match engine.prepare(request) {
        Ok(prepared) => engine.execute(prepared, Data::default(), &id).await,
        Err(error) => Engine::refuse(error, &id),
    }
}

fn is_kept(engine: &Engine, text: &str, variables: &Value) -> bool {
    let request = Request::new(text).variables(Variables::from_json(variables.clone()));
    engine.prepare(request).unwrap().is_validated
}

/// The code and the text of the only error before anything runs.
fn refusal(text: &str) -> (String, String) {
    let started = Instant::now();
    let error = engine_of_the_thread(|engine| engine.prepare(Request::new(text)).err()).expect("it is refused");
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).cloned();
    (code.map_or_else(|| "none".to_owned(), |code| code.to_string()), error.message)
}

fn engine_of_the_thread<T>(work: impl FnOnce(&Engine) -> T) -> T {
    thread_local!(static ENGINE: Engine = engine());
    ENGINE.with(work)
}

fn assert_limited(text: &str, by: &str) {
    let (code, message) = refusal(text);
    assert!(code.contains("LIMIT_EXCEEDED") && message.contains(by), "{code}: {message}");
}

fn assert_bad(text: &str, by: &str) {
    let (code, message) = refusal(text);
    assert!(code.contains("BAD_USER_INPUT") && message.contains(by), "{code}: {message}");
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    // 2^40 fields in 41 fragments; 10^12 in 13; a circle; a long chain.
    let doubling: String = (0..40).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect();
    assert_limited(&format!("{{ ...F0 }} {doubling} fragment F40 on Query {{ hello }}"), "inside selection sets");
    let shallow: String = (0..20).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect();
    assert_limited(&format!("{{ item {{ id }} ...F0 }} {shallow} fragment F20 on Query {{ hello }}"), "too many");
    let tenfold: String = (0..12)
        .map(|i| format!("fragment F{i} on Item {{ {} }} ", format!("next {{ ...F{} }} ", i + 1).repeat(10)))
        .collect();
    assert_limited(&format!("{{ item {{ ...F0 }} }} {tenfold} fragment F12 on Item {{ id }}"), "selections");
    assert_bad("{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }", "spreads itself");
    assert_bad("{ hello } fragment A on Query { hello }", "never used");
    let reversed: String = (0..1500).map(|i| format!("fragment F{i} on Query{{...F{}}}", i + 1)).collect();
    assert_limited(&format!("{{ ...F0 }} {reversed} fragment F1500 on Query {{ hello }}"), "");
}

#[test]
fn counts_are_limited() {
    let aliases = |n: usize| (0..n).map(|i| format!("a{i}: id ")).collect::<String>();
    assert_limited(&format!("{{ item {{ {} }} }}", aliases(31)), "aliases");
    let spread = format!("{{ item {{ ...F next {{ ...F }} }} }} fragment F on Item {{ {} }}", aliases(16));
    assert_limited(&spread, "aliases");
    let roots = "hello echo ".repeat(6);
    assert_limited(&format!("{{ {roots} ...F }} fragment F on Query {{ {roots} }}"), "root fields");
    assert_limited(&(0..11).map(|i| format!("query Q{i} {{ hello }} ")).collect::<String>(), "operations");
    assert_limited(&format!("{{ item {{ {} }} }}", "id ".repeat(5_001)), "selections");
    assert_limited(&format!("{{ hello #{} \n }}", "x".repeat(65_536)), "bytes");
    assert_limited(&format!("{{ find(filter: {{ lines: [{}] }}) }}", "1 ".repeat(10_001)), "tokens");
    let inner = "... { ".repeat(40) + "id" + &" }".repeat(40);
    assert_limited(&format!("{{ item {{ {inner} }} }}"), "inside selection sets");
}

#[test]
fn deep_text_never_reaches_the_recursive_parser() {
    for (open, close) in [("[", "]"), ("{a:", "}"), ("{", "}"), ("(", ")")] {
        assert_limited(&format!("{{ echo(text: {}1{}) }}", open.repeat(9_000), close.repeat(9_000)), "brackets");
    }
    assert_limited(&"{a".repeat(9_000), "brackets");
    assert_limited(&format!("query ($a: {}Int{}) {{ hello }}", "[".repeat(9_000), "]".repeat(9_000)), "brackets");
    // Brackets in strings and comments are text; a string cannot hide those behind it.
    let harmless =
        format!("{{ echo(text: \"{0}\\\"{0}\") a: echo(text: \"\"\"{0}\\\"\"\"{0}\"\"\") }} #{0}", "[".repeat(100));
    assert!(engine_of_the_thread(|engine| engine.prepare(Request::new(harmless)).is_ok()));
    assert_bad(&format!("{{ echo(text: [\"\"\" \"{}", "[".repeat(9_000)), "not closed");
    assert_limited(&format!("{{ echo(text: [\"\" \"\\\\\" {}", "[".repeat(9_000)), "brackets");
    assert_limited(&format!("{{ echo(text: \"\n{}", "[".repeat(9_000)), "brackets");
}

#[test]
fn nul_is_no_text() {
    assert_bad(r#"{ echo(text: "\u0000") }"#, "NUL");
    assert_bad("{ echo(text: \"\0\") }", "NUL");
    assert_bad("{ echo(text: \"\"\" \0 \"\"\") }", "NUL");
    assert!(engine_of_the_thread(|engine| engine.prepare(Request::new(r#"{ echo(text: "\\u0000") }"#)).is_ok()));
}

#[tokio::test]
async fn variables_have_the_types_that_the_operation_declares() {
    let engine = engine();
    for (ty, good, bad) in [
        ("Int", vec![json!(1), json!(null)], vec![json!("1"), json!(1.5), json!(3_000_000_000_u64), json!([1])]),
        ("Int!", vec![json!(-1)], vec![json!(null), json!(true)]),
        ("Float", vec![json!(1), json!(1.5)], vec![json!("1")]),
        ("String", vec![json!("a")], vec![json!(1), json!("a\u{0}"), json!({})]),
        ("ID", vec![json!("a"), json!(1)], vec![json!(1.5), json!(true)]),
        ("Boolean!", vec![json!(false)], vec![json!(0), json!("true")]),
        ("[Int!]", vec![json!([1, 2]), json!(1), json!([]), json!(null)], vec![json!([null]), json!(["a"])]),
        ("[[Int]]!", vec![json!([[1], [null], null]), json!(1)], vec![json!([["a"]])]),
        ("Color", vec![json!("RED")], vec![json!("BLUE"), json!(1), json!("red")]),
        (
            "Pick",
            vec![json!({"id": 1}), json!({"name": "a"})],
            vec![json!({}), json!({"id": 1, "name": "a"}), json!({"id": null})],
        ),
        (
            "Where",
            vec![json!({}), json!({"limit": 1, "color": "RED", "lines": [{"quantity": 1}], "name": null})],
            vec![
                json!([]),
                json!("x"),
                json!({"limit": null}),
                json!({"limit": "x"}),
                json!({"unknown": 1}),
                json!({"color": "BLUE"}),
                json!({"lines": [{"quantity": 1}, {"note": "x"}]}),
                json!({"lines": [{"quantity": 1, "note": "\u{0}"}]}),
            ],
        ),
    ] {
        let prepare = |value: &Value| {
            let request = Request::new(format!("query ($x: {ty}) {{ hello }}"));
            engine.prepare(request.variables(Variables::from_json(json!({"x": value}))))
        };
        for value in good {
            assert!(prepare(&value).is_ok(), "{ty} {value}");
        }
        for value in bad {
            let error = prepare(&value).err().unwrap_or_else(|| panic!("{ty} {value} passes"));
            assert!(error.message.starts_with("Variable \"$x"), "{}", error.message);
        }
    }
    let place = engine.prepare(
        Request::new("query ($in: Where) { hello }")
            .variables(Variables::from_json(json!({"in": {"lines": [{"quantity": 1}, {"quantity": "x"}]}}))),
    );
    assert_eq!(place.err().unwrap().message, r#"Variable "$in.lines.1.quantity" is not a value of type "Int!"."#);
}

#[tokio::test]
async fn a_kept_document_answers_as_it_did_the_first_time() {
    let engine = engine();
    let text = "query ($a: Int!, $where: Where!, $skip: Boolean = false) {
        add(a: $a, b: 2) find(filter: $where) hello @skip(if: $skip) }";
    let where_ = json!({"lines": [{"quantity": 2}], "name": null});
    for (variables, data) in [
        (json!({"a": 1, "where": {}}), json!({"add": 3, "find": "None 0 0 3 Undefined", "hello": "hello"})),
        (json!({"a": 2, "where": where_, "skip": true}), json!({"add": 4, "find": "None 2 0 3 Null"})),
        (json!({"a": 1, "where": {}}), json!({"add": 3, "find": "None 0 0 3 Undefined", "hello": "hello"})),
    ] {
        let response = run(&engine, text, variables).await;
        assert_eq!(response.errors, vec![]);
        assert_eq!(serde_json::to_value(&response.data).unwrap(), data);
    }
    assert!(is_kept(&engine, text, &json!({"a": 1, "where": {}})));
    // It runs without validation now, and bad variables are refused all the same, before anything runs.
    for variables in [json!({}), json!({"a": "x", "where": {}}), json!({"a": 1, "where": {"unknown": 1}})] {
        let response = run(&engine, text, variables).await;
        assert_eq!((response.errors.len(), response.errors[0].path.len()), (1, 0));
    }
}

#[tokio::test]
async fn what_validation_did_not_see_is_validated_again() {
    let engine = engine();
    // With $note absent, validation does not look into the filter, where a field is unknown.
    let text = "query ($note: String) { find(filter: { unknown: 1, lines: [{ quantity: 1, note: $note }] }) }";
    run(&engine, text, json!({})).await;
    assert!(!is_kept(&engine, text, &json!({})));
    let response = run(&engine, text, json!({"note": "x"})).await;
    assert!(response.errors[0].message.contains("unknown"), "{:?}", response.errors);
    // Of two operations, only the chosen one's values are looked at.
    let two = "query A { hello } query B($note: String) { find(filter: { unknown: 1, name: $note }) }";
    let ask = |name: &str| Request::new(two).operation_name(name).variables(Variables::from_json(json!({"note": "x"})));
    let id = RequestId::random();
    for name in ["A", "A", "B"] {
        let response = engine.execute(engine.prepare(ask(name)).unwrap(), Data::default(), &id).await;
        assert_eq!(response.errors.is_empty(), name == "A", "{:?}", response.errors);
    }
    // Sizes are counted on every run: they depend on variables.
    let sized = "query ($n: Int!) { item { items(first: $n) { id } } }";
    assert!(run(&engine, sized, json!({"n": 1})).await.errors.is_empty());
    let response = run(&engine, sized, json!({"n": 10_000})).await;
    assert!(format!("{:?}", response.errors).contains("LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn only_short_queries_that_ran_are_kept() {
    let engine = engine();
    let long = format!("{{ hello #{}\n }}", "x".repeat(16 * 1024));
    for (text, kept) in [("{ hello }", true), ("mutation { bump }", false), (long.as_str(), false), ("{ boom }", true)]
    {
        run(&engine, text, json!({})).await;
        assert_eq!(is_kept(&engine, text, &json!({})), kept, "{text:.50}");
    }
    run(&engine, "{ helo }", json!({})).await;
    assert!(!is_kept(&engine, "{ helo }", &json!({})));
    // An absent variable that is a whole argument hides nothing.
    let optional = "query ($text: String) { echo(text: $text) }";
    run(&engine, optional, json!({})).await;
    assert!(is_kept(&engine, optional, &json!({})));
}

#[tokio::test]
async fn operations_over_a_websocket_meet_the_same_limits_and_codes() {
    let engine = engine();
    let ask = async |text: &str| {
        let answers = Executor::execute_stream(&engine, Request::new(text), None);
        serde_json::to_value(answers.collect::<Vec<_>>().await).unwrap()
    };
    assert_eq!(ask("{ b: hello a: hello }").await.to_string(), r#"[{"data":{"b":"hello","a":"hello"}}]"#);
    assert_eq!(ask("{ missing }").await[0]["data"], json!({"missing": null}));
    for text in ["{ helo }", "{ hello", "query ($x: Int!) { hello }"] {
        assert_eq!(ask(text).await[0]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    assert_eq!(ask(&"{a".repeat(100)).await[0]["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
}

#[tokio::test]
async fn the_introspection_of_the_usual_tools_is_within_the_limits() {
    let of_type = (0..9).fold("kind name".to_owned(), |inside, _| format!("kind name ofType {{ {inside} }}"));
    let text = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
           subscriptionType {{ name kind }} types {{ ...FullType }}
           directives {{ name description isRepeatable locations args {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description specifiedByURL
           fields(includeDeprecated: true) {{ name description args {{ ...InputValue }} type {{ ...TypeRef }}
             isDeprecated deprecationReason }}
           inputFields {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue }}
         fragment TypeRef on __Type {{ {of_type} }}"
    );
    let engine = engine();
    for _ in 0..2 {
        let response = run(&engine, &text, json!({})).await;
        assert_eq!(response.errors, vec![]);
    }
}

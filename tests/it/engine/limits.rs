//! Limits of documents and responses: sizes, nesting, complexity, and the number of objects.

use serde_json::json;
use souk::config::LimitSettings;
use souk::error::ErrorCode;
use souk::graphql;

use super::documents::{TestEngine, errors};

#[tokio::test]
async fn exponential_documents_are_rejected_before_execution() {
    let graph = TestEngine::new().await;
    // 2^40 fields in 41 fragments; 10^12 in 13; a cycle; a long chain.
    let doubling = |length: usize| -> String {
        (0..length).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect()
    };
    let text = format!("{{ ...F0 }} {} fragment F40 on Query {{ me {{ id }} }}", doubling(40));
    graph.assert_limited(&text, "nested selection sets");
    let text = format!("{{ me {{ id }} ...F0 }} {} fragment F20 on Query {{ me {{ id }} }}", doubling(20));
    graph.assert_limited(&text, "too many");
    let tenfold: String = (0..12)
        .map(|i| format!("fragment F{i} on Category {{ {} }} ", format!("parent {{ ...F{} }} ", i + 1).repeat(10)))
        .collect();
    let text = format!("{{ category(slug: \"a\") {{ ...F0 }} }} {tenfold} fragment F12 on Category {{ id }}");
    graph.assert_limited(&text, "selections");
    graph.assert_bad(
        "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
        "must not spread itself",
    );
    graph.assert_bad("{ me { id } } fragment A on Query { me { id } }", "never used");
    let chain: String = (0..1500).map(|i| format!("fragment F{i} on Query{{...F{}}}", i + 1)).collect();
    graph.assert_limited(&format!("{{ ...F0 }} {chain} fragment F1500 on Query {{ me {{ id }} }}"), "");
}

#[tokio::test]
async fn document_counts_are_limited() {
    let graph = TestEngine::new().await;
    let aliases = |n: usize| (0..n).map(|i| format!("a{i}: id ")).collect::<String>();
    graph.assert_fits(&format!("{{ me {{ {} }} }}", aliases(30)));
    graph.assert_limited(&format!("{{ me {{ {} }} }}", aliases(31)), "aliases");
    let spread = format!(
        "{{ me {{ ...F orders {{ nodes {{ user {{ ...F }} }} }} }} }} fragment F on User {{ {} }}",
        aliases(16)
    );
    graph.assert_limited(&spread, "aliases");

    let roots = |n: usize| "me { id } ".repeat(n);
    let two = |a: usize, b: usize| format!("{{ {} ...F }} fragment F on Query {{ {} }}", roots(a), roots(b));
    graph.assert_fits(&two(10, 10));
    graph.assert_limited(&two(10, 11), "root fields");

    let operations = |n: usize| (0..n).map(|i| format!("query Q{i} {{ me {{ id }} }} ")).collect::<String>();
    graph.assert_limited(&operations(11), "operations");
    graph.assert_limited(&format!("{{ me {{ {} }} }}", "id ".repeat(5_001)), "selections");
    graph.assert_limited(&format!("{{ me {{ id }} #{} \n }}", "x".repeat(65_536)), "bytes");
    graph.assert_limited(&format!("{{ nodes(ids: [{}]) {{ id }} }}", "1 ".repeat(10_001)), "tokens");
    // Each error of a variable would repeat the name of the operation.
    let variables: String = (0..1_000).map(|i| format!("a{i}: $v{i} ")).collect();
    graph.assert_limited(&format!("query {} {{ me({variables}) {{ id }} }}", "Q".repeat(256)), "name");
    graph.assert_fits(&format!("query {} {{ me {{ id }} }}", "Q".repeat(255)));
    let inner = "... { ".repeat(40) + "id" + &" }".repeat(40);
    graph.assert_limited(&format!("{{ me {{ {inner} }} }}"), "nested selection sets");
}

#[tokio::test]
async fn complexity_error_names_the_complexity_and_the_limit() {
    let graph = TestEngine::new().await;
    let wide = "{ products(first: 100) { nodes { category { products(first: 100) { nodes { id name sku } } } } } }";
    let response = graph.run(wide, json!({})).await;
    assert_eq!(
        response.errors[0].message,
        "Query is too complex. Its complexity is 40301; the limit is 20000. Select fewer fields, or set a smaller \
         `first`."
    );
    assert!(errors(&response).contains("LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn menu_of_three_levels_fits_at_the_largest_page_size() {
    let graph = TestEngine::new().await;
    let root = graph.app.category("ropes", None).await;
    let child = graph.app.category("mooring", Some(root.id)).await;
    graph.app.category("docking", Some(child.id)).await;
    let menu = "query Menu($n: Int!) {
        categories(first: $n, where: { parent: { isNull: true } }) {
            nodes { ...Item children(first: $n) { nodes { ...Item children(first: $n) { nodes { ...Item } } } } } } }
        fragment Item on Category { id name slug position image { url alt } productCount { value } }";
    for page_size in [20, 100] {
        let response = graph.run(menu, json!({"n": page_size})).await;
        assert_eq!(response.errors, vec![]);
        let data = response.value().into_json().unwrap();
        let leaf = "/categories/nodes/0/children/nodes/0/children/nodes/0/slug";
        assert_eq!(data.pointer(leaf), Some(&json!("docking")));
    }
    // Other lists below the children count for the whole page.
    let page = "{ category(slug: \"ropes\") { children(first: 100) { nodes { products(first: 100) { nodes { id name sku } } } } } }";
    let response = graph.run(page, json!({})).await;
    assert!(errors(&response).contains("LIMIT_EXCEEDED"), "{}", errors(&response));
}

#[tokio::test]
async fn objects_of_a_response_are_limited_where_the_estimate_was_too_low() {
    let graph = TestEngine::with(&LimitSettings { max_complexity: 50, ..LimitSettings::default() }).await;
    let root = graph.app.category("ropes", None).await;
    for index in 0..20 {
        graph.app.category(&format!("rope-{index}"), Some(root.id)).await;
    }
    // Each of 20 children leads up again, and down to 20 of them.
    let text = "query ($n: Int!) { category(slug: \"ropes\") { children(first: 100) { nodes {
        parent { children(first: $n) { nodes { id } } } } } } }";
    for (n, fits) in [(11, true), (100, false)] {
        let response = graph.run(text, json!({"n": n})).await;
        assert_eq!(response.errors.len(), usize::from(!fits), "{}", errors(&response));
        if let Some(error) = response.errors.first() {
            assert_eq!(error.message, "The response has more than 250 objects in lists. Set a smaller `first`.");
            assert!(errors(&response).contains("LIMIT_EXCEEDED") && !error.path.is_empty(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn document_limits_are_configurable() {
    let usual = LimitSettings::default;
    for (limits, fits, exceeds) in [
        (LimitSettings { max_depth: 3, ..usual() }, "{ me { role { code } } }", "{ me { orders { nodes { id } } } }"),
        (
            LimitSettings { max_complexity: 50, ..usual() },
            "{ brands(first: 5) { nodes { id name } } }",
            "{ brands(first: 50) { nodes { id name } } }",
        ),
        (LimitSettings { max_aliases: 1, ..usual() }, "{ a: me { id } }", "{ a: me { b: id } }"),
        (LimitSettings { max_root_fields: 1, ..usual() }, "{ me { id } }", "{ me { id } __typename }"),
        (LimitSettings { max_document: 20, ..usual() }, "{ me { id } }", "{ me { id role { code } } }"),
    ] {
        let graph = TestEngine::with(&limits).await;
        for (text, code) in [(fits, None), (exceeds, Some("LIMIT_EXCEEDED"))] {
            let response = graph.run(text, json!({})).await;
            let found = response.errors.first().and_then(graphql::engine::errors::code).map(ErrorCode::as_str);
            assert_eq!(found, code, "{text} {}", errors(&response));
        }
    }
}

#[tokio::test]
async fn depth_and_its_limit_are_named() {
    let graph = TestEngine::with(&LimitSettings { max_depth: 3, ..LimitSettings::default() }).await;
    let deep = "{ me { orders { ...page } } } fragment page on OrderConnection { nodes { user { id } } }";
    let response = graph.run(deep, json!({})).await;
    let message = &response.errors[0].message;
    assert_eq!(message, "Query is nested too deep: it has 5 levels of fields; the limit is 3.");
}

#[tokio::test]
async fn deeply_nested_documents_never_reach_the_recursive_parser() {
    let graph = TestEngine::new().await;
    for (open, close) in [("[", "]"), ("{a:", "}"), ("{", "}"), ("(", ")")] {
        let value = format!("{}1{}", open.repeat(9_000), close.repeat(9_000));
        graph.assert_limited(&format!("{{ product(slug: {value}) {{ id }} }}"), "brackets");
    }
    graph.assert_limited(&"{a".repeat(9_000), "brackets");
    let many = "[".repeat(9_000);
    graph.assert_limited(&format!("query ($a: {many}Int{}) {{ me {{ id }} }}", "]".repeat(9_000)), "brackets");
    // Brackets in strings and comments are text, and a string cannot hide the brackets after it.
    let brackets = "[".repeat(100);
    graph.assert_fits(&format!(
        "{{ product(slug: \"{brackets}\\\"{brackets}\") {{ id }}
            a: product(slug: \"\"\"{brackets}\\\"\"\"{brackets}\"\"\") {{ id }} }} #{brackets}"
    ));
    graph.assert_bad(&format!("{{ product(slug: [\"\"\" \"{many}"), "not closed");
    graph.assert_limited(&format!("{{ product(slug: [\"\" \"\\\\\" {many}"), "brackets");
    graph.assert_limited(&format!("{{ product(slug: \"\n{many}"), "brackets");
}

#[tokio::test]
async fn nul_characters_are_rejected() {
    let graph = TestEngine::new().await;
    for text in ["\"\\u0000\"", "\"\0\"", "\"\"\" \0 \"\"\""] {
        graph.assert_bad(&format!("{{ product(slug: {text}) {{ id }} }}"), "NUL");
    }
    graph.assert_fits(r#"{ product(slug: "\\u0000") { id } }"#);
}

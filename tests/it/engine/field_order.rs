//! Responses have the fields in the order of the query, byte for byte, whichever of them have to wait.

use souk::ids::{BrandId, ProductId, RowId, UserId};

use crate::support::{Actor, ProductSpec, TestApp, bulk::nth_id};

/// Returns the data of the response as received.
async fn data(actor: &Actor<'_>, document: &str) -> String {
    let response = actor.run(document).await;
    let start = response.text.find("\"data\":").expect("data") + "\"data\":".len();
    let end = response.text.find(",\"extensions\":{\"cost\"").expect("the extension with the cost");
    response.text[start..end].to_owned()
}

#[tokio::test]
async fn response_fields_follow_the_query_order() {
    let app = TestApp::new().await;
    app.seed_all(1).await;
    let admin = app.admin().await;
    let (product, brand, user) = (nth_id::<ProductId>(1), nth_id::<BrandId>(1), nth_id::<UserId>(1));
    let cases = [
        // Loaded fields between plain ones, at two levels.
        (
            "{ products { nodes { brand { name id } name category { slug parent { slug name } position } sku
                sourceWebsite { currency code } price { currency amount } stock seller { role { code } name } __typename } } }"
                .to_owned(),
            format!(
                r#"{{"products":{{"nodes":[{{"brand":{{"name":"Maker 1","id":"{brand}"}},"name":"Lantern 1","category":{{"slug":"board-1","parent":{{"slug":"shelf-1","name":"Shelf 1"}},"position":0}},"sku":"L-1","sourceWebsite":{{"currency":"EUR","code":"site-1"}},"price":{{"currency":"EUR","amount":"10.00"}},"stock":10,"seller":{{"role":{{"code":"seller"}},"name":"Seller 1"}},"__typename":"Product"}}]}}}}"#
            ),
        ),
        // The same fields in reverse order.
        (
            "{ products { nodes { __typename seller { name } price { amount currency } category { parent { name slug } slug }
                name brand { id name } } } }"
                .to_owned(),
            format!(
                r#"{{"products":{{"nodes":[{{"__typename":"Product","seller":{{"name":"Seller 1"}},"price":{{"amount":"10.00","currency":"EUR"}},"category":{{"parent":{{"name":"Shelf 1","slug":"shelf-1"}},"slug":"board-1"}},"name":"Lantern 1","brand":{{"id":"{brand}","name":"Maker 1"}}}}]}}}}"#
            ),
        ),
        // Aliases.
        (
            "{ z: products { b: nodes { z: name y: brand { b: slug a: name } x: sku w: brand { name } a: name } } }".to_owned(),
            r#"{"z":{"b":[{"z":"Lantern 1","y":{"b":"maker-1","a":"Maker 1"},"x":"L-1","w":{"name":"Maker 1"},"a":"Lantern 1"}]}}"#
                .to_owned(),
        ),
        // Fragments, each where it is spread; a field keeps the position of its first occurrence.
        (
            "query { products { nodes { name ...Rest id ... on Product { stock sku } ... @include(if: true) { slug } } } }
                fragment Rest on Product { sku ...Deep name } fragment Deep on Product { brand { slug } barcode }"
                .to_owned(),
            format!(
                r#"{{"products":{{"nodes":[{{"name":"Lantern 1","sku":"L-1","brand":{{"slug":"maker-1"}},"barcode":null,"id":"{product}","stock":10,"slug":"lantern-1"}}]}}}}"#
            ),
        ),
        // A field selected twice has its first position and merges both selections.
        (
            "{ products { nodes { brand { name } sku brand { slug name } } } brands { nodes { name } }
                products { nodes { stock brand { id } } totalCount { value } } }"
                .to_owned(),
            format!(
                r#"{{"products":{{"nodes":[{{"brand":{{"name":"Maker 1","slug":"maker-1","id":"{brand}"}},"sku":"L-1","stock":10}}],"totalCount":{{"value":1}}}},"brands":{{"nodes":[{{"name":"Maker 1"}}]}}}}"#
            ),
        ),
        (
            "{ products { nodes { brand { ...A } brand { ...B } } } } fragment A on Brand { slug } fragment B on Brand { name slug }"
                .to_owned(),
            r#"{"products":{"nodes":[{"brand":{"slug":"maker-1","name":"Maker 1"}}]}}"#.to_owned(),
        ),
        // Nested connections, with their fields in any order.
        (
            "{ brands { totalCount { precision value } nodes { products(first: 1) { pageInfo { hasNextPage } edges { node { sku } }
                totalCount { value } } name } pageInfo { hasPreviousPage hasNextPage } } }"
                .to_owned(),
            r#"{"brands":{"totalCount":{"precision":"EXACT","value":1},"nodes":[{"products":{"pageInfo":{"hasNextPage":false},"edges":[{"node":{"sku":"L-1"}}],"totalCount":{"value":1}},"name":"Maker 1"}],"pageInfo":{"hasPreviousPage":false,"hasNextPage":false}}}"#
                .to_owned(),
        ),
        // Interfaces and unions.
        (
            format!("{{ node(id: {product:?}) {{ ... on Product {{ sku brand {{ name }} }} id ... on Node {{ __typename }} ... on Order {{ status }} }} }}"),
            format!(r#"{{"node":{{"sku":"L-1","brand":{{"name":"Maker 1"}},"id":"{product}","__typename":"Product"}}}}"#),
        ),
        (
            format!("{{ nodes(ids: [{user:?}, {product:?}]) {{ ... on Product {{ name }} __typename ... on User {{ role {{ code }} name }} }} }}"),
            r#"{"nodes":[{"__typename":"User","role":{"code":"customer"},"name":"Buyer 1"},{"name":"Lantern 1","__typename":"Product"}]}"#
                .to_owned(),
        ),
        (
            "{ search(query: \"lantern\") { nodes { ... on Brand { id } ... on Product { category { slug } sku } __typename } edges { node { __typename } } } }"
                .to_owned(),
            r#"{"search":{"nodes":[{"category":{"slug":"board-1"},"sku":"L-1","__typename":"Product"}],"edges":[{"node":{"__typename":"Product"}}]}}"#
                .to_owned(),
        ),
        // The root: slow and fast fields, introspection included.
        (
            "{ orders { nodes { orderNumber } } __schema { queryType { name } } b: brands { nodes { name } } __typename
                __type(name: \"Brand\") { kind name } a: websites { nodes { code } } }"
                .to_owned(),
            r#"{"orders":{"nodes":[{"orderNumber":"N-1"}]},"__schema":{"queryType":{"name":"Query"}},"b":{"nodes":[{"name":"Maker 1"}]},"__typename":"Query","__type":{"kind":"OBJECT","name":"Brand"},"a":{"nodes":[{"code":"site-1"}]}}"#
                .to_owned(),
        ),
        // Skipped fields are absent; failed or missing ones are null in their position.
        (
            "{ a: brands @skip(if: true) { nodes { id } } z: node(id: \"Zm9v\") { id } products { nodes { name @include(if: false)
                variant sku } } m: node(id: \"nonsense\") { id } __typename }"
                .to_owned(),
            r#"{"z":null,"products":{"nodes":[{"variant":null,"sku":"L-1"}]},"m":null,"__typename":"Query"}"#.to_owned(),
        ),
    ];
    for (document, expected) in cases {
        // Once as a new document, and once from the cache.
        for _ in 0..2 {
            assert_eq!(data(&admin, &document).await, expected, "{document}");
        }
    }
}

#[tokio::test]
async fn nested_rows_follow_the_order_of_their_list() {
    let app = TestApp::new().await;
    app.seed_all(50).await;
    let admin = app.admin().await;
    let document = "{ orders(first: 50, orderBy: {field: ORDER_NUMBER}) { nodes { user { name } orderNumber details { product { sku } name }
        status } } }";
    let response = admin.run(document).await;
    let order = |i: i64| {
        let lines: Vec<_> = (1..=100)
            .filter(|line| 1 + line % 50 == i)
            .map(|line| format!(r#"{{"product":{{"sku":"L-{}"}},"name":"Lantern"}}"#, 1 + line / 2 % 50))
            .collect();
        format!(
            r#"{{"user":{{"name":"Buyer {i}"}},"orderNumber":"N-{i}","details":[{}],"status":"CONFIRMED"}}"#,
            lines.join(",")
        )
    };
    let mut numbers: Vec<i64> = (1..=50).collect();
    numbers.sort_by_key(|i| format!("N-{i}"));
    let nodes: Vec<_> = numbers.into_iter().map(order).collect();
    let expected = format!(r#"{{"data":{{"orders":{{"nodes":[{}]}}}},"#, nodes.join(","));
    assert!(response.text.starts_with(&expected), "{}\n{expected}", response.text);
}

#[tokio::test]
async fn mutations_run_serially_and_payloads_follow_the_query_order() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let brand = app.brand("acme").await;
    let spec = ProductSpec { stock: 9, brand: Some(brand.id), name: Some("Lantern".into()), ..ProductSpec::default() };
    let product = app.product(website.id, spec).await.id.to_global_id();
    let admin = app.admin().await;
    let order = format!(
        "mutation {{ z: orderCreate(input: {{ lines: [{{ productId: {product:?}, quantity: 2 }}], idempotencyKey: \"1\" }}) {{
            userErrors {{ code }} order {{ details {{ product {{ brand {{ slug }} stock name }} quantity }} orderNumber
            user {{ role {{ code }} }} status totalAmount {{ currency amount }} }} }} }}"
    );
    assert_eq!(
        data(&admin, &order).await,
        r#"{"z":{"userErrors":[],"order":{"details":[{"product":{"brand":{"slug":"acme"},"stock":7,"name":"Lantern"},"quantity":2}],"orderNumber":"SAILOR-1001","user":{"role":{"code":"admin"}},"status":"PENDING","totalAmount":{"currency":"EUR","amount":"20.00"}}}}"#
    );
    let create = |slug: &str| {
        let input = format!("{{ name: \"New\", slug: {slug:?} }}");
        format!("brandCreate(input: {input}) {{ brand {{ slug }} userErrors {{ message field code }} }}")
    };
    let several = format!("mutation {{ c: {} a: {} __typename b: {} }}", create("new"), create("new"), create("newer"));
    assert_eq!(
        data(&admin, &several).await,
        r#"{"c":{"brand":{"slug":"new"},"userErrors":[]},"a":{"brand":null,"userErrors":[{"message":"another brand has this slug","field":"slug","code":"TAKEN"}]},"__typename":"Mutation","b":{"brand":{"slug":"newer"},"userErrors":[]}}"#
    );
}

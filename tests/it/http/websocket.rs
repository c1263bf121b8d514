//! The WebSocket at `/graphql`: the subprotocol `graphql-transport-ws`, credentials, limits and the end of connections.

use std::time::Duration;

use serde_json::json;
use souk::{
    auth::Permission,
    config::{ConnectionSettings, Environment},
};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Error;

use crate::support::{ProductSpec, TestApp, websocket::WebSocket};

const PROTOCOL: &str = "graphql-transport-ws";

const PRODUCTS: &str = "subscription { productChanged { productId } }";

async fn open(app: &TestApp) -> WebSocket {
    WebSocket::open(app.listen().await, PROTOCOL, &[]).await.expect("a WebSocket")
}

/// Returns the HTTP status with which a handshake is rejected.
async fn rejection(app: &TestApp, headers: &[(&'static str, &str)]) -> u16 {
    match WebSocket::open(app.listen().await, PROTOCOL, headers).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn queries_and_mutations_have_one_response() {
    let app = TestApp::new().await;
    app.website("main").await;
    let mut socket = WebSocket::connect(app.listen().await, &app.admin().await).await;
    let id = socket.start("{ websites { nodes { code } } }").await;
    let expected = json!({ "data": { "websites": { "nodes": [{ "code": "main" }] } } });
    let message = socket.receive().await.json();
    assert_eq!((&message["id"], &message["type"]), (&json!(id), &json!("next")));
    assert_eq!(message["payload"]["data"], expected["data"]);
    assert_eq!(socket.receive().await.json(), json!({ "id": id, "type": "complete" }));
    socket.start("mutation { brandCreate(input: {name: \"Sailor\"}) { brand { name } } }").await;
    assert_eq!(socket.next().await["brandCreate"]["brand"]["name"], "Sailor");
}

#[tokio::test]
async fn invalid_operations_get_errors_and_others_go_on() {
    let app = TestApp::new().await;
    let mut socket = WebSocket::connect(app.listen().await, &app.anonymous()).await;
    for (payload, code) in [
        (json!({ "query": "{ nothing }" }), "BAD_USER_INPUT"),
        (json!({ "query": "{" }), "BAD_USER_INPUT"),
        (json!({}), "BAD_USER_INPUT"),
        (json!([]), "BAD_USER_INPUT"),
        (json!({ "query": "subscription { productChanged { productId } stockChanged { cursor } }" }), "BAD_USER_INPUT"),
        (json!({ "query": "subscription { productChanged @skip(if: true) { productId } }" }), "BAD_USER_INPUT"),
        (json!({ "query": "subscription { __typename }" }), "BAD_USER_INPUT"),
        (json!({ "query": "subscription { orderUpdated(id: \"x\") { cursor } }" }), "BAD_USER_INPUT"),
        (json!({ "query": "subscription { ordersChanged { cursor } }" }), "UNAUTHENTICATED"),
    ] {
        socket.send(json!({ "id": "one", "type": "subscribe", "payload": payload })).await;
        assert_eq!(socket.error_code().await, code, "{payload}");
    }
    assert!(socket.is_silent().await);
    socket.start("{ websites { nodes { code } } }").await;
    assert_eq!(socket.next().await, json!({ "websites": { "nodes": [] } }));
}

#[tokio::test]
async fn messages_that_break_the_protocol_close_the_connection() {
    let app = TestApp::new().await;
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": PRODUCTS } }).to_string();
    let init = json!({ "type": "connection_init" }).to_string();
    for (messages, code) in [
        (vec![subscribe.as_str()], 4401),
        (vec!["nonsense"], 4400),
        (vec!["{\"type\":\"unknown\"}"], 4400),
        (vec![&init, &init], 4429),
        (vec![&init, &subscribe, &subscribe], 4409),
        (vec![&init, "{\"type\":\"subscribe\",\"id\":1,\"payload\":{}}"], 4400),
        (vec!["{\"type\":\"connection_init\",\"payload\":\"token\"}"], 4400),
        (vec!["{\"type\":\"connection_init\",\"payload\":{\"authorization\":5}}"], 4400),
    ] {
        let mut socket = open(&app).await;
        for message in &messages {
            socket.send_text(message).await;
        }
        let closed = loop {
            match socket.receive().await {
                crate::support::websocket::Received::Json(_) => {}
                closed => break closed.code(),
            }
        };
        assert_eq!(closed, code, "{messages:?}");
    }
}

#[tokio::test]
async fn an_id_can_be_used_again_as_soon_as_its_operation_is_complete() {
    let app = TestApp::new().await;
    let mut socket = WebSocket::connect(app.listen().await, &app.anonymous()).await;
    let query = "{ websites { nodes { code } } }";
    for _ in 0..200 {
        socket.send(json!({ "id": "1", "type": "subscribe", "payload": { "query": query } })).await;
        socket.next().await;
        assert_eq!(socket.receive().await.json(), json!({ "id": "1", "type": "complete" }));
    }
}

#[tokio::test]
async fn close_frames_of_clients_are_responded_to() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    for mut socket in [open(&app).await, app.anonymous().subscribe(address, PRODUCTS).await] {
        socket.close(1000).await;
        assert_eq!(socket.receive().await.code(), 1000);
    }
}

#[tokio::test]
async fn the_root_field_may_be_selected_in_fragments_and_several_times() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    app.product(app.website("main").await.id, ProductSpec::default()).await;
    let document = "subscription { ...f ... on Subscription { productChanged { kind } } productChanged { ...g } }
        fragment f on Subscription { productChanged { __typename } } fragment g on ProductChange { product { isActive } }";
    let mut socket = app.anonymous().subscribe(address, document).await;
    app.database.sql("UPDATE products SET name = 'Mug'").await;
    let change = json!({ "__typename": "ProductChange", "kind": "UPDATED", "product": { "isActive": true } });
    assert_eq!(socket.next().await, json!({ "productChanged": change }));
}

#[tokio::test]
async fn other_subprotocols_are_closed_with_a_reason() {
    let app = TestApp::new().await;
    for protocol in ["graphql-ws", ""] {
        let mut socket = WebSocket::open(app.listen().await, protocol, &[]).await.expect("a WebSocket");
        assert_eq!(socket.receive().await.code(), 4406, "{protocol}");
    }
}

#[tokio::test]
async fn pings_of_clients_are_answered_with_their_payload() {
    let app = TestApp::new().await;
    let mut socket = open(&app).await;
    socket.send(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.receive().await.json(), json!({ "type": "pong", "payload": { "n": 1 } }));
}

#[tokio::test]
async fn clients_authenticate_by_header_or_by_the_payload_of_the_init_message() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let customer = app.customer().await;
    let (token, id) =
        (format!("Bearer {}", customer.token().unwrap()), json!({ "me": { "id": customer.global_id() } }));
    for payload in [
        json!({ "authorization": token }),
        json!({ "Authorization": token }),
        json!({ "headers": { "Authorization": token } }),
    ] {
        let mut socket = WebSocket::connect_with(address, payload).await;
        socket.start("{ me { id } }").await;
        assert_eq!(socket.next().await, id);
    }
    let mut socket = WebSocket::open(address, PROTOCOL, &[("authorization", &token)]).await.expect("a WebSocket");
    socket.send(json!({ "type": "connection_init" })).await;
    socket.receive().await.json();
    socket.start("{ me { id } }").await;
    assert_eq!(socket.next().await, id);

    let mut socket = open(&app).await;
    socket.send(json!({ "type": "connection_init", "payload": { "authorization": "Bearer none" } })).await;
    assert_eq!(socket.receive().await.code(), 4403);
    assert_eq!(rejection(&app, &[("authorization", "Bearer none")]).await, 401);
}

#[tokio::test]
async fn an_ended_session_ends_its_connections() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let customer = app.customer().await;
    let mut socket = customer.subscribe(address, "subscription { cartUpdated { cartId } }").await;
    let mut other = app.customer().await.subscribe(address, "subscription { cartUpdated { cartId } }").await;
    let ended = customer.run("mutation { logout { userErrors { code } } }").await;
    assert_eq!(ended.user_errors("logout"), []);
    assert_eq!(socket.receive().await.code(), 4403);
    assert!(other.is_silent().await);
}

#[tokio::test]
async fn an_expired_token_ends_its_connection() {
    let keys = souk::auth::JwtKeys::new(crate::support::SECRET, chrono::Duration::seconds(2));
    let app = TestApp::builder().jwt_keys(keys).build().await;
    let customer = app.customer().await;
    let mut socket = WebSocket::connect(app.listen().await, &customer).await;
    let started = std::time::Instant::now();
    assert_eq!(socket.receive().await.code(), 4403);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_revoked_api_key_ends_its_connection() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let admin = app.admin().await;
    let input = json!({ "name": "live", "permissions": ["MANAGE_ORDERS"] });
    let created = admin.mutate("apiKeyCreate", "apiKey { id } secret", input).await;
    let key = app.with_key(created.text_at("apiKeyCreate.secret"), admin.id);
    let mut socket = key.subscribe(address, "subscription { ordersChanged { cursor } }").await;
    let revoked = admin.mutate("apiKeyRevoke", "", json!({ "id": created.text_at("apiKeyCreate.apiKey.id") })).await;
    assert_eq!(revoked.user_errors("apiKeyRevoke"), []);
    assert_eq!(socket.receive().await.code(), 4403);
}

#[tokio::test]
async fn pages_of_other_origins_cannot_connect() {
    let app = TestApp::builder().environment(Environment::Production).build().await;
    assert_eq!(rejection(&app, &[("origin", "https://shop.example")]).await, 101, "configured");
    assert_eq!(rejection(&app, &[("origin", "https://evil.example")]).await, 403);
    assert_eq!(rejection(&app, &[("origin", "null")]).await, 403);
    assert_eq!(rejection(&app, &[("origin", "http://souk"), ("host", "souk")]).await, 101, "the server's own pages");
    assert_eq!(rejection(&app, &[]).await, 101, "not a browser");
}

#[tokio::test]
async fn connections_and_operations_are_limited() {
    let app = TestApp::builder()
        .http(|http| {
            http.rates.exempt.clear();
            http.subscriptions.connections_per_client = 2;
            http.subscriptions.operations_per_connection = 2;
        })
        .build()
        .await;
    let address = app.listen().await;
    let mut one = WebSocket::connect(address, &app.anonymous()).await;
    let _two = WebSocket::connect(address, &app.anonymous()).await;
    let mut three = open(&app).await;
    three.send(json!({ "type": "connection_init" })).await;
    assert_eq!(three.receive().await.code(), 1013);
    // A user is another client than the network.
    let customer = app.customer().await;
    let _theirs = WebSocket::connect(address, &customer).await;
    let _openings = [open(&app).await, open(&app).await];
    assert_eq!(rejection(&app, &[]).await, 429, "too many that have not sent connection_init");
    drop(_openings);

    let first = one.start(PRODUCTS).await;
    one.start(PRODUCTS).await;
    app.wait_for_subscriptions(2).await;
    one.start(PRODUCTS).await;
    assert_eq!(one.error_code().await, "LIMIT_EXCEEDED");
    one.send(json!({ "id": first, "type": "complete" })).await;
    app.wait_for_subscriptions(1).await;
    one.start("{ websites { nodes { code } } }").await;
    assert_eq!(one.next().await, json!({ "websites": { "nodes": [] } }));
    drop(one);
    app.wait_for_subscriptions(0).await;
    WebSocket::connect(address, &app.anonymous()).await;
}

#[tokio::test]
async fn idle_connections_and_old_ones_are_closed() {
    let app = TestApp::builder().http(|http| http.subscriptions.idle_limit = Duration::from_millis(300)).build().await;
    let address = app.listen().await;
    let mut used = app.anonymous().subscribe(address, PRODUCTS).await;
    let mut idle = WebSocket::connect(address, &app.anonymous()).await;
    assert_eq!(idle.receive().await.code(), 1000);
    assert!(used.is_silent().await);

    let app =
        TestApp::builder().http(|http| http.subscriptions.max_lifetime = Duration::from_millis(300)).build().await;
    let mut socket = app.anonymous().subscribe(app.listen().await, PRODUCTS).await;
    assert_eq!(socket.receive().await.code(), 1001);
}

#[tokio::test]
async fn clients_that_do_not_respond_to_pings_are_closed() {
    let app =
        TestApp::builder().http(|http| http.subscriptions.ping_interval = Duration::from_millis(200)).build().await;
    let address = app.listen().await;
    let socket = app.anonymous().subscribe(address, PRODUCTS).await;
    // This client reads nothing from now on, and so sends no pongs.
    app.wait_for_subscriptions(0).await;
    drop(socket);
    let mut reading = app.anonymous().subscribe(address, PRODUCTS).await;
    let silent = tokio::time::timeout(Duration::from_secs(1), reading.receive()).await;
    assert!(silent.is_err(), "pings are answered by the client's library");
    assert!(reading.is_silent().await);
}

#[tokio::test]
async fn a_server_that_stops_closes_its_connections_and_ends() {
    let app = TestApp::new().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (address, server) = app.listen_with(ConnectionSettings::default(), async { drop(stopped.await) }).await;
    let mut socket = app.anonymous().subscribe(address, PRODUCTS).await;
    stop.send(()).unwrap();
    assert_eq!(socket.receive().await.code(), 1001);
    server.await.unwrap();
}

#[tokio::test]
async fn open_connections_count_towards_the_maximum() {
    let app = TestApp::new().await;
    let settings = ConnectionSettings { max_connections: 1, ..ConnectionSettings::default() };
    let (address, _server) = app.listen_with(settings, std::future::pending()).await;
    let socket = app.anonymous().subscribe(address, PRODUCTS).await;
    let second = WebSocket::open(address, PROTOCOL, &[]);
    let waits = tokio::time::timeout(Duration::from_millis(300), second).await;
    assert!(waits.is_err(), "the only connection is taken");
    drop(socket);
    let mut second = WebSocket::open(address, PROTOCOL, &[]).await.expect("a WebSocket");
    second.send(json!({ "type": "ping" })).await;
    assert_eq!(second.receive().await.json(), json!({ "type": "pong" }));
}

#[tokio::test]
async fn one_connection_has_several_subscriptions_of_its_own() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, ProductSpec { stock: 20, ..ProductSpec::default() }).await;
    let manager = app.user_with(&[Permission::ManageStock, Permission::ManageProducts], &[]).await;
    let mut socket = manager.subscribe(address, PRODUCTS).await;
    let stock = socket.start("subscription { stockChanged { product { stock } } }").await;
    app.wait_for_subscriptions(2).await;
    app.database.sql(&format!("UPDATE products SET name = 'Mug' WHERE id = {}", product.id.0)).await;
    let first = socket.receive().await.json();
    assert_eq!((&first["id"], first["payload"]["data"].get("productChanged").is_some()), (&json!("operation-1"), true));
    socket.send(json!({ "id": "operation-1", "type": "complete" })).await;
    app.wait_for_subscriptions(1).await;
    let input = json!({ "productId": souk::ids::RowId::to_global_id(product.id), "delta": 1 });
    manager.mutate("stockAdjust", "", input).await;
    app.database.sql("UPDATE products SET name = 'Red mug'").await;
    let second = socket.receive().await.json();
    assert_eq!(
        (&second["id"], &second["payload"]["data"]),
        (&json!(stock), &json!({ "stockChanged": { "product": { "stock": 21 } } }))
    );
    assert!(socket.is_silent().await);
}

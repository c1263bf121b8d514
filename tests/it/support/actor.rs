//! The actors that send requests to a test's server.

use axum::{
    body::Body,
    http::{Request, header, request::Builder},
};
use serde_json::{Value, json};
use souk::db::recorder::StatementRecorder;
use souk::http;
use souk::ids::RowId;
use souk::ids::UserId;

use super::{TestApp, TestResponse};

/// Sender of requests: a user, a guest, or a client with an API key.
pub struct Actor<'a> {
    /// The server that receives the requests.
    pub app: &'a TestApp,
    pub(super) token: Option<String>,
    pub(super) key: Option<String>,
    pub(super) cart: Option<String>,
    pub(super) visitor: Option<String>,
    pub(super) address: Option<String>,
    /// The user's id; 0 if not logged in.
    pub id: UserId,
}

impl<'a> Actor<'a> {
    /// Returns the same user with a new session.
    pub async fn log_in_again(&self) -> Actor<'a> {
        let id = self.id;
        if self.token.is_none() {
            let (key, cart, visitor) = (self.key.clone(), self.cart.clone(), self.visitor.clone());
            return Actor { app: self.app, token: None, key, cart, visitor, address: self.address.clone(), id };
        }
        let role = format!("SELECT code FROM roles JOIN users ON role_id = roles.id WHERE users.id = {}", id.0);
        self.app.existing_user(id, &self.app.database.scalar(&role).await).await.with_cart(self.cart.clone())
    }

    /// Returns the same actor with this cart token, or without one.
    pub fn with_cart(self, cart: Option<String>) -> Actor<'a> {
        Actor { cart, ..self }
    }

    /// Returns the same actor with this visitor id, as a browser sends it.
    pub fn with_visitor(self, visitor: &str) -> Actor<'a> {
        Actor { visitor: Some(visitor.to_owned()), ..self }
    }

    /// Returns the same actor at this IP address, as the proxy reports it.
    pub fn at_address(self, address: &str) -> Actor<'a> {
        Actor { address: Some(address.to_owned()), ..self }
    }
}

impl Actor<'_> {
    /// Returns the access token that the actor sends, if any.
    pub fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Returns the user's global id.
    pub fn global_id(&self) -> String {
        self.id.to_global_id()
    }

    /// Runs an operation without variables.
    pub async fn run(&self, document: &str) -> TestResponse {
        self.run_with(document, json!({})).await
    }

    /// Runs an operation with variables.
    pub async fn run_with(&self, document: &str, variables: Value) -> TestResponse {
        self.run_request(self.request(), document, variables).await
    }

    /// Returns a request builder with the actor's headers.
    pub fn request(&self) -> Builder {
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        let request = match &self.cart {
            Some(cart) => request.header(http::header_names::X_CART_TOKEN, cart),
            None => request,
        };
        let request = match &self.visitor {
            Some(visitor) => request.header(http::header_names::X_VISITOR_ID, visitor),
            None => request,
        };
        let request = match &self.address {
            Some(address) => request.header("x-forwarded-for", address),
            None => request,
        };
        match (&self.token, &self.key) {
            (Some(token), _) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            (None, Some(key)) => request.header(http::header_names::X_API_KEY, key),
            (None, None) => request,
        }
    }

    /// Runs an operation with this request builder.
    pub async fn run_request(&self, request: Builder, document: &str, variables: Value) -> TestResponse {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let recorder = StatementRecorder::with_texts();
        let sent = self.app.send(request.body(Body::from(body)).expect("a request"));
        let (_, _, bytes) = recorder.clone().scope(sent).await;
        TestResponse::new(document, String::from_utf8(bytes).expect("UTF-8"), recorder.texts())
    }
}

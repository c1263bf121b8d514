//! Who sends requests to the server of a test.

use axum::{
    body::Body,
    http::{Request, header, request::Builder},
};
use serde_json::{Value, json};
use souk::db::recorder::StatementRecorder;
use souk::http;
use souk::ids::RowId;
use souk::ids::UserId;

use super::{TestResponse, TestApp};

/// Somebody who sends requests: a user, a guest, or a machine with an API key.
pub struct Actor<'a> {
    /// The server that the requests go to.
    pub app: &'a TestApp,
    pub(super) token: Option<String>,
    pub(super) key: Option<String>,
    pub(super) cart: Option<String>,
    pub(super) visitor: Option<String>,
    /// The user's id; 0 without a login.
    pub id: UserId,
}

impl<'a> Actor<'a> {
    /// The same person, logged in anew.
    pub async fn log_in_again(&self) -> Actor<'a> {
        let id = self.id;
        if self.token.is_none() {
            let (key, cart, visitor) = (self.key.clone(), self.cart.clone(), self.visitor.clone());
            return Actor { app: self.app, token: None, key, cart, visitor, id };
        }
        let role = format!("SELECT code FROM roles JOIN users ON role_id = roles.id WHERE users.id = {}", id.0);
        self.app.existing_user(id, &self.app.database.scalar(&role).await).await.with_cart(self.cart.clone())
    }

    /// The same person, who sends this cart token along, or none.
    pub fn with_cart(self, cart: Option<String>) -> Actor<'a> {
        Actor { cart, ..self }
    }

    /// The same person, whose browser sends this id.
    pub fn with_visitor(self, visitor: &str) -> Actor<'a> {
        Actor { visitor: Some(visitor.to_owned()), ..self }
    }
}

impl Actor<'_> {
    /// The access token that they send, if they do.
    pub fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Their global id.
    pub fn global_id(&self) -> String {
        self.id.to_global_id()
    }

    /// Runs an operation without variables.
    pub async fn run(&self, document: &str) -> TestResponse {
        self.run_with(document, json!({})).await
    }

    /// Runs an operation.
    pub async fn run_with(&self, document: &str, variables: Value) -> TestResponse {
        self.run_request(self.request(), document, variables).await
    }

    /// The head of a request of theirs.
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
        match (&self.token, &self.key) {
            (Some(token), _) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            (None, Some(key)) => request.header(http::header_names::X_API_KEY, key),
            (None, None) => request,
        }
    }

    /// Runs an operation by a request with this head.
    pub async fn run_request(&self, request: Builder, document: &str, variables: Value) -> TestResponse {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let recorder = StatementRecorder::with_texts();
        let sent = self.app.send(request.body(Body::from(body)).expect("a request"));
        let (_, _, bytes) = recorder.clone().scope(sent).await;
        TestResponse::new(document, String::from_utf8(bytes).expect("UTF-8"), recorder.texts())
    }
}

//! Forms of the GraphQL multipart request protocol, and small images to upload with them.

use std::io::Cursor;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::Actor;

const BOUNDARY: &str = "a-boundary-of-the-tests";

/// Returns a PNG of one color.
pub fn png(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, Rgb(color)).write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

/// A multipart form.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    /// Starts a form with the `operations` and `map` fields that the protocol requires first.
    pub fn new(operations: &Value, map: &Value) -> Self {
        Self::default().text("operations", &operations.to_string()).text("map", &map.to_string())
    }

    /// Adds a text field.
    pub fn text(mut self, name: &str, text: &str) -> Self {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        self.0.extend(part.as_bytes());
        self
    }

    /// Adds a file.
    pub fn file(mut self, name: &str, file_name: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        self.0.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        self
    }

    /// Returns the body with its closing boundary.
    pub fn body(mut self) -> Vec<u8> {
        self.0.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }
}

impl Actor<'_> {
    /// Posts a form as it is, with or without the CSRF header.
    pub async fn post_form(&self, body: Vec<u8>, preflight: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.request();
        let headers = request.headers_mut().expect("a valid request");
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&content_type).expect("a header"));
        if let Some(name) = preflight {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.insert(name, HeaderValue::from_static("1"));
        }
        let (status, _, bytes) = self.app.send(request.body(Body::from(body)).expect("a request")).await;
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    /// Uploads an image to a product; returns the payload of `productImageCreate`.
    pub async fn add_image(&self, product: &str, bytes: &[u8], other: Value) -> Value {
        let mut input = json!({ "productId": product, "file": null });
        for (name, value) in other.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        let query = "mutation ($input: ProductImageCreateInput!) { productImageCreate(input: $input) {
            image { id url small: url(width: 160, format: JPEG) width height blurhash alt position }
            userErrors { code field message } } }";
        let operations = json!({ "query": query, "variables": { "input": input } });
        let form = Form::new(&operations, &json!({ "0": ["variables.input.file"] }));
        let form = form.file("0", "picture.jpg", bytes).body();
        let (_, response) = self.post_form(form, Some("graphql-require-preflight")).await;
        match response["data"]["productImageCreate"].clone() {
            Value::Null => response,
            payload => payload,
        }
    }
}

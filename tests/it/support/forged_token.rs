//! Forged access tokens: a real token, changed and signed again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::Value;

use super::SECRET;

/// Parts of a token, as issued by the server until a test changes them.
#[derive(Clone)]
pub struct ForgedToken {
    header: Value,
    claims: Value,
    key: EncodingKey,
    algorithm: Algorithm,
}

impl ForgedToken {
    /// Splits a real token; it will be signed with the tests' secret.
    pub fn of(token: &str) -> Self {
        let [header, claims] = parts(token);
        Self { header, claims, key: EncodingKey::from_secret(SECRET.as_bytes()), algorithm: Algorithm::HS256 }
    }

    /// Signs with another secret.
    pub fn secret(self, secret: impl AsRef<[u8]>) -> Self {
        let algorithm = self.algorithm;
        self.key(EncodingKey::from_secret(secret.as_ref()), algorithm)
    }

    /// Signs with another key.
    pub fn key(self, key: EncodingKey, algorithm: Algorithm) -> Self {
        Self { key, algorithm, ..self }
    }

    /// Signs with another algorithm, independent of the header.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Sets a header value; null removes it.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.header, name, value.into());
        self
    }

    /// Sets a claim; null removes it.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.claims, name, value.into());
        self
    }

    /// Returns the signed token.
    pub fn token(&self) -> String {
        let message = self.message();
        format!(
            "{message}.{}",
            crypto::sign(message.as_bytes(), &self.key, self.algorithm).expect("a key to sign with")
        )
    }

    /// Returns the part of the token that is signed.
    pub fn message(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().expect("an object");
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
}

/// Returns the header and the claims of a token.
pub fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    [(); 2].map(|()| serde_json::from_slice(&parts.next().expect("a part")).expect("JSON"))
}

//! Large responses that clients have not received yet.
//! Rule: their bytes are bounded, in total and for each client, so that clients that read slowly cannot use up the memory. A
//! response that does not fit is replaced by an error.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    http::header,
    response::Response,
};

use crate::limits::{Client, ClientKey};

/// Smaller responses are not counted.
const MIN_COUNTED: u64 = 64 * 1024;
/// Bytes of the counted responses to all clients.
const MAX_BYTES: u64 = 96 * 1024 * 1024;
/// Bytes of the counted responses to one client: two of the default maximum size.
const MAX_BYTES_PER_CLIENT: u64 = 32 * 1024 * 1024;

/// Counts the bytes of large responses until they are sent. Clones share the counts.
#[derive(Clone, Default)]
pub struct Unsent(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    total: u64,
    by_client: HashMap<ClientKey, u64>,
}

/// Why a response does not fit.
#[derive(Debug, PartialEq, Eq)]
pub enum Full {
    /// With other responses to this client.
    Client,
    /// With responses to many clients.
    All,
}

impl Unsent {
    /// Counts a response until its client has received it, if it is large.
    /// # Errors
    /// Returns [`Full`] if the response does not fit.
    pub async fn count(&self, client: Client, response: Response) -> Result<Response, Full> {
        let Some(size) = response.body().size_hint().exact().filter(|size| *size >= MIN_COUNTED) else {
            return Ok(response);
        };
        let counted = self.reserve(client, size)?;
        let (mut parts, body) = response.into_parts();
        // The body has one part, which is not copied.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        Ok(Response::from_parts(parts, Body::from(Bytes::from_owner(CountedBytes { bytes, _counted: counted }))))
    }

    fn reserve(&self, client: Client, bytes: u64) -> Result<Counted, Full> {
        let mut counts = self.counts();
        let of_client = counts.by_client.get(&client.key).copied().unwrap_or_default() + bytes;
        // A response that is larger than the share fits if it is the only one.
        if of_client > MAX_BYTES_PER_CLIENT.max(bytes) && !client.is_exempt {
            return Err(Full::Client);
        }
        if counts.total + bytes > MAX_BYTES.max(bytes) {
            return Err(Full::All);
        }
        counts.total += bytes;
        counts.by_client.insert(client.key, of_client);
        Ok(Counted { unsent: self.clone(), key: client.key, bytes })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that are counted until this value is dropped.
struct Counted {
    unsent: Unsent,
    key: ClientKey,
    bytes: u64,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.unsent.counts();
        counts.total -= self.bytes;
        match counts.by_client.get_mut(&self.key) {
            Some(of_client) if *of_client > self.bytes => *of_client -= self.bytes,
            _ => _ = counts.by_client.remove(&self.key),
        }
    }
}

/// The bytes of a response. The connection keeps them until they are sent.
struct CountedBytes {
    bytes: Bytes,
    _counted: Counted,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::UserId, limits::ClientClass};

    const MIB: usize = 1024 * 1024;

    fn client(id: i64) -> Client {
        Client { key: ClientKey::User(UserId(id)), class: ClientClass::Customer, is_exempt: false }
    }

    async fn count(unsent: &Unsent, client: Client, size: usize) -> Result<Response, Full> {
        unsent.count(client, Response::new(Body::from(vec![b'x'; size]))).await
    }

    #[tokio::test]
    async fn large_responses_to_a_client_are_counted_until_they_are_sent() {
        let unsent = Unsent::default();
        let first = count(&unsent, client(1), 20 * MIB).await.unwrap();
        assert_eq!(count(&unsent, client(1), 20 * MIB).await.err(), Some(Full::Client));
        assert!(count(&unsent, client(1), 1_000).await.is_ok(), "small ones are not counted");
        assert!(count(&unsent, Client { is_exempt: true, ..client(1) }, 20 * MIB).await.is_ok());
        assert!(count(&unsent, client(2), 40 * MIB).await.is_ok(), "the only one");

        assert_eq!(first.headers()[header::CONTENT_LENGTH], (20 * MIB).to_string());
        let sent = to_bytes(first.into_body(), usize::MAX).await.unwrap();
        assert_eq!(count(&unsent, client(1), 20 * MIB).await.err(), Some(Full::Client), "in the connection's buffer");
        assert_eq!(sent.len(), 20 * MIB);
        drop(sent);
        assert!(count(&unsent, client(1), 20 * MIB).await.is_ok());
        let counts = unsent.counts();
        assert_eq!((counts.total, counts.by_client.len()), (0, 0));
    }

    #[tokio::test]
    async fn large_responses_to_all_clients_are_bounded() {
        let unsent = Unsent::default();
        let mut held = Vec::new();
        for id in 0..6 {
            held.push(count(&unsent, client(id), 16 * MIB).await.unwrap());
        }
        assert_eq!(count(&unsent, client(6), 16 * MIB).await.err(), Some(Full::All));
        held.pop();
        assert!(count(&unsent, client(6), 16 * MIB).await.is_ok());
    }
}

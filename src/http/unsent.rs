//! Large responses that clients have not received yet.
//! Rule: their bytes are bounded, in total and for each client, so that clients that read slowly cannot use up the memory. A
//! response that does not fit is replaced by an error.

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    http::header,
    response::Response,
};

use crate::limits::{ByteCounts, ByteLimits, BytesFull, Client, ClientKey, ReservedBytes};

/// Smaller responses are not counted.
const MIN_COUNTED: u64 = 64 * 1024;
/// Bytes of the counted responses to all clients.
const MAX_BYTES: u64 = 96 * 1024 * 1024;
/// Bytes of the counted responses to one client: two of the default maximum size.
const MAX_BYTES_PER_CLIENT: u64 = 32 * 1024 * 1024;

/// Counts the bytes of large responses until they are sent. Clones share the counts.
#[derive(Clone, Default)]
pub struct Unsent(ByteCounts<ClientKey>);

impl Unsent {
    /// Counts the bytes of a message until the returned value is dropped, if they are many.
    /// # Errors
    /// Returns [`BytesFull`] if they do not fit.
    pub fn count_bytes(&self, client: Client, bytes: usize) -> Result<Option<UnsentBytes>, BytesFull> {
        let size = u64::try_from(bytes).unwrap_or(u64::MAX);
        if size < MIN_COUNTED {
            return Ok(None);
        }
        let mut counted = self.0.reservation(client.key);
        counted.grow(size, limits(client, size))?;
        Ok(Some(UnsentBytes { _counted: counted }))
    }

    /// Counts a response until its client has received it, if it is large.
    /// # Errors
    /// Returns [`BytesFull`] if the response does not fit.
    pub async fn count(&self, client: Client, response: Response) -> Result<Response, BytesFull> {
        let Some(size) = response.body().size_hint().exact() else { return Ok(response) };
        let Some(counted) = self.count_bytes(client, usize::try_from(size).unwrap_or(usize::MAX))? else {
            return Ok(response);
        };
        let (mut parts, body) = response.into_parts();
        // The body has one part, which is not copied.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        Ok(Response::from_parts(parts, Body::from(Bytes::from_owner(CountedBytes { bytes, _counted: counted }))))
    }
}

/// Bytes of a message that are counted until this value is dropped.
pub struct UnsentBytes {
    _counted: ReservedBytes<ClientKey>,
}

/// A response that is larger than a limit fits if it is the only one.
fn limits(client: Client, size: u64) -> ByteLimits {
    let per_client = if client.is_exempt { u64::MAX } else { MAX_BYTES_PER_CLIENT.max(size) };
    ByteLimits { total: MAX_BYTES.max(size), per_client }
}

/// The bytes of a response. The connection keeps them until they are sent.
struct CountedBytes {
    bytes: Bytes,
    _counted: UnsentBytes,
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

    async fn count(unsent: &Unsent, client: Client, size: usize) -> Result<Response, BytesFull> {
        unsent.count(client, Response::new(Body::from(vec![b'x'; size]))).await
    }

    #[tokio::test]
    async fn large_responses_to_a_client_are_counted_until_they_are_sent() {
        let unsent = Unsent::default();
        let first = count(&unsent, client(1), 20 * MIB).await.unwrap();
        assert_eq!(count(&unsent, client(1), 20 * MIB).await.err(), Some(BytesFull::Client));
        assert!(count(&unsent, client(1), 1_000).await.is_ok(), "small ones are not counted");
        assert!(count(&unsent, Client { is_exempt: true, ..client(1) }, 20 * MIB).await.is_ok());
        assert!(count(&unsent, client(2), 40 * MIB).await.is_ok(), "the only one");

        assert_eq!(first.headers()[header::CONTENT_LENGTH], (20 * MIB).to_string());
        let sent = to_bytes(first.into_body(), usize::MAX).await.unwrap();
        assert_eq!(
            count(&unsent, client(1), 20 * MIB).await.err(),
            Some(BytesFull::Client),
            "in the connection's buffer"
        );
        assert_eq!(sent.len(), 20 * MIB);
        drop(sent);
        assert!(count(&unsent, client(1), 20 * MIB).await.is_ok());
        assert_eq!(unsent.0.total(), 0);
    }

    #[tokio::test]
    async fn large_responses_to_all_clients_are_bounded() {
        let unsent = Unsent::default();
        let mut held = Vec::new();
        for id in 0..6 {
            held.push(count(&unsent, client(id), 16 * MIB).await.unwrap());
        }
        assert_eq!(count(&unsent, client(6), 16 * MIB).await.err(), Some(BytesFull::All));
        held.pop();
        assert!(count(&unsent, client(6), 16 * MIB).await.is_ok());
    }
}

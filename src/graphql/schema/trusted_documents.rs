//! Requests that name a trusted document.
//! Rule: a document is named by `documentId`, or by the hash of the extension `persistedQuery`, as the clients of Apollo and urql do.

use std::sync::Arc;

use async_graphql::{Request, ServerError, Value};

use crate::{
    error::ErrorCode,
    graphql::engine::{
        errors::{coded, from_error},
        persisted_queries::{self, EXTENSION},
    },
    telemetry::RequestId,
    trusted_documents::lookup::TrustedDocuments,
};

/// Key under which the parameter `documentId` is in the extensions of a request.
pub const DOCUMENT_ID: &str = "documentId";

/// Prefix of IDs that say which hash they are.
const HASH_PREFIX: &str = "sha256:";

/// Sets the text of a request that names a trusted document.
/// # Errors
/// PERSISTED_QUERY_NOT_FOUND for an unknown `documentId`; FORBIDDEN for another document if only trusted ones are allowed.
pub async fn resolve(
    documents: &TrustedDocuments,
    request: &mut Request,
    request_id: &RequestId,
) -> Result<(), ServerError> {
    let find = async |id: &str| {
        let found = match (documents.find(id).await, id.strip_prefix(HASH_PREFIX)) {
            (Ok(None), Some(hash)) => documents.find(hash).await,
            (Ok(None), None) => documents.find(&format!("{HASH_PREFIX}{id}")).await,
            (found, _) => found,
        };
        found.map_err(|error| from_error(&error, request_id))
    };
    if let Some(id) = request.extensions.remove(DOCUMENT_ID) {
        let (Value::String(id), true) = (id, request.query.is_empty()) else {
            return Err(coded(ErrorCode::BadUserInput, "send either `query` or `documentId`"));
        };
        let unknown =
            || coded(ErrorCode::PersistedQueryNotFound, format!("there is no trusted document with the ID {id:?}"));
        request.query = find(&id).await?.ok_or_else(unknown)?.to_string();
        return Ok(());
    }
    let hash = hash_of(request);
    // A text that is sent is looked up only if it has to be trusted.
    let id = match (&hash, request.query.is_empty()) {
        (Some(hash), true) => hash.clone(),
        (_, false) if documents.is_only => hex::encode(persisted_queries::hash_of(&request.query)),
        _ => return Ok(()),
    };
    // An ID need not be the hash of its text.
    let is_same = |text: &Arc<str>| request.query.is_empty() || **text == *request.query;
    match find(&id).await?.filter(is_same) {
        Some(text) => {
            request.query = text.to_string();
            request.extensions.remove(EXTENSION);
            Ok(())
        }
        None if documents.is_only => {
            let message = "this server executes only trusted documents (SOUK_TRUSTED_DOCUMENTS_ONLY): send the `documentId` of \
                           one that was stored with `souk documents push`";
            Err(coded(ErrorCode::Forbidden, message))
        }
        None => Ok(()),
    }
}

/// Returns the hash of the extension `persistedQuery`.
fn hash_of(request: &Request) -> Option<String> {
    let Value::Object(extension) = request.extensions.get(EXTENSION)? else { return None };
    match extension.get("sha256Hash")? {
        Value::String(hash) => Some(hash.clone()),
        _ => None,
    }
}

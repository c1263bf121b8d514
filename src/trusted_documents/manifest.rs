//! The files in which build tools of clients list their documents.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The value of `format` in the manifests of Apollo.
const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";

/// A document and its ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedDocument {
    /// ID that the client sends.
    pub id: String,
    /// Text of the document.
    pub text: String,
    /// Name of its operation, if the manifest has it.
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    format: Option<String>,
    version: Option<u32>,
    operations: Option<Vec<Operation>>,
    #[serde(flatten)]
    by_id: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
    name: Option<String>,
}

/// Reads a manifest: that of Apollo (`generate-persisted-query-manifest`), or an object of documents by ID, as GraphQL Code Generator
/// (`persistedDocuments`, also for urql) and the Relay compiler (`persistConfig`) write it.
/// # Errors
/// A user error that says what is wrong with the file.
pub fn parse(json: &str) -> Result<Vec<TrustedDocument>> {
    let invalid = |message: String| Error::bad_input("manifest", message);
    let manifest: Manifest =
        serde_json::from_str(json).map_err(|error| invalid(format!("is not a manifest: {error}")))?;
    let documents: Vec<_> = match (manifest.format.as_deref(), manifest.version, manifest.operations) {
        (Some(APOLLO_FORMAT), Some(1), Some(operations)) => {
            let document = |Operation { id, body, name }| TrustedDocument { id, text: body, name };
            operations.into_iter().map(document).collect()
        }
        (None, None, None) => {
            let document = |(id, text): (String, serde_json::Value)| match text {
                serde_json::Value::String(text) => Ok(TrustedDocument { id, text, name: None }),
                _ => Err(invalid(format!("the document of {id} is not a text"))),
            };
            manifest.by_id.into_iter().map(document).collect::<Result<_>>()?
        }
        _ => {
            let formats =
                format!("must have the format {APOLLO_FORMAT} in version 1, or be an object of documents by ID");
            return Err(invalid(formats));
        }
    };
    if documents.is_empty() {
        return Err(invalid("has no documents".to_owned()));
    }
    for TrustedDocument { id, .. } in &documents {
        if !is_id(id) {
            let rule = "must have 1 to 128 letters, digits or characters of _ . : + / = -";
            return Err(invalid(format!("the ID {id:?} is not valid: it {rule}")));
        }
    }
    Ok(documents)
}

/// Returns whether a text can be the ID of a document.
pub fn is_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:+/=-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(json: &str) -> Vec<(String, String)> {
        parse(json).unwrap().into_iter().map(|document| (document.id, document.text)).collect()
    }

    #[test]
    fn manifests_of_apollo_codegen_and_relay_are_read() {
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{"id": "a1", "name": "Me", "type": "query", "body": "query Me { me { id } }"}]}"#;
        let expected = [("a1".to_owned(), "query Me { me { id } }".to_owned())];
        assert_eq!(ids(apollo), expected);
        assert_eq!(parse(apollo).unwrap()[0].name.as_deref(), Some("Me"));
        assert_eq!(ids(r#"{"a1": "query Me { me { id } }"}"#), expected);
    }

    #[test]
    fn other_files_are_rejected() {
        for (json, message) in [
            ("", "is not a manifest"),
            ("[]", "is not a manifest"),
            ("{}", "has no documents"),
            (r#"{"a": 1}"#, "not a text"),
            (r#"{"a b": "{ me { id } }"}"#, "is not valid"),
            (r#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#, "in version 1"),
            (r#"{"format": "another", "version": 1, "operations": []}"#, "must have the format"),
        ] {
            let error = parse(json).unwrap_err().to_string();
            assert!(error.contains(message), "{json}: {error}");
        }
    }
}

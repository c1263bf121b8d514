//! Trusted documents: the GraphQL documents of the shop's own clients. A client sends the ID of a document instead of its text.
//! Owns `trusted_documents`.
//! Rule: the document of an ID never changes, so that a client that was released before goes on working.

pub mod actions;
pub mod lookup;
pub mod manifest;
pub mod store;

//! Limits for GraphQL documents.

use clap::{ArgAction, Args};

/// Settings for the size of GraphQL documents.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitSettings {
    /// Maximum nesting depth of fields.
    #[arg(long, env = "SOUK_MAX_DEPTH", default_value_t = 15, value_name = "N")]
    pub max_depth: usize,

    /// Maximum complexity of a document: the number of fields it may resolve, where `first` multiplies the fields below
    /// a list. The response may have five times as many objects in lists.
    #[arg(long, env = "SOUK_MAX_COMPLEXITY", default_value_t = 20_000, value_name = "N")]
    pub max_complexity: usize,

    /// Maximum number of aliases in a document.
    #[arg(long, env = "SOUK_MAX_ALIASES", default_value_t = 30, value_name = "N")]
    pub max_aliases: usize,

    /// Maximum number of root fields in an operation.
    #[arg(long, env = "SOUK_MAX_ROOT_FIELDS", default_value_t = 20, value_name = "N")]
    pub max_root_fields: usize,

    /// Maximum size of a document, in bytes.
    #[arg(long, env = "SOUK_MAX_DOCUMENT", default_value_t = 64 * 1024, value_name = "BYTES")]
    pub max_document: usize,

    /// Maximum size of a response, in bytes; that of all responses to an array of requests.
    #[arg(long = "max-response-bytes", env = "SOUK_MAX_RESPONSE_BYTES", default_value_t = 16 * 1024 * 1024, value_name = "BYTES")]
    pub max_response: usize,

    /// Number of parsed and validated documents to cache.
    #[arg(long, env = "SOUK_DOCUMENT_CACHE", default_value_t = 1_000, value_name = "N")]
    pub document_cache: u64,

    /// Number of documents to store for automatic persisted queries, each of up to 16 KiB; longer ones count several
    /// times. 0 turns them off.
    #[arg(long, env = "SOUK_PERSISTED_QUERIES", default_value_t = 1_000, value_name = "N")]
    pub persisted_queries: u64,

    /// Execute only the documents that were stored with `souk documents push`. IDE pages, and clients that send other documents,
    /// get an error.
    #[arg(long, env = "SOUK_TRUSTED_DOCUMENTS_ONLY", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub trusted_documents_only: bool,
}

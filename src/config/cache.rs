//! Settings of the cache of responses.

use clap::Args;

/// Settings of the cache of responses.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheSettings {
    /// Maximum size of what is kept in memory, in bytes: responses to anonymous queries, and rows that many queries read. A change is seen at once on the
    /// server that makes it, and within a second on the others, whoever makes it. 0 turns the cache off.
    #[arg(long = "cache-bytes", env = "SOUK_CACHE_BYTES", default_value_t = 64 * 1024 * 1024, value_name = "BYTES")]
    pub bytes: u64,

    /// Maximum number of responses that are kept in memory.
    #[arg(long = "cache-entries", env = "SOUK_CACHE_ENTRIES", default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub entries: u64,
}

//! Search analytics settings: retention, and when popular searches are suggested.

use clap::Args;

/// Settings for search analytics.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Search analytics")]
pub struct AnalyticsSettings {
    /// Number of days to keep recorded searches and clicks; 0 disables recording.
    #[arg(long, env = "SOUK_SEARCH_RETENTION_DAYS", default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=3_650))]
    pub search_retention_days: u32,

    /// Minimum number of different people who searched for the same text within 30 days, and got results, before it is
    /// suggested to others.
    #[arg(long, env = "SOUK_SEARCH_SHARED_BY", default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub search_shared_by: u32,
}

impl AnalyticsSettings {
    /// Returns whether searches are recorded.
    pub fn is_on(&self) -> bool {
        self.search_retention_days > 0
    }

    /// Returns how long searches are kept.
    pub fn retention(&self) -> chrono::Duration {
        chrono::Duration::days(i64::from(self.search_retention_days))
    }
}

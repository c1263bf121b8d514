//! The settings of what is known of searches: how long they are kept, and when others see what was searched.

use clap::Args;

/// How long searches are kept, and when others see what was searched.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Search analytics")]
pub struct AnalyticsSettings {
    /// How long what people searched and took is kept, in days; with 0 nothing of it is recorded.
    #[arg(long, env = "SOUK_SEARCH_RETENTION_DAYS", default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=3_650))]
    pub search_retention_days: u32,

    /// How many different people have to search for the same within 30 days, and find something, before it is suggested to
    /// others.
    #[arg(long, env = "SOUK_SEARCH_SHARED_BY", default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub search_shared_by: u32,
}

impl AnalyticsSettings {
    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.search_retention_days > 0
    }

    /// How long searches are kept.
    pub fn retention(&self) -> chrono::Duration {
        chrono::Duration::days(i64::from(self.search_retention_days))
    }
}

impl Default for AnalyticsSettings {
    fn default() -> Self {
        Self { search_retention_days: 90, search_shared_by: 5 }
    }
}

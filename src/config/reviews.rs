//! The settings of reviews: who writes them, and who reads them first.

use clap::{ArgAction, Args};

/// Who writes reviews, and whether staff read them first.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Reviews")]
pub struct ReviewSettings {
    /// Whether only customers review a product who have bought it: an order of theirs with it is confirmed, shipped or
    /// delivered.
    #[arg(long, env = "SOUK_REVIEWS_BUYERS_ONLY", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub reviews_buyers_only: bool,

    /// Whether reviews are shown only once staff have approved them.
    #[arg(long, env = "SOUK_REVIEWS_MODERATED", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub reviews_moderated: bool,
}

impl Default for ReviewSettings {
    fn default() -> Self {
        Self { reviews_buyers_only: false, reviews_moderated: true }
    }
}

//! Review settings: who may write reviews, and moderation.

use clap::{ArgAction, Args};

/// Settings for reviews.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Reviews")]
pub struct ReviewSettings {
    /// Accept reviews only from customers who bought the product, that is, who have a confirmed, shipped or delivered
    /// order with it.
    #[arg(long, env = "SOUK_REVIEWS_BUYERS_ONLY", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub reviews_buyers_only: bool,

    /// Publish reviews only after a staff member has approved them.
    #[arg(long, env = "SOUK_REVIEWS_MODERATED", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub reviews_moderated: bool,
}

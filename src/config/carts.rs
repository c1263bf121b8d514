//! The settings of carts: how they become orders.

use clap::Args;

/// How carts become orders.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Carts")]
pub struct CartSettings {
    /// How long `cartReserve` keeps the pieces in a cart for its holder, in minutes; with 0 nothing is reserved.
    #[arg(long, env = "SOUK_RESERVATION_MINUTES", default_value_t = 15, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=1_440))]
    pub reservation_minutes: u32,
}

impl CartSettings {
    /// How long pieces are kept, if at all.
    pub fn reservation(&self) -> Option<chrono::Duration> {
        (self.reservation_minutes > 0).then(|| chrono::Duration::minutes(i64::from(self.reservation_minutes)))
    }
}

impl Default for CartSettings {
    fn default() -> Self {
        Self { reservation_minutes: 15 }
    }
}

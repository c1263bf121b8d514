//! Cart settings: stock reservations.

use clap::Args;

/// Settings for carts.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Carts")]
pub struct CartSettings {
    /// Minutes for which `cartReserve` reserves the units in a cart; 0 disables reservations.
    #[arg(long, env = "SOUK_RESERVATION_MINUTES", default_value_t = 15, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=1_440))]
    pub reservation_minutes: u32,
}

impl CartSettings {
    /// Returns how long units are reserved; none if reservations are disabled.
    pub fn reservation(&self) -> Option<chrono::Duration> {
        (self.reservation_minutes > 0).then(|| chrono::Duration::minutes(i64::from(self.reservation_minutes)))
    }
}

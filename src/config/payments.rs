//! The settings of payments: who moves money, and when it is taken.

use std::io;

use clap::{Args, ValueEnum};

use super::{Environment, Settings, secrets::configured_secret};

/// When authorised money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PaymentCapture {
    /// When staff say so.
    #[default]
    ByHand,
    /// By itself, at once; but never what people have to see first, as cash and transfers.
    AtOnce,
}

/// How orders are paid.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Payments")]
pub struct PaymentSettings {
    /// Who moves money, separated by commas: `manual` (cash on delivery, bank transfer), `test` (moves none). By default
    /// both in development, `manual` in production.
    #[arg(long, env = "SOUK_PAYMENT_PROVIDERS", value_name = "NAMES")]
    pub payment_providers: Option<String>,

    /// Signs the webhooks of the test provider: at least 32 characters. Made and kept in the data directory in development,
    /// required in production where that provider is on.
    #[arg(long, env = "SOUK_TEST_PAYMENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub test_payment_secret: Option<String>,

    /// When authorised money is taken.
    #[arg(long, env = "SOUK_PAYMENT_CAPTURE", default_value = "by_hand", value_name = "WHEN")]
    pub payment_capture: PaymentCapture,
}

impl PaymentSettings {
    /// The names of the providers.
    pub fn provider_names(&self, settings: &Settings) -> Vec<String> {
        let default = if settings.environment == Environment::Production { "manual" } else { "manual,test" };
        let names = self.payment_providers.as_deref().unwrap_or(default).split(',');
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }

    /// The secret of the test provider; none where it is off.
    /// # Errors
    /// Where production has none, where it is shorter than 32 characters, or where the file cannot be written.
    pub fn test_secret(&self, settings: &Settings) -> io::Result<Option<String>> {
        if !self.provider_names(settings).iter().any(|name| name == "test") {
            return Ok(None);
        }
        let given = self.test_payment_secret.as_ref();
        configured_secret(settings, "SOUK_TEST_PAYMENT_SECRET", given, "test-payment-secret", "").map(Some)
    }
}

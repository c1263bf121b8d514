//! Payment settings: providers and automatic capture.

use std::io;

use clap::{Args, ValueEnum};

use super::{Environment, Settings, secrets::configured_secret};

/// When authorized payments are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PaymentCapture {
    /// When a staff member captures the payment.
    #[default]
    ByHand,
    /// Immediately after authorization. Payments that staff have to confirm, such as cash and bank transfers, are not
    /// captured automatically.
    AtOnce,
}

/// Settings for payments.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Payments")]
pub struct PaymentSettings {
    /// Payment providers, separated by commas: `manual` (cash on delivery, bank transfer) and `test` (moves no money).
    /// Default: both in development, `manual` in production.
    #[arg(long, env = "SOUK_PAYMENT_PROVIDERS", value_name = "NAMES")]
    pub payment_providers: Option<String>,

    /// Secret that signs the webhooks of the test provider, at least 32 characters. Generated and stored in the data
    /// directory in development; required in production if the test provider is enabled.
    #[arg(long, env = "SOUK_TEST_PAYMENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub test_payment_secret: Option<String>,

    /// When authorized payments are captured.
    #[arg(long, env = "SOUK_PAYMENT_CAPTURE", default_value = "by_hand", value_name = "WHEN")]
    pub payment_capture: PaymentCapture,
}

impl PaymentSettings {
    /// Returns the names of the enabled providers.
    pub fn provider_names(&self, settings: &Settings) -> Vec<String> {
        let default = if settings.environment == Environment::Production { "manual" } else { "manual,test" };
        let names = self.payment_providers.as_deref().unwrap_or(default).split(',');
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }

    /// Returns the secret of the test provider; none if the provider is disabled.
    /// # Errors
    /// Returns an error if production has no secret, if it is shorter than 32 characters, or if the file cannot be
    /// written.
    pub fn test_secret(&self, settings: &Settings) -> io::Result<Option<String>> {
        if !self.provider_names(settings).iter().any(|name| name == "test") {
            return Ok(None);
        }
        let given = self.test_payment_secret.as_ref();
        configured_secret(settings, "SOUK_TEST_PAYMENT_SECRET", given, "test-payment-secret", "").map(Some)
    }
}

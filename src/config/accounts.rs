//! Account settings: registration and login.

use clap::{ArgAction, Args, ValueEnum};

/// How a registration with an existing email address is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RegistrationMode {
    /// Rejects the registration, which reveals that the address is taken.
    #[default]
    Open,
    /// Reveals nothing: every registration gets the same response, and further information is sent by email. Users can
    /// log in only after verifying their address.
    Private,
}

/// Settings for registration and login.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Accounts")]
pub struct AccountSettings {
    /// How a registration with an existing email address is handled.
    #[arg(long, env = "SOUK_REGISTRATION", default_value = "open", value_name = "MODE")]
    pub registration: RegistrationMode,

    /// Reject logins of users whose email address is not verified. The error is returned only if the password is
    /// correct.
    #[arg(long, env = "SOUK_LOGIN_NEEDS_VERIFICATION", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub login_needs_verification: bool,
}

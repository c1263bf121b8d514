//! The settings of accounts: how people get them, and who may log in.

use clap::{ArgAction, Args, ValueEnum};

/// What somebody learns who registers with an address that has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RegistrationMode {
    /// That it is taken.
    #[default]
    Open,
    /// Nothing: every registration is answered the same, and the rest is told by mail. Nobody can log in before their address
    /// is confirmed.
    Private,
}

/// How people get accounts, and who may log in.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Accounts")]
pub struct AccountSettings {
    /// What somebody learns who registers with an address that has an account.
    #[arg(long, env = "SOUK_REGISTRATION", default_value = "open", value_name = "MODE")]
    pub registration: RegistrationMode,

    /// Whether nobody can log in whose e-mail address is not confirmed: with the right password they are told so.
    #[arg(long, env = "SOUK_LOGIN_NEEDS_VERIFICATION", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub login_needs_verification: bool,
}

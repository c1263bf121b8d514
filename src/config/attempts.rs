//! Limits of repeated attempts: logins, registrations, requests for emails, lookups of orders.

use clap::Args;

use crate::limits::AttemptLimit;

/// Settings for repeated attempts, which all servers count together. A limit is written as `FREE:SECONDS`: the number of free
/// attempts, and the longest pause after further ones. Limits of a network address alone do not apply to the networks of
/// SOUK_RATE_EXEMPT, nor with SOUK_RATE_LIMITS=false.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Attempts")]
pub struct AttemptSettings {
    /// Limit of logins to an account from one network address (/64 for IPv6), written as `FREE:SECONDS`: the number of free
    /// attempts, and the longest of the pauses after further ones, which double from one second. Successful logins do not
    /// count.
    #[arg(long = "attempts-login", env = "SOUK_ATTEMPTS_LOGIN", default_value = "5:900", value_name = "FREE:SECONDS")]
    pub login: AttemptLimit,

    /// Limit of logins from one network address, to all accounts.
    #[arg(
        long = "attempts-login-network",
        env = "SOUK_ATTEMPTS_LOGIN_NETWORK",
        default_value = "100:900",
        value_name = "FREE:SECONDS"
    )]
    pub login_network: AttemptLimit,

    /// Limit of logins to an account, from all network addresses except those that it was logged in from within 90
    /// days. At most 3600 seconds, because strangers can cause these pauses.
    #[arg(
        long = "attempts-login-account",
        env = "SOUK_ATTEMPTS_LOGIN_ACCOUNT",
        default_value = "50:60",
        value_name = "FREE:SECONDS",
        value_parser = AttemptLimit::parse_shared
    )]
    pub login_account: AttemptLimit,

    /// Limit of confirmations of the password by a user who is logged in, such as for a new password.
    #[arg(
        long = "attempts-password",
        env = "SOUK_ATTEMPTS_PASSWORD",
        default_value = "10:900",
        value_name = "FREE:SECONDS"
    )]
    pub password: AttemptLimit,

    /// Limit of registrations from one network address.
    #[arg(
        long = "attempts-register",
        env = "SOUK_ATTEMPTS_REGISTER",
        default_value = "30:900",
        value_name = "FREE:SECONDS"
    )]
    pub register: AttemptLimit,

    /// Limit of requests for emails to one recipient, separately for password resets, verifications and changes of the email
    /// address. At most 3600 seconds, because strangers can cause these pauses.
    #[arg(
        long = "attempts-email",
        env = "SOUK_ATTEMPTS_EMAIL",
        default_value = "5:900",
        value_name = "FREE:SECONDS",
        value_parser = AttemptLimit::parse_shared
    )]
    pub email: AttemptLimit,

    /// Limit of requests for emails from one network address, separately for password resets, verifications and changes of
    /// the email address.
    #[arg(
        long = "attempts-email-network",
        env = "SOUK_ATTEMPTS_EMAIL_NETWORK",
        default_value = "30:900",
        value_name = "FREE:SECONDS"
    )]
    pub email_network: AttemptLimit,

    /// Limit of failed lookups of orders by number and email address, from one network address and of one number. All
    /// pauses have this length, and as much time without a failed lookup resets the count. At most 3600 seconds, because
    /// strangers can cause these pauses.
    #[arg(
        long = "attempts-order-lookup",
        env = "SOUK_ATTEMPTS_ORDER_LOOKUP",
        default_value = "10:900",
        value_name = "FREE:SECONDS",
        value_parser = AttemptLimit::parse_shared
    )]
    pub order_lookup: AttemptLimit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        attempts: AttemptSettings,
    }

    #[test]
    fn an_invalid_limit_is_rejected_with_its_setting_and_the_rule() {
        for (flag, value, rule) in [
            ("--attempts-login", "5", "must be FREE:SECONDS"),
            ("--attempts-register", "0:900", "must be FREE:SECONDS"),
            ("--attempts-password", "5:86401", "must be FREE:SECONDS"),
            ("--attempts-login-account", "50:3601", "SECONDS must be at most 3600"),
            ("--attempts-email", "5:86400", "SECONDS must be at most 3600"),
            ("--attempts-order-lookup", "10:7200", "SECONDS must be at most 3600"),
        ] {
            let error = Command::try_parse_from(["souk", flag, value]).map(drop).unwrap_err().to_string();
            assert!(error.contains(flag) && error.contains(rule), "{flag} {value}: {error}");
        }
        assert!(Command::try_parse_from(["souk", "--attempts-login", "5:86400"]).is_ok());
    }
}

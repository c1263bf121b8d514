//! Email settings: SMTP server, sender and templates.

use std::path::PathBuf;

use clap::Args;

/// Settings for outgoing email.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Email")]
pub struct MailSettings {
    /// SMTP server: `smtp://user:password@host:587?tls=required` (STARTTLS) or `smtps://user:password@host:465`
    /// (implicit TLS). Without it, emails are written to the log and to a directory in development, and stay queued in
    /// production.
    #[arg(long, env = "SOUK_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// Sender of emails, such as `Shop <noreply@shop.example>`. An address without a name gets the name of the shop.
    /// Required with SOUK_SMTP_URL.
    #[arg(long, env = "SOUK_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// Directory with templates that override the bundled ones, such as `verify_email.html`. Files in a subdirectory
    /// named after a website's code apply to that website only.
    #[arg(long, env = "SOUK_MAIL_TEMPLATES", value_name = "DIR")]
    pub mail_templates: Option<PathBuf>,

    /// Shop name in emails to staff, and in emails that belong to no website.
    #[arg(long, env = "SOUK_SHOP_NAME", default_value = "Souk", value_name = "NAME")]
    pub shop_name: String,

    /// Base URL of links in emails to staff, and in emails that belong to no website.
    #[arg(long, env = "SOUK_SHOP_URL", default_value = "http://127.0.0.1:8000", value_name = "URL")]
    pub shop_url: String,
}

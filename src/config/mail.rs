//! The settings of email: the server that takes it, and what it says.

use std::path::PathBuf;

use clap::Args;

/// How mail leaves, and what it says.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Email")]
pub struct MailSettings {
    /// The server that takes mail: `smtp://user:password@host:587?tls=required` (STARTTLS), or `smtps://user:password@host:465`
    /// (TLS from the first byte). Without it mail goes to the log and to a folder in development, and waits in production.
    #[arg(long, env = "SOUK_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// Who mail is from, as `Shop <noreply@shop.example>`, or the address alone: the shop's name is added then. Required with
    /// SOUK_SMTP_URL.
    #[arg(long, env = "SOUK_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// A folder of templates that replace souk's own: `verify_email.html`, or `<website code>/verify_email.html` for one
    /// website.
    #[arg(long, env = "SOUK_MAIL_TEMPLATES", value_name = "DIR")]
    pub mail_templates: Option<PathBuf>,

    /// The shop's name in mail that belongs to no website.
    #[arg(long, env = "SOUK_SHOP_NAME", default_value = "Souk", value_name = "NAME")]
    pub shop_name: String,

    /// Where links in mail lead that belongs to no website.
    #[arg(long, env = "SOUK_SHOP_URL", default_value = "http://127.0.0.1:8000", value_name = "URL")]
    pub shop_url: String,
}

//! The emails that souk sends, and the values of their templates.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ids::{UserId, WebsiteId},
    jobs::model::JobInfo,
};

/// The job that sends an email.
pub const JOB: JobInfo = JobInfo::queued("mail", "Sends an email. Runs only if an SMTP server is configured.");

/// The greeting of a customer whose name a stranger may have typed, because their email address is not verified.
pub const UNKNOWN_CUSTOMER: &str = "customer";

/// The template of an email. Each has the files `<name>.subject`, `<name>.txt` and `<name>.html`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Asks a user to verify their email address. Values: `name`, `token`, `hours`.
    VerifyEmail,
    /// Contains a link to choose a new password. Values: `name`, `token`, `minutes`.
    PasswordReset,
    /// Notifies about a changed password. Values: `name`, `device`, `address`; the latter two may be null.
    PasswordChanged,
    /// Asks a user to verify a new email address; sent to the new address. Values: `name`, `token`, `hours`.
    EmailChange,
    /// Notifies about a changed email address; sent to the old address. Values: `name`, `email` (the new address).
    EmailChanged,
    /// Notifies about an attempt to register with an address that already has an account. Values: `name`.
    AddressTaken,
    /// Invites a user whose account was created by staff to choose a password. Values: `name`, `token`, `hours`.
    Invitation,
    /// Notifies about a session that was ended because its refresh token was used twice. Values: `name`, `device`,
    /// which may be null.
    SessionEnded,
    /// Confirms an order. Values: `name`, `order` (its number), `lines` with `name`, `sku`, `quantity` and `total`,
    /// `total`, `address` as a list of lines, which may be empty, `token`, which is null for a known email address, and
    /// `hours`.
    OrderPlaced,
    /// Notifies about a shipment. Values: `name`, `order` (its number), `lines` with `name` and `quantity`, `left` (the
    /// number of units that will follow), `carrier`, `tracking_number`, `tracking_url`; the latter three may be null.
    OrderShipped,
    /// Notifies about a canceled order. Values: `name`, `order` (its number), `lines` with `name` and `quantity`,
    /// `refund` (the amount to refund), which may be null.
    OrderCancelled,
    /// Notifies about a webhook subscription that was disabled. Values: `name`, `url`, `reason`.
    WebhookDisabled,
}

impl Template {
    /// All templates.
    pub const ALL: [Self; 12] = [
        Self::VerifyEmail,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::EmailChange,
        Self::EmailChanged,
        Self::AddressTaken,
        Self::Invitation,
        Self::SessionEnded,
        Self::OrderPlaced,
        Self::OrderShipped,
        Self::OrderCancelled,
        Self::WebhookDisabled,
    ];

    /// Returns the name used in file names and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::EmailChange => "email_change",
            Self::EmailChanged => "email_changed",
            Self::AddressTaken => "address_taken",
            Self::Invitation => "invitation",
            Self::SessionEnded => "session_ended",
            Self::OrderPlaced => "order_placed",
            Self::OrderShipped => "order_shipped",
            Self::OrderCancelled => "order_cancelled",
            Self::WebhookDisabled => "webhook_disabled",
        }
    }

    /// Returns sample values for the template.
    pub fn sample(self) -> Value {
        let (name, token) = ("Ada Lovelace", "c2FtcGxl");
        let (device, address) = ("Firefox on Linux", "192.0.2.7");
        match self {
            Self::VerifyEmail | Self::EmailChange | Self::Invitation => {
                json!({ "name": name, "token": token, "hours": 48 })
            }
            Self::PasswordReset => json!({ "name": name, "token": token, "minutes": 30 }),
            Self::PasswordChanged => json!({ "name": name, "device": device, "address": address }),
            Self::EmailChanged => json!({ "name": name, "email": "ada@shop.example" }),
            Self::AddressTaken => json!({ "name": name }),
            Self::SessionEnded => json!({ "name": name, "device": device }),
            Self::OrderPlaced => json!({
                "name": name,
                "order": "SAILOR-1001",
                "lines": [{ "name": "Storm lantern", "sku": "L-1", "quantity": 2, "total": "49.80 EUR" }],
                "total": "49.80 EUR",
                "address": ["Hafenstrasse 1", "20457 Hamburg", "Germany"],
                "token": token,
                "hours": 48,
            }),
            Self::OrderShipped => json!({
                "name": name,
                "order": "SAILOR-1001",
                "lines": [{ "name": "Harbour Mooring Rope", "quantity": 3 }, { "name": "Shackle", "quantity": 12 }],
                "left": 2,
                "carrier": "Penny Post",
                "tracking_number": "PP 1840",
                "tracking_url": "https://post.example/follow?number=PP1840",
            }),
            Self::OrderCancelled => json!({
                "name": name,
                "order": "SAILOR-1001",
                "lines": [{ "name": "Harbour Mooring Rope", "quantity": 3 }],
                "refund": "103.50 EUR",
            }),
            Self::WebhookDisabled => json!({
                "name": name,
                "url": "https://erp.example/hooks/souk",
                "reason": "every delivery failed for 3 days; the last time, the receiver responded with status 500",
            }),
        }
    }

    /// Returns the sample values with null for every value that may be null.
    pub fn sparse_sample(self) -> Value {
        let mut values = self.sample();
        for name in ["device", "address", "carrier", "tracking_number", "tracking_url", "refund"] {
            if let Some(value) = values.get_mut(name) {
                *value = Value::Null;
            }
        }
        if self == Self::OrderPlaced {
            values["token"] = Value::Null;
        }
        values
    }

    /// Returns the name of the first value that is missing.
    pub fn missing_value(self, values: &Value) -> Option<String> {
        let sample = self.sample();
        let mut names = sample.as_object()?.keys();
        names.find(|name| values.get(name).is_none()).cloned()
    }
}

/// An email to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// Template of the email.
    pub template: Template,
    /// Recipient address.
    pub to: String,
    /// User whose personal data the email contains.
    #[serde(skip)]
    pub user: Option<UserId>,
    /// Website that sends the email; none for the shop of the settings.
    pub website: Option<WebsiteId>,
    /// Values of the template; all that [`Template`] lists are required.
    pub values: Value,
}

impl Message {
    /// Redacts the email's token in a text: every word that contains a fragment of it.
    pub fn redact_secrets(&self, text: &str) -> String {
        let token = self.values["token"].as_str().unwrap_or_default();
        let fragments: Vec<_> = token.as_bytes().windows(token.len().clamp(1, 8)).collect();
        let is_secret = |word: &str| {
            fragments.iter().any(|fragment| word.as_bytes().windows(fragment.len()).any(|w| w == *fragment))
        };
        let words = text.split_whitespace().map(|word| if is_secret(word) { "[hidden]" } else { word });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The shop that an email names as its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shop {
    /// Name of the shop.
    pub name: String,
    /// Base URL of links, without a trailing slash.
    pub url: String,
}

impl Shop {
    /// Creates a shop with this name and URL.
    pub fn new(name: &str, url: &str) -> Self {
        Self { name: name.trim().to_owned(), url: url.trim_end_matches('/').to_owned() }
    }
}

/// The content of an email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedEmail {
    /// Subject; a single line.
    pub subject: String,
    /// Plain-text body.
    pub text: String,
    /// HTML body.
    pub html: String,
}

//! Which mails there are, and what each of them says.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{UserId, WebsiteId};

/// The kind of the jobs that send mail.
pub const KIND: &str = "mail";

/// A mail that souk writes. Each has the files `<name>.subject`, `<name>.txt` and `<name>.html`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Is this address yours? Values: `name`, `token`, `hours`.
    VerifyEmail,
    /// A link to choose a new password. Values: `name`, `token`, `minutes`.
    PasswordReset,
    /// The password was changed. Values: `name`, `device`, `address`; the latter two may be null.
    PasswordChanged,
    /// To the new address: is it yours? Values: `name`, `token`, `hours`.
    EmailChange,
    /// To the old address: it is not the account's any more. Values: `name`, `email`, the new one.
    EmailChanged,
    /// Somebody tried to open an account with an address that has one. Values: `name`.
    AddressTaken,
    /// The shop opened an account: choose a password. Values: `name`, `token`, `hours`.
    Invitation,
    /// A session was ended because its refresh token was used twice. Values: `name`, `device`, which may be null.
    SessionEnded,
    /// An order was placed. Values: `name`, `order`, its number, `lines` of `name`, `sku`, `quantity` and `total`, `total`,
    /// and `address` line by line, which may be empty.
    OrderPlaced,
    /// Pieces of an order are on their way. Values: `name`, `order`, its number, `lines` of `name` and `quantity`, `left`, the
    /// pieces that follow later, `carrier`, `tracking_number`, `tracking_url`; the latter three may be null.
    OrderShipped,
    /// An order was cancelled. Values: `name`, `order`, its number, `lines` of `name` and `quantity`, `refund`, the amount that
    /// goes back, which may be null.
    OrderCancelled,
}

impl Template {
    /// Every one.
    pub const ALL: [Self; 11] = [
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
    ];

    /// The name in files and in the table.
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
        }
    }

    /// The values that it takes, as a mail might have them.
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
                "address": ["Hafenstrasse 1", "20457 Hamburg", "DE"],
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
        }
    }

    /// The sample with nothing where a mail may know nothing.
    pub fn sparse_sample(self) -> Value {
        let mut values = self.sample();
        for name in ["device", "address", "carrier", "tracking_number", "tracking_url", "refund"] {
            if let Some(value) = values.get_mut(name) {
                *value = Value::Null;
            }
        }
        values
    }

    /// The name of a value that is missing among these.
    pub fn missing_value(self, values: &Value) -> Option<String> {
        let sample = self.sample();
        let mut names = sample.as_object()?.keys();
        names.find(|name| values.get(name).is_none()).cloned()
    }
}

/// A mail to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// What it says.
    pub template: Template,
    /// To which address.
    pub to: String,
    /// Whose personal data it holds.
    #[serde(skip)]
    pub user: Option<UserId>,
    /// The website that writes it; the shop of the settings where there is none.
    pub website: Option<WebsiteId>,
    /// The template's values, all of those that [`Template`] names.
    pub values: Value,
}

impl Message {
    /// A text about this mail with its token made unreadable: every word that holds a piece of it.
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

/// A shop as mail names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// Where its links lead, without a slash at the end.
    pub url: String,
}

impl Shop {
    /// A shop with this name at this URL.
    pub fn new(name: &str, url: &str) -> Self {
        Self { name: name.trim().to_owned(), url: url.trim_end_matches('/').to_owned() }
    }
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedEmail {
    /// The subject: one line.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For those that show HTML.
    pub html: String,
}

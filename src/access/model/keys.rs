//! API keys: rows, and validation of new keys.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    auth::Permissions,
    db::tables::api_keys,
    error::{Result, UserError, UserErrorCode},
    ids::{ApiKeyId, UserId, WebsiteId},
    text::Validator,
};

/// Maximum number of keys per user, including expired ones.
pub const MAX_KEYS: i64 = 50;

/// Maximum number of websites that a key can be restricted to.
pub const MAX_KEY_WEBSITES: usize = 100;

/// A row of `api_keys`, without the hash.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
pub struct ApiKeyRow {
    /// Primary key.
    pub id: ApiKeyId,
    /// User that the key acts for.
    pub user_id: UserId,
    /// Display name.
    pub name: String,
    /// First characters of the key: unique, not secret.
    pub prefix: String,
    /// When it expires; none if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, with a precision of one minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// An API key with its permissions.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// The row.
    pub row: ApiKeyRow,
    /// Permissions of the key; effective only while the owner's role grants them too.
    pub permissions: Permissions,
    /// Websites that it is restricted to; without, the websites of the owner's role.
    pub websites: Option<Arc<[WebsiteId]>>,
}

/// Fields of a new API key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// See [`ApiKeyRow`].
    pub name: String,
    /// See [`ApiKey`].
    pub permissions: Permissions,
    /// See [`ApiKey`]; unrestricted if empty.
    pub websites: Vec<WebsiteId>,
    /// See [`ApiKeyRow`].
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewApiKey {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.text("name", &mut self.name, 100);
        if self.websites.len() > MAX_KEY_WEBSITES {
            let rule = format!("must have at most {MAX_KEY_WEBSITES} websites");
            validator.add(UserError::new(UserErrorCode::OutOfRange, "websites", rule));
        }
        if self.expires_at.is_some_and(|at| at <= Utc::now()) {
            validator.add(UserError::new(UserErrorCode::Invalid, "expiresAt", "must be in the future"));
        }
        validator.finish()?;
        Ok(self)
    }
}

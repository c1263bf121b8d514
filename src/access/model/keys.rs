//! API keys: rows, and the rules of a new one.

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

/// Most keys of one user, expired ones among them.
pub const MAX_KEYS: i64 = 50;

/// Most websites that a key is limited to.
pub const MAX_KEY_WEBSITES: usize = 100;

/// A key as the table has it, without its hash.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
pub struct ApiKeyRow {
    /// Key.
    pub id: ApiKeyId,
    /// Whom it acts for.
    pub user_id: UserId,
    /// Name for people.
    pub name: String,
    /// How the key begins: unique, and no secret.
    pub prefix: String,
    /// From then on it is refused; never where absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key, and what it may do.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// The row.
    pub row: ApiKeyRow,
    /// What it may do, as far as its owner's role gives it.
    pub permissions: Permissions,
    /// Where; wherever its owner's role counts without.
    pub websites: Option<Arc<[WebsiteId]>>,
}

/// A key to be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// See [`ApiKeyRow`].
    pub name: String,
    /// See [`ApiKey`].
    pub permissions: Permissions,
    /// See [`ApiKey`]; no limit where empty.
    pub websites: Vec<WebsiteId>,
    /// See [`ApiKeyRow`].
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewApiKey {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        validator.text("name", &self.name, 100);
        if self.websites.len() > MAX_KEY_WEBSITES {
            let rule = format!("a key is limited to at most {MAX_KEY_WEBSITES} websites");
            validator.add(UserError::new(UserErrorCode::OutOfRange, "websites", rule));
        }
        if self.expires_at.is_some_and(|at| at <= Utc::now()) {
            validator.add(UserError::new(UserErrorCode::Invalid, "expiresAt", "give a moment that is still to come"));
        }
        validator.finish()
    }
}

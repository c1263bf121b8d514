//! Rows of roles and sessions, and the inputs of accounts.

pub mod keys;
pub mod throttle;
mod tokens;

pub use self::tokens::*;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

use crate::{
    auth::{Grant, Permissions, Viewer},
    db::{
        filter::Op,
        tables::{roles, sessions},
    },
    error::{Result, UserError, UserErrorCode},
    ids::{RoleId, SessionId, UserId, WebsiteId},
    paging::SortKey,
    text::{self, Validator},
};

/// The role that a new account gets.
pub const CUSTOMER: &str = "customer";

/// The role that may do everything; somebody always has it.
pub const ADMIN: &str = "admin";
/// Most live sessions of one user: one more ends the one that was used longest ago.
pub const MAX_SESSIONS: i64 = 100;

/// How long a used refresh token may be used again, because its answer was lost. Within it, two renewals at the same
/// moment both succeed.
pub const REFRESH_GRACE_PERIOD: Duration = Duration::seconds(10);

/// A role as the table has it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = roles, check_for_backend(diesel::pg::Pg))]
pub struct RoleRow {
    /// Key.
    pub id: RoleId,
    /// Short name, unique.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Came with Souk and stays.
    pub is_builtin: bool,
}

/// A role and what it gives.
#[derive(Debug, Clone)]
pub struct Role {
    /// The row.
    pub row: RoleRow,
    /// What it gives.
    pub permissions: Permissions,
    /// Where it counts; everywhere without.
    pub websites: Option<Arc<[WebsiteId]>>,
}

impl Role {
    /// What it gives, and where.
    pub fn grant(&self) -> Grant {
        Grant { permissions: self.permissions, websites: self.websites.clone() }
    }

    /// Whether the viewer holds all of it: nobody gives more than they hold.
    pub fn is_covered_by(&self, viewer: &Viewer) -> bool {
        covers(viewer, self.permissions, self.websites.as_deref())
    }
}

/// Whether the viewer holds these permissions at these websites, or everywhere.
pub fn covers(viewer: &Viewer, permissions: Permissions, websites: Option<&[WebsiteId]>) -> bool {
    let limit = viewer.identity().and_then(|identity| identity.websites.as_deref());
    let reaches = match (limit, websites) {
        (None, _) => true,
        // What gives nothing gives nothing anywhere.
        (Some(_), None) => permissions == Permissions::default(),
        (Some(limit), Some(websites)) => websites.iter().all(|website| limit.contains(website)),
    };
    reaches && viewer.permissions().contains_all(permissions)
}

/// A role to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = roles)]
pub struct NewRole {
    /// See [`RoleRow`].
    pub code: String,
    /// See [`RoleRow`].
    pub name: String,
    /// See [`RoleRow`].
    pub description: String,
}

impl NewRole {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        let mut chars = self.code.chars();
        let begins = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        if !begins
            || self.code.len() > 50
            || !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
        {
            let rule = "a code is a letter and up to 49 more of a-z, 0-9, `_` and `-`";
            validator.add(UserError::new(UserErrorCode::Invalid, "code", rule));
        }
        validator.text("name", &self.name, 255);
        validator.multiline_text("description", &self.description, 1000);
        validator.finish()
    }
}

/// A change of a role's texts: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = roles)]
pub struct RolePatch {
    /// See [`RoleRow`].
    pub name: Option<String>,
    /// See [`RoleRow`].
    pub description: Option<String>,
}

impl RolePatch {
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        validator.optional_text("name", self.name.as_deref(), 255);
        validator.multiline_text("description", self.description.as_deref().unwrap_or_default(), 1000);
        validator.finish()
    }
}

/// A condition on roles.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RoleCondition {
    /// By id.
    Id(Op<RoleId>),
    /// By code.
    Code(Op<String>),
    /// By name.
    Name(Op<String>),
    /// By whether it came with Souk.
    IsBuiltin(bool),
}

/// What a list of roles is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum RoleOrderField {
    /// The code.
    #[default]
    Code,
}

impl RoleOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        "roles:code"
    }

    /// The sort key of a role.
    pub fn key(self, role: &Role) -> SortKey {
        SortKey::Text(role.row.code.clone())
    }
}

/// A login on one device.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct SessionRow {
    /// Key.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The user agent that logged in.
    pub device: Option<String>,
    /// The address that it was last used from.
    pub address: Option<String>,
    /// When a token was last renewed.
    pub last_used_at: DateTime<Utc>,
    /// From then on it cannot be renewed.
    pub expires_at: DateTime<Utc>,
    /// When it was ended, if it was.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// A session to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sessions)]
pub struct NewSession {
    /// See [`SessionRow`].
    pub user_id: UserId,
    /// See [`SessionRow`].
    pub device: Option<String>,
    /// See [`SessionRow`].
    pub address: Option<String>,
    /// See [`SessionRow`].
    pub expires_at: DateTime<Utc>,
}

/// An account to be, with the password in clear.
#[derive(Clone)]
pub struct NewAccount {
    /// Name for people.
    pub name: String,
    /// E-mail address to log in with.
    pub email: String,
    /// Phone number.
    pub phone: Option<String>,
    /// Password; none for an account that cannot log in yet.
    pub password: Option<String>,
    /// The website it comes from.
    pub source_website: Option<WebsiteId>,
}

impl NewAccount {
    /// The account with its texts in canonical form. Whether the password is a common one is seen when it is hashed.
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn checked(self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.text("name", &self.name, 255);
        let email = validator.value_or_default(text::normalize_email("email", &self.email));
        let phone = self.phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone)));
        if let Some(password) = &self.password {
            validator.check(text::check_password_length("password", password));
        }
        validator.finish()?;
        Ok(Self { email, phone, ..self })
    }
}

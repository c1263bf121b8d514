//! Rows of roles and sessions, and inputs of roles and accounts.

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

/// Code of the role of new accounts.
pub const CUSTOMER: &str = "customer";

/// Code of the role with all permissions; at least one user always has it.
pub const ADMIN: &str = "admin";
/// Maximum number of active sessions per user. A further login ends the least recently used session.
pub const MAX_SESSIONS: i64 = 100;

/// How long a used refresh token is accepted again, in case the response was lost. Within this period, two concurrent
/// refreshes both succeed.
pub const REFRESH_GRACE_PERIOD: Duration = Duration::seconds(10);

/// A row of `roles`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = roles, check_for_backend(diesel::pg::Pg))]
pub struct RoleRow {
    /// Primary key.
    pub id: RoleId,
    /// Unique short name.
    pub code: String,
    /// Display name.
    pub name: String,
    /// Description of its purpose.
    pub description: String,
    /// Whether it is part of Souk; built-in roles cannot be changed or deleted.
    pub is_builtin: bool,
}

/// A role with its permissions and websites.
#[derive(Debug, Clone)]
pub struct Role {
    /// The row.
    pub row: RoleRow,
    /// Permissions that it grants.
    pub permissions: Permissions,
    /// Websites that it is restricted to; none for all websites.
    pub websites: Option<Arc<[WebsiteId]>>,
}

impl Role {
    /// Returns the role's permissions and websites.
    pub fn grant(&self) -> Grant {
        Grant { permissions: self.permissions, websites: self.websites.clone() }
    }

    /// Returns whether the viewer holds all permissions of the role, so that they may grant it.
    pub fn is_covered_by(&self, viewer: &Viewer) -> bool {
        covers(viewer, self.permissions, self.websites.as_deref())
    }
}

/// Returns whether the viewer holds these permissions for these websites, or for all websites without any.
fn covers(viewer: &Viewer, permissions: Permissions, websites: Option<&[WebsiteId]>) -> bool {
    // A role without permissions grants nothing on any website.
    let grants_nothing = websites.is_none() && permissions == Permissions::default();
    (grants_nothing || reaches(viewer, websites)) && viewer.permissions().contains_all(permissions)
}

/// Returns whether the viewer's role extends to these websites; none for all websites.
pub fn reaches(viewer: &Viewer, websites: Option<&[WebsiteId]>) -> bool {
    let Some(limit) = viewer.identity().and_then(|identity| identity.websites.as_deref()) else { return true };
    websites.is_some_and(|websites| websites.iter().all(|website| limit.contains(website)))
}

/// Fields of a new role.
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
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        text::trim_in_place(&mut self.code);
        let mut chars = self.code.chars();
        let begins = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        if !begins
            || self.code.len() > 50
            || !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
        {
            let rule = "must start with a letter and contain only a-z, 0-9, `_` and `-`, at most 50 characters";
            validator.add(UserError::new(UserErrorCode::Invalid, "code", rule));
        }
        validator.text("name", &mut self.name, 255);
        validator.multiline_texts("description", [&mut self.description], 1000);
        validator.finish()?;
        Ok(self)
    }
}

/// Changes to a role's name and description; absent fields keep their values.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = roles)]
pub struct RolePatch {
    /// See [`RoleRow`].
    pub name: Option<String>,
    /// See [`RoleRow`].
    pub description: Option<String>,
}

impl RolePatch {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.texts("name", &mut self.name, 255);
        validator.multiline_texts("description", &mut self.description, 1000);
        validator.finish()?;
        Ok(self)
    }
}

/// A filter condition on roles.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RoleCondition {
    /// By id.
    Id(Op<RoleId>),
    /// By code.
    Code(Op<String>),
    /// By name.
    Name(Op<String>),
    /// By whether it is built in.
    IsBuiltin(bool),
}

/// Fields that roles can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum RoleOrderField {
    /// Code of the role.
    #[default]
    Code,
}

impl RoleOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        "roles:code"
    }

    /// Returns the sort key of a role.
    pub fn key(self, role: &Role) -> SortKey {
        SortKey::Text(role.row.code.clone())
    }
}

/// A row of `sessions`: a login on one device.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct SessionRow {
    /// Primary key.
    pub id: SessionId,
    /// User who logged in.
    pub user_id: UserId,
    /// User agent of the device.
    pub device: Option<String>,
    /// IP address that it was last used from.
    pub address: Option<String>,
    /// When its tokens were last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it expires if it is not refreshed before.
    pub expires_at: DateTime<Utc>,
    /// When it was ended; none if it was not.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Fields of a new session.
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

/// Fields of a new account, with the password in clear text.
#[derive(Clone)]
pub struct NewAccount {
    /// Display name.
    pub name: String,
    /// Email address to log in with.
    pub email: String,
    /// Phone number.
    pub phone: Option<String>,
    /// Password; none for an account that cannot log in yet.
    pub password: Option<String>,
    /// Website that the account comes from.
    pub source_website: Option<WebsiteId>,
}

impl NewAccount {
    /// Validates the fields and normalizes the email address and phone number. The strength of the password is checked
    /// later, when it is hashed.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        validator.names("name", [&mut self.name], 255);
        let email = validator.value_or_default(text::normalize_email("email", &self.email));
        let phone = self.phone.map(|phone| validator.value_or_default(text::normalize_phone("phone", &phone, None)));
        if let Some(password) = &self.password {
            validator.check(text::check_password_length("password", password));
        }
        validator.finish()?;
        Ok(Self { email, phone, ..self })
    }
}

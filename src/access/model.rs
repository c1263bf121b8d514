//! Rows of roles, and the inputs of accounts.

use diesel::prelude::*;

use crate::{
    auth::Permissions,
    db::tables::roles,
    error::Result,
    ids::{RoleId, WebsiteId},
    text::Check,
};

/// The role that a new account gets.
pub const CUSTOMER: &str = "customer";

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
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut check = Check::new();
        check.text("name", &self.name, 255);
        check.email("email", &self.email);
        check.phone("phone", self.phone.as_deref());
        if let Some(password) = &self.password {
            check.password("password", password);
        }
        check.finish()
    }
}

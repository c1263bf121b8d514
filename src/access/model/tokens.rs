//! Tokens sent by email: purposes, lifetimes, and limits on how often they are sent.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

use crate::{db::tables::account_tokens, ids::UserId};

/// Lifetime of the token in a verification email.
pub const VERIFY_TOKEN_LIFETIME: Duration = Duration::hours(48);
/// Lifetime of the token in a password reset email.
pub const RESET_TOKEN_LIFETIME: Duration = Duration::minutes(60);
/// Lifetime of the token in an email to a new address.
pub const EMAIL_CHANGE_TOKEN_LIFETIME: Duration = Duration::hours(24);
/// Lifetime of the token in an invitation to an account created by staff.
pub const INVITATION_TOKEN_LIFETIME: Duration = Duration::days(7);

/// Maximum number of emails per purpose that can be requested for a user within [`EMAIL_WINDOW`]; further requests are
/// silently ignored.
pub const MAX_EMAILS: i64 = 3;
/// See [`MAX_EMAILS`]. Also the minimum interval between two emails about another person's attempt to use the address.
pub const EMAIL_WINDOW: Duration = Duration::hours(1);

/// How long expired tokens are kept for investigations.
pub const TOKEN_RETENTION: Duration = Duration::days(30);

/// The purpose of a token. A token is accepted for this purpose only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Verifies the email address of an account.
    VerifyEmail,
    /// Sets a password; also verifies the email address, because the email reached it.
    ResetPassword,
    /// Changes the email address of an account.
    ChangeEmail,
}

impl Purpose {
    /// Returns the value in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
        }
    }

    /// Returns the prefix of such tokens, by which people and secret scanners recognize them.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::VerifyEmail => "souk_vt_",
            Self::ResetPassword => "souk_pt_",
            Self::ChangeEmail => "souk_et_",
        }
    }
}

/// Fields of a new token.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = account_tokens)]
pub struct NewToken<'a> {
    /// Owner of the token.
    pub user_id: UserId,
    /// Purpose: [`Purpose::as_str`].
    pub purpose: &'static str,
    /// SHA-256 of the token.
    pub hash: &'a [u8],
    /// Email address whose ownership it proves.
    pub email: &'a str,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

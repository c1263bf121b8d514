//! The tokens of mails: what they are good for, how long they live, and how often they are sent.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

use crate::{db::tables::account_tokens, ids::UserId};

/// How long a mail that asks for confirmation of an address is good.
pub const VERIFY_TOKEN_LIFETIME: Duration = Duration::hours(48);
/// How long a mail that lets its reader choose a new password is good.
pub const RESET_TOKEN_LIFETIME: Duration = Duration::minutes(60);
/// How long a mail to a new address is good.
pub const EMAIL_CHANGE_TOKEN_LIFETIME: Duration = Duration::hours(24);
/// How long the mail to somebody whose account was opened by staff is good.
pub const INVITATION_TOKEN_LIFETIME: Duration = Duration::days(7);

/// Most mails of one purpose that anybody can cause to a user within [`EMAIL_WINDOW`]: what is more is dropped in silence.
pub const MAX_EMAILS: i64 = 3;
/// See [`MAX_EMAILS`]; also the least pause between two mails which say that an address was tried by somebody else.
pub const EMAIL_WINDOW: Duration = Duration::hours(1);

/// How long a token that has expired, or a session that is over, is still kept for those who look into a case.
pub const TOKEN_RETENTION: Duration = Duration::days(30);

/// What a token is good for: never for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Confirms the address of an account.
    VerifyEmail,
    /// Sets a password, and confirms the address, since the mail reached it.
    ResetPassword,
    /// Gives an account another address.
    ChangeEmail,
}

impl Purpose {
    /// The value in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
        }
    }

    /// What begins every such token, so that people and scanners know one when they see it.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::VerifyEmail => "souk_vt_",
            Self::ResetPassword => "souk_pt_",
            Self::ChangeEmail => "souk_et_",
        }
    }
}

/// A token to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = account_tokens)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub user_id: UserId,
    /// What for: [`Purpose::as_str`].
    pub purpose: &'static str,
    /// SHA-256 of its text.
    pub hash: &'a [u8],
    /// The address that it proves.
    pub email: &'a str,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
}

//! Operations that run although the credential of the request is not valid, as if it had not been sent.
//! Rule: these are the operations with which a client gets a new credential or drops its old one, and the cart of a
//! guest. All others fail, so that the client notices that it has to refresh its token.

use crate::{
    auth::{GuestKey, Holder},
    carts,
    db::Db,
    error::Result,
};

/// Root fields that need no credential, because they get a new one, drop the old one, or use a token from an email.
pub const ACCOUNT_FIELDS: &[&str] = &[
    "emailChangeConfirm",
    "emailVerificationResend",
    "emailVerify",
    "login",
    "logout",
    "orderEmailConfirm",
    "passwordForgot",
    "passwordReset",
    "register",
    "tokenRefresh",
];

/// Root fields that need only the cart token of a guest.
pub const CART_FIELDS: &[&str] = &[
    "cart",
    "cartClear",
    "cartCreate",
    "cartLineAdd",
    "cartLineRemove",
    "cartLineUpdate",
    "cartRelease",
    "cartReserve",
];

/// Returns whether an operation with these root fields runs with an invalid credential. `guest` is the guest whose cart
/// token is sent; the token counts only if its cart exists.
/// # Errors
/// Database errors.
pub async fn are_ignored_by(db: &Db, root_fields: &[&str], guest: Option<GuestKey>) -> Result<bool> {
    let needs = |field: &&&str| !ACCOUNT_FIELDS.contains(field);
    let rest: Vec<_> = root_fields.iter().filter(needs).collect();
    match guest {
        _ if rest.is_empty() => Ok(!root_fields.is_empty()),
        Some(guest) if rest.iter().all(|field| CART_FIELDS.contains(field)) => {
            let holder = Holder { user: None, guest: Some(guest) };
            Ok(!db.read(async |conn| carts::store::by_holder(conn, &holder).await).await?.is_empty())
        }
        _ => Ok(false),
    }
}

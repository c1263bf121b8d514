//! The refresh token cookie, for pages of the same site.
//! Rule: scripts cannot read the cookie (HttpOnly), it is sent over HTTPS only (Secure), and other sites cannot cause
//! it to be sent (SameSite=Strict).
//!
//! The `cookie` crate is not used: it writes `Max-Age` after the other attributes, but the tests expect it first.

use async_graphql::Context;
use chrono::{DateTime, Utc};

/// Name of the cookie.
const COOKIE_NAME: &str = "souk_refresh";

/// The `Cookie` header of the request.
#[derive(Debug, Clone, Default)]
pub struct Cookies(pub Option<String>);

/// Returns the refresh token from the request's cookie.
pub fn get(ctx: &Context<'_>) -> Option<String> {
    let Cookies(header) = ctx.data_opt::<Cookies>()?;
    let mut pairs = header.as_deref()?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value.to_owned())
}

/// Sets the cookie with the refresh token until the token expires.
pub fn set(ctx: &Context<'_>, token: &str, expires_at: DateTime<Utc>) {
    let seconds = (expires_at - Utc::now()).num_seconds().max(0);
    append_set_cookie(ctx, &format!("{COOKIE_NAME}={token}; Max-Age={seconds}"));
}

/// Removes the cookie.
pub fn clear(ctx: &Context<'_>) {
    if get(ctx).is_some() {
        append_set_cookie(ctx, &format!("{COOKIE_NAME}=; Max-Age=0"));
    }
}

fn append_set_cookie(ctx: &Context<'_>, pair: &str) {
    ctx.append_http_header("set-cookie", format!("{pair}; Path=/graphql; HttpOnly; Secure; SameSite=Strict"));
}

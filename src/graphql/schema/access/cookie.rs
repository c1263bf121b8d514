//! The cookie of the refresh token, for pages of the same site.
//! Rule: no script can read it (HttpOnly), it never travels in clear (Secure), and no other site can send it along
//! (SameSite=Strict).
//!
//! The crate `cookie` is not used: it writes `Max-Age` after the other attributes, and the tests hold it to be the first.

use async_graphql::Context;
use chrono::{DateTime, Utc};

/// Its name.
const COOKIE_NAME: &str = "souk_refresh";

/// The `Cookie` header of the request.
#[derive(Debug, Clone, Default)]
pub struct Cookies(pub Option<String>);

/// The refresh token that came as a cookie.
pub fn get(ctx: &Context<'_>) -> Option<String> {
    let Cookies(header) = ctx.data_opt::<Cookies>()?;
    let mut pairs = header.as_deref()?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value.to_owned())
}

/// Gives the refresh token as a cookie, until it expires.
pub fn set(ctx: &Context<'_>, token: &str, expires_at: DateTime<Utc>) {
    let seconds = (expires_at - Utc::now()).num_seconds().max(0);
    append_set_cookie(ctx, &format!("{COOKIE_NAME}={token}; Max-Age={seconds}"));
}

/// Takes the cookie away.
pub fn clear(ctx: &Context<'_>) {
    if get(ctx).is_some() {
        append_set_cookie(ctx, &format!("{COOKIE_NAME}=; Max-Age=0"));
    }
}

fn append_set_cookie(ctx: &Context<'_>, pair: &str) {
    ctx.append_http_header("set-cookie", format!("{pair}; Path=/graphql; HttpOnly; Secure; SameSite=Strict"));
}

//! The refresh token cookie, for pages of the same site.
//! Rule: scripts cannot read the cookie (HttpOnly), it is sent over HTTPS only (Secure), and other sites cannot cause
//! it to be sent (SameSite=Strict). Its prefix `__Host-` makes browsers accept it from this host only, so that another host
//! of the domain cannot plant one. Without TLS, in development, it has neither prefix nor Secure, because browsers would
//! not store it.
//!
//! The `cookie` crate is not used: it writes `Max-Age` after the other attributes, but the tests expect it first.

use async_graphql::Context;
use chrono::{DateTime, Utc};

use crate::error::{Error, ErrorCode, Result};

/// Name of the cookie over TLS.
const SECURE_NAME: &str = "__Host-souk_refresh";
/// Name of the cookie without TLS.
const PLAIN_NAME: &str = "souk_refresh";

/// The cookies of the request.
#[derive(Debug, Clone, Default)]
pub struct Cookies {
    /// The `Cookie` headers, joined with semicolons.
    pub header: Option<String>,
    /// Whether cookies are sent and accepted over TLS only.
    pub are_secure: bool,
}

impl Cookies {
    fn name(&self) -> &'static str {
        if self.are_secure { SECURE_NAME } else { PLAIN_NAME }
    }

    /// Returns the values of the cookies with the name.
    fn values(&self) -> impl Iterator<Item = &str> {
        let wanted = self.name();
        let pairs = self.header.as_deref().unwrap_or_default().split(';');
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

/// Returns the refresh token from the request's cookie.
/// # Errors
/// UNAUTHENTICATED if there are several: one of them may have been planted, to log the user in as someone else.
pub fn get(ctx: &Context<'_>) -> Result<Option<String>> {
    let Some(cookies) = ctx.data_opt::<Cookies>() else { return Ok(None) };
    let mut values = cookies.values();
    let token = values.next().map(ToOwned::to_owned);
    if values.next().is_some() {
        let name = cookies.name();
        let message =
            format!("The request has several cookies {name}. Delete the cookies of this site, and log in again.");
        return Err(Error::Coded(ErrorCode::Unauthenticated, message.into()));
    }
    Ok(token)
}

/// Sets the cookie with the refresh token until the token expires.
pub fn set(ctx: &Context<'_>, token: &str, expires_at: DateTime<Utc>) {
    let seconds = (expires_at - Utc::now()).num_seconds().max(0);
    append_set_cookie(ctx, &format!("{token}; Max-Age={seconds}"));
}

/// Removes the cookie.
pub fn clear(ctx: &Context<'_>) {
    if ctx.data_opt::<Cookies>().is_some_and(|cookies| cookies.values().next().is_some()) {
        append_set_cookie(ctx, "; Max-Age=0");
    }
}

fn append_set_cookie(ctx: &Context<'_>, value: &str) {
    let are_secure = ctx.data_opt::<Cookies>().is_some_and(|cookies| cookies.are_secure);
    // The prefix requires the path `/`.
    let cookie = match are_secure {
        true => format!("{SECURE_NAME}={value}; Path=/; HttpOnly; Secure; SameSite=Strict"),
        false => format!("{PLAIN_NAME}={value}; Path=/graphql; HttpOnly; SameSite=Strict"),
    };
    ctx.append_http_header("set-cookie", cookie);
}

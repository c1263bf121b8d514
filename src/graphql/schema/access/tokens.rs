//! The tokens of a session in the payload of the mutation that opened or refreshed it.
//! Rule: a refresh token that is requested as a cookie is in no payload.

use async_graphql::Context;
use chrono::{DateTime, Utc};

use super::cookie;
use crate::access::actions::login::Tokens;

/// The fields of a payload with the tokens of a session; all null without a session.
#[derive(Default)]
pub struct DeliveredTokens {
    /// The access token.
    pub access_token: Option<String>,
    /// The refresh token, unless it is returned as a cookie.
    pub refresh_token: Option<String>,
    /// When the access token expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Returns the fields for these tokens, and sets the refresh token as a cookie if requested.
pub fn deliver(ctx: &Context<'_>, tokens: Option<Tokens>, as_cookie: bool) -> DeliveredTokens {
    let Some(Tokens { access, refresh, refresh_expires_at }) = tokens else { return DeliveredTokens::default() };
    let refresh_token = match as_cookie {
        true => {
            cookie::set(ctx, &refresh, refresh_expires_at);
            None
        }
        false => Some(refresh),
    };
    DeliveredTokens { access_token: Some(access.token), refresh_token, expires_at: Some(access.expires_at) }
}

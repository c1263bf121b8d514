//! Sessions in the graph: logging in, renewing tokens, logging out.
//! Rule: a refresh token is shown once; where a cookie is asked for, scripts of the page never see it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    access::{
        self,
        actions::login::{self, Tokens},
        model::SessionRow,
    },
    auth::AuthMethod,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            guards::LoginGuard,
            payload::{UserError, payload, payload_object, split_user_errors},
            scalars::global_id,
        },
        schema::{
            access::cookie,
            carts,
            context::ContextExt,
            loaders::by_parent,
            resource::resource,
            users::{User, user},
        },
    },
    ids::{RowId, SessionId, UserId},
};

/// A login on one device.
#[derive(Clone)]
pub struct Session(Arc<SessionRow>);

resource! {
    Session(session) by SessionId of SessionRow,
    |conn, context, ids| access::store::sessions::live_by_ids(conn, context.user_id, &ids), row => row.id,
}

by_parent! {
    /// The sessions of users: the viewer's own alone.
    SessionsByUser by UserId => SessionRow,
    |conn, context, ids| access::store::sessions::live_by_user_ids(conn, context.user_id, &ids), row => row.user_id
}

/// A login on one device. It lasts until it is ended, or not renewed for too long.
#[object]
impl Session {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// The program that logged in, by its user agent.
    fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }

    /// The network address that it was last renewed from.
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// Whether it is the one that asks.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().identity().is_some_and(|identity| identity.auth_method == AuthMethod::Session(self.0.id))
    }

    /// When you logged in.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When its tokens were last renewed.
    fn last_used_at(&self) -> DateTime<Utc> {
        self.0.last_used_at
    }

    /// From then on it cannot be renewed; each renewal moves it on.
    fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
}

/// Who logs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// E-mail address, in upper or lower case.
    email: String,
    /// Password.
    password: String,
    /// Whether the refresh token comes as a cookie (HttpOnly, Secure, SameSite=Strict) and not in the answer: for pages of
    /// the same site, whose scripts then cannot give it away.
    #[graphql(default)]
    refresh_cookie: bool,
}

/// Which tokens to renew.
#[derive(InputObject)]
pub struct TokenRefreshInput {
    /// The refresh token; that of the cookie where absent, and the new one is then a cookie as well.
    refresh_token: Option<String>,
}

/// Which session to end.
#[derive(Debug, InputObject)]
pub struct SessionRevokeInput {
    /// Which session: one of yours.
    id: ID,
}

payload_object! {
    /// The answer of `login`.
    LoginPayload {
        /// Send it as `Authorization: Bearer <accessToken>`.
        access_token: Option<String>,
        /// Renews the access token through `tokenRefresh`, once; null where it comes as a cookie.
        refresh_token: Option<String>,
        /// From then on the access token is refused.
        expires_at: Option<DateTime<Utc>>,
        /// Who logged in.
        user: Option<User>,
        /// The rules that the input broke; empty where you are logged in.
        user_errors: Vec<UserError>,
    }
}
payload_object! {
    /// The answer of `tokenRefresh`.
    TokenRefreshPayload {
        /// The new access token.
        access_token: Option<String>,
        /// The new refresh token, in place of the one that was sent; null where it comes as a cookie.
        refresh_token: Option<String>,
        /// From then on the access token is refused.
        expires_at: Option<DateTime<Utc>>,
        /// The rules that the input broke; empty where the tokens are new.
        user_errors: Vec<UserError>,
    }
}
payload! {
    /// The answer of `logout`.
    LogoutPayload
}
payload! {
    /// The answer of `logoutEverywhere`.
    LogoutEverywherePayload
}
payload! {
    /// The answer of `sessionRevoke`.
    SessionRevokePayload {
        /// The session that was ended.
        session: Session
    }
}

/// Gives the refresh token as a cookie, or leaves it for the answer.
fn deliver_refresh_token(ctx: &Context<'_>, tokens: &Tokens, as_cookie: bool) -> Option<String> {
    if !as_cookie {
        return Some(tokens.refresh.clone());
    }
    cookie::set(ctx, &tokens.refresh, tokens.refresh_expires_at);
    None
}

/// Mutations of sessions.
#[derive(Default)]
pub struct SessionMutation;

#[object]
impl SessionMutation {
    /// Logs in on this device: opens a session. An unknown e-mail address, a wrong password and a deactivated account
    /// answer the same. The cart whose token comes along becomes part of the user's. After five attempts at an account there are pauses: RATE_LIMITED, and `extensions.retryAfter` says
    /// how many seconds to wait.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who logs in.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let LoginInput { email, password, refresh_cookie } = input;
        let logged_in = login::login(ctx.services().login_context(), ctx.origin(), &email, password).await;
        let (login, user_errors) = split_user_errors(logged_in)?;
        if let Some(login) = &login {
            carts::merge_guest_cart(ctx, login.user.id).await;
        }
        let refresh_token = login.as_ref().and_then(|login| deliver_refresh_token(ctx, &login.tokens, refresh_cookie));
        let (access_token, expires_at, logged_in_user) = match login {
            Some(login) => {
                let access = login.tokens.access;
                (Some(access.token), Some(access.expires_at), Some(user(login.user)))
            }
            None => (None, None, None),
        };
        Ok(LoginPayload { access_token, refresh_token, expires_at, user: logged_in_user, user_errors })
    }

    /// Renews the tokens of a session. A refresh token is good once: if it comes again later than ten seconds after, or
    /// after its successor was used, two hold it, and the session is ended for both.
    async fn token_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tokens.")] input: TokenRefreshInput,
    ) -> Result<TokenRefreshPayload> {
        let as_cookie = input.refresh_token.is_none();
        let token = input.refresh_token.or_else(|| cookie::get(ctx));
        let refreshed = async {
            let missing = || Error::user(UserErrorCode::Required, "refreshToken", "there is no refresh token");
            login::refresh(ctx.services().login_context(), ctx.origin(), &token.ok_or_else(missing)?).await
        };
        let (tokens, user_errors) = split_user_errors(refreshed.await)?;
        if as_cookie && tokens.is_none() {
            cookie::clear(ctx);
        }
        let refresh_token = tokens.as_ref().and_then(|tokens| deliver_refresh_token(ctx, tokens, as_cookie));
        let access = tokens.map(|tokens| tokens.access);
        let expires_at = access.as_ref().map(|access| access.expires_at);
        let access_token = access.map(|access| access.token);
        Ok(TokenRefreshPayload { access_token, refresh_token, expires_at, user_errors })
    }

    /// Logs out on this device: its tokens are refused from now on. Requires being logged in, by an access token.
    #[graphql(guard = "LoginGuard")]
    async fn logout(&self, ctx: &Context<'_>) -> Result<LogoutPayload> {
        let done = login::logout(ctx.db(), &ctx.services().permission_cache, ctx.viewer()).await;
        cookie::clear(ctx);
        LogoutPayload::of(done)
    }

    /// Logs out on every device. Requires being logged in, by an access token.
    #[graphql(guard = "LoginGuard")]
    async fn logout_everywhere(&self, ctx: &Context<'_>) -> Result<LogoutEverywherePayload> {
        let done = login::logout_everywhere(ctx.db(), &ctx.services().permission_cache, ctx.viewer()).await;
        cookie::clear(ctx);
        LogoutEverywherePayload::of(done)
    }

    /// Logs out on another device. Requires being logged in, by an access token.
    #[graphql(guard = "LoginGuard")]
    async fn session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: SessionRevokeInput,
    ) -> Result<SessionRevokePayload> {
        let ended = async {
            let id = SessionId::parse("id", &input.id)?;
            login::end_session(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id).await
        };
        SessionRevokePayload::of(ended.await.map(session))
    }
}

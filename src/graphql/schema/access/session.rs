//! Sessions: login, token refresh, logout.
//! Rule: a refresh token is returned once; if it is requested as a cookie, scripts of the page never see it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    access::{self, actions::login, model::SessionRow},
    auth::AuthMethod,
    carts::model::CartMergeStatus,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            cost::PASSWORD,
            guards::LoginGuard,
            payload::{UserError, payload, payload_object, split_user_errors},
            scalars::global_id,
        },
        schema::{
            access::{
                cookie,
                tokens::{DeliveredTokens, deliver},
            },
            carts::{self, Cart},
            context::ContextExt,
            loaders::by_parent,
            resource::resource,
            users::{User, user},
        },
    },
    ids::{RowId, SessionId, UserId},
};

/// A login session of a user on one device.
#[derive(Clone)]
pub struct Session(Arc<SessionRow>);

resource! {
    Session(session) by SessionId of SessionRow,
    |conn, context, ids| access::store::sessions::live_by_ids(conn, context.user_id, &ids), row => row.id,
}

by_parent! {
    /// Sessions of users; only the viewer's own are returned.
    SessionsByUser by UserId => SessionRow,
    |conn, context, ids| access::store::sessions::live_by_user_ids(conn, context.user_id, &ids), row => row.user_id
}

/// A login session of a user on one device. It lasts until it is ended or expires without a token refresh. Visible to
/// its user only.
#[object]
impl Session {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// User agent of the client that logged in; null if it sent none.
    fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }

    /// IP address from which the session was last refreshed; null if unknown.
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// Whether this is the session of the current request.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().identity().is_some_and(|identity| identity.auth_method == AuthMethod::Session(self.0.id))
    }

    /// When the session was created (UTC), which is the time of the login.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the session's tokens were last refreshed (UTC).
    fn last_used_at(&self) -> DateTime<Utc> {
        self.0.last_used_at
    }

    /// When the session expires (UTC). Each token refresh extends it.
    fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
}

/// Input for `login`.
#[derive(InputObject)]
pub struct LoginInput {
    /// Email address; upper and lower case match each other.
    email: String,
    /// Password of the account.
    password: String,
    /// Whether to return the refresh token as a cookie (HttpOnly, Secure, SameSite=Strict, prefix `__Host-`) instead of in
    /// the response, so that scripts of the page cannot read it. Works for pages of the same site.
    #[graphql(default)]
    refresh_cookie: bool,
}

/// Input for `tokenRefresh`.
#[derive(InputObject)]
pub struct TokenRefreshInput {
    /// Refresh token. If omitted, the token of the cookie is used, and the new token is set as a cookie too. A request with
    /// several such cookies fails with `UNAUTHENTICATED`.
    refresh_token: Option<String>,
}

/// Input for `logout`.
#[derive(Default, InputObject)]
pub struct LogoutInput {
    /// Refresh token of the session to end. If omitted, the session of the access token is ended or, without a valid
    /// access token, the session of the cookie.
    refresh_token: Option<String>,
}

/// Input for `sessionRevoke`.
#[derive(Debug, InputObject)]
pub struct SessionRevokeInput {
    /// ID of one of the viewer's sessions.
    id: ID,
}

payload_object! {
    /// Result of `login`.
    LoginPayload {
        /// Access token, to be sent as `Authorization: Bearer <accessToken>`.
        access_token: Option<String>,
        /// Token for one `tokenRefresh`; null if it is returned as a cookie.
        refresh_token: Option<String>,
        /// When the access token expires (UTC).
        expires_at: Option<DateTime<Utc>>,
        /// The user who logged in.
        user: Option<User>,
        /// The user's cart, into which the guest's cart was merged. Null if the user has none and no guest's cart was
        /// sent.
        cart: Option<Cart>,
        /// Whether the guest's cart whose token was sent in `X-Cart-Token` was merged; null on failure.
        cart_merge_status: Option<CartMergeStatus>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}
payload_object! {
    /// Result of `tokenRefresh`.
    TokenRefreshPayload {
        /// New access token.
        access_token: Option<String>,
        /// New refresh token, which replaces the used one; null if it is returned as a cookie.
        refresh_token: Option<String>,
        /// When the access token expires (UTC).
        expires_at: Option<DateTime<Utc>>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}
payload! {
    /// Result of `logout`.
    LogoutPayload
}
payload! {
    /// Result of `logoutEverywhere`.
    LogoutEverywherePayload
}
payload! {
    /// Result of `sessionRevoke`.
    SessionRevokePayload {
        /// The session that was ended.
        session: Session
    }
}

/// Mutations of sessions.
#[derive(Default)]
pub struct SessionMutation;

#[object]
impl SessionMutation {
    /// Logs a user in on this device and creates a session. Unknown email addresses, wrong passwords and deactivated
    /// accounts return the same error. The guest's cart whose token is sent in `X-Cart-Token` is merged into the user's
    /// cart, unless both have products and their currencies differ; `cartMergeStatus` says which. After five failed attempts, further attempts are delayed: they fail with `RATE_LIMITED`, and
    /// `extensions.retryAfter` is the number of seconds to wait.
    #[graphql(complexity = "PASSWORD + child_complexity")]
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Credentials.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let LoginInput { email, password, refresh_cookie } = input;
        let logged_in = login::login(ctx.services().login_context(), ctx.origin(), &email, password).await;
        let (login, user_errors) = split_user_errors(logged_in)?;
        let (tokens, logged_in_user) = login.map(|login| (login.tokens, login.user)).unzip();
        let after = match &logged_in_user {
            Some(row) => Some(carts::merge_guest_cart(ctx, row.id).await),
            None => None,
        };
        let (cart, cart_merge_status) = after.map(|after| (after.cart, after.merge_status)).unzip();
        let DeliveredTokens { access_token, refresh_token, expires_at } = deliver(ctx, tokens, refresh_cookie);
        Ok(LoginPayload {
            access_token,
            refresh_token,
            expires_at,
            user: logged_in_user.map(user),
            cart: cart.flatten(),
            cart_merge_status,
            user_errors,
        })
    }

    /// Refreshes the tokens of a session. A refresh token can be used once: if it is used again more than ten seconds
    /// later, or after its successor was used, it is considered stolen and the session is ended.
    async fn token_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: TokenRefreshInput,
    ) -> Result<TokenRefreshPayload> {
        let as_cookie = input.refresh_token.is_none();
        let token = match input.refresh_token {
            None => cookie::get(ctx)?,
            given => given,
        };
        let refreshed = async {
            let missing = || {
                Error::user(
                    UserErrorCode::Required,
                    "refreshToken",
                    "a refresh token is required, as an argument or a cookie",
                )
            };
            login::refresh(ctx.services().login_context(), ctx.origin(), &token.ok_or_else(missing)?).await
        };
        let (tokens, user_errors) = split_user_errors(refreshed.await)?;
        if as_cookie && tokens.is_none() {
            cookie::clear(ctx);
        }
        let DeliveredTokens { access_token, refresh_token, expires_at } = deliver(ctx, tokens, as_cookie);
        Ok(TokenRefreshPayload { access_token, refresh_token, expires_at, user_errors })
    }

    /// Ends the session of the refresh token or, without one, the current session; its tokens become invalid
    /// immediately. An access token that is no longer valid does not prevent the logout. Requires a logged-in user or a
    /// refresh token; API keys are rejected.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end; defaults to the current one.")] input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        let given = input.unwrap_or_default().refresh_token;
        let token = match (given, ctx.viewer().identity()) {
            (None, None) => cookie::get(ctx)?,
            (given, _) => given,
        };
        let done = login::logout(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), token.as_deref()).await;
        cookie::clear(ctx);
        LogoutPayload::of(done)
    }

    /// Ends all sessions of the viewer. Requires a logged-in user; API keys are rejected.
    #[graphql(guard = "LoginGuard")]
    async fn logout_everywhere(&self, ctx: &Context<'_>) -> Result<LogoutEverywherePayload> {
        let done = login::logout_everywhere(ctx.db(), &ctx.services().permission_cache, ctx.viewer()).await;
        cookie::clear(ctx);
        LogoutEverywherePayload::of(done)
    }

    /// Ends one of the viewer's sessions. Requires a logged-in user; API keys are rejected.
    #[graphql(guard = "LoginGuard")]
    async fn session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end.")] input: SessionRevokeInput,
    ) -> Result<SessionRevokePayload> {
        let ended = async {
            let id = SessionId::parse("id", &input.id)?;
            login::end_session(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id).await
        };
        SessionRevokePayload::of(ended.await.map(session))
    }
}

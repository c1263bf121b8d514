//! API keys of the viewer.
//! Rule: a key's secret is returned once, by the mutation that creates it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    access::{
        self,
        actions::keys,
        model::keys::{ApiKey as ApiKeyRow, NewApiKey},
    },
    auth::Permission,
    error::Result,
    graphql::{
        engine::{
            guards::LoginGuard,
            payload::{UserError, payload, payload_object, split_user_errors},
            scalars::{Time, global_id, parse_ids},
        },
        schema::{
            context::ContextExt,
            loaders::by_parent,
            resource::resource,
            websites::{Website, website},
        },
    },
    ids::{ApiKeyId, RowId, UserId},
};

/// An API key.
#[derive(Clone)]
pub struct ApiKey(Arc<ApiKeyRow>);

/// Creates the object of an API key.
pub fn api_key(key: impl Into<Arc<ApiKeyRow>>) -> ApiKey {
    ApiKey(key.into())
}

resource! {
    ApiKey by ApiKeyId of ApiKeyRow,
    |conn, context, ids| access::store::keys::by_ids(conn, context.user_id, &ids), key => key.row.id,
    |_, row| Some(api_key(row)),
}

by_parent! {
    /// API keys of users; only the viewer's own are returned.
    ApiKeysByUser by UserId => ApiKeyRow,
    |conn, context, ids| access::store::keys::by_user_ids(conn, context.user_id, &ids), key => key.row.user_id
}

/// A key with which a program sends requests, in the header `X-API-Key`. It can do what its permissions allow and read
/// what is public. It cannot do what its owner does for themselves without a permission, such as ordering or changing
/// their addresses, and does not see what is theirs: such mutations are `FORBIDDEN` or `NOT_FOUND`. Visible to its
/// owner only.
#[object]
impl ApiKey {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.row.id)
    }

    /// Display name of the key.
    fn name(&self) -> &str {
        &self.0.row.name
    }

    /// First characters of the key, to recognize it. The full key is returned only when it is created.
    fn prefix(&self) -> &str {
        &self.0.row.prefix
    }

    /// Permissions of the key, limited to those that the owner's role currently grants.
    fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().collect()
    }

    /// Websites that the key is restricted to. Empty if the key is valid for all websites that the owner's role covers.
    #[graphql(complexity = "3 * child_complexity")]
    async fn websites(&self, ctx: &Context<'_>) -> Result<Vec<Website>> {
        let ids = self.0.websites.iter().flat_map(|ids| ids.iter().copied());
        Ok(ctx.loaders().rows(ids).await?.into_iter().map(website).collect())
    }

    /// When the API key was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.row.created_at
    }

    /// When the key was last used (UTC), accurate to one minute; null if it was never used.
    fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.row.last_used_at
    }

    /// When the key expires (UTC); null if it does not expire.
    fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.row.expires_at
    }
}

/// Input for `apiKeyCreate`.
#[derive(Debug, InputObject)]
pub struct ApiKeyCreateInput {
    /// Display name, 1 to 100 characters.
    name: String,
    /// Permissions of the key, each of which the viewer must have. A key without permissions reads what is public.
    permissions: Vec<Permission>,
    /// Websites to restrict the key to, at most 100. Each must be covered by the viewer's role. Defaults to all
    /// websites that the role covers.
    #[graphql(default)]
    websites: Vec<ID>,
    /// When the key expires (UTC). By default it does not expire.
    expires_at: Option<Time>,
}

/// Input for `apiKeyRevoke`.
#[derive(Debug, InputObject)]
pub struct ApiKeyRevokeInput {
    /// ID of one of the viewer's API keys.
    id: ID,
}

payload_object! {
    /// Result of `apiKeyCreate`.
    ApiKeyCreatePayload {
        /// The created API key.
        api_key: Option<ApiKey>,
        /// The full key, to be sent in the header `X-API-Key`. It is not shown again.
        secret: Option<String>,
        /// Validation and business-rule errors; empty on success.
        user_errors: Vec<UserError>,
    }
}

payload! {
    /// Result of `apiKeyRevoke`.
    ApiKeyRevokePayload {
        /// The revoked API key.
        api_key: ApiKey
    }
}

/// Mutations of API keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[object]
impl ApiKeyMutation {
    /// Creates an API key of the viewer, who can have at most 50. Requires a logged-in user; API keys are rejected.
    #[graphql(guard = "LoginGuard")]
    async fn api_key_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key to create.")] input: ApiKeyCreateInput,
    ) -> Result<ApiKeyCreatePayload> {
        let created = async {
            let new = NewApiKey {
                name: input.name,
                permissions: input.permissions.into_iter().collect(),
                websites: parse_ids("websites", &input.websites)?,
                expires_at: input.expires_at.map(|time| time.0),
            };
            keys::create(ctx.db(), ctx.viewer(), new).await
        };
        let (created, user_errors) = split_user_errors(created.await)?;
        let (key, secret) = created.unzip();
        Ok(ApiKeyCreatePayload { api_key: key.map(api_key), secret, user_errors })
    }

    /// Revokes one of the viewer's API keys with immediate effect. Requires a logged-in user; API keys are rejected.
    #[graphql(guard = "LoginGuard")]
    async fn api_key_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key to revoke.")] input: ApiKeyRevokeInput,
    ) -> Result<ApiKeyRevokePayload> {
        let revoked = async {
            let id = ApiKeyId::parse("id", &input.id)?;
            keys::revoke(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id).await
        };
        ApiKeyRevokePayload::of(revoked.await.map(api_key))
    }
}

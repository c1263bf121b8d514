//! API keys in the graph: making and revoking one's own.
//! Rule: a key is shown once, by the mutation that makes it.

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
            scalars::{global_id, parse_ids},
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

/// A key of a machine.
#[derive(Clone)]
pub struct ApiKey(Arc<ApiKeyRow>);

/// The object of a key.
pub fn api_key(key: impl Into<Arc<ApiKeyRow>>) -> ApiKey {
    ApiKey(key.into())
}

resource! {
    ApiKey by ApiKeyId of ApiKeyRow,
    |conn, context, ids| access::store::keys::by_ids(conn, context.user_id, &ids), key => key.row.id,
    |_, row| Some(api_key(row)),
}

by_parent! {
    /// The API keys of users: the viewer's own alone.
    ApiKeysByUser by UserId => ApiKeyRow,
    |conn, context, ids| access::store::keys::by_user_ids(conn, context.user_id, &ids), key => key.row.user_id
}

/// A key with which a machine acts for you: it sends it as `X-API-Key`. You see your own.
#[object]
impl ApiKey {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.row.id)
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.0.row.name
    }

    /// How the key begins, by which you know it again. The rest is shown once, when it is made.
    fn prefix(&self) -> &str {
        &self.0.row.prefix
    }

    /// What it may do, as far as your role gives it at the moment.
    fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().collect()
    }

    /// The websites that it is limited to. Empty where it counts wherever your role does.
    #[graphql(complexity = "3 * child_complexity")]
    async fn websites(&self, ctx: &Context<'_>) -> Result<Vec<Website>> {
        let ids = self.0.websites.iter().flat_map(|ids| ids.iter().copied());
        Ok(ctx.loaders().rows(ids).await?.into_iter().map(website).collect())
    }

    /// When you made it.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.row.created_at
    }

    /// When it was last used, to the minute; null where it never was.
    fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.row.last_used_at
    }

    /// From then on it is refused; null where it is good until you revoke it.
    fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.row.expires_at
    }
}

/// A new key of yours.
#[derive(Debug, InputObject)]
pub struct ApiKeyCreateInput {
    /// Name for people, 1 to 100 characters.
    name: String,
    /// What it may do: no more than you hold. Without any it sees and does what every customer may, in your name.
    permissions: Vec<Permission>,
    /// The websites that it is limited to, at most 100, each one that your role reaches; where absent it counts wherever
    /// your role does.
    #[graphql(default)]
    websites: Vec<ID>,
    /// From then on it is refused; where absent it is good until you revoke it.
    expires_at: Option<DateTime<Utc>>,
}

/// Which key to revoke.
#[derive(Debug, InputObject)]
pub struct ApiKeyRevokeInput {
    /// Which key: one of yours.
    id: ID,
}

payload_object! {
    /// The answer of `apiKeyCreate`.
    ApiKeyCreatePayload {
        /// The new key.
        api_key: Option<ApiKey>,
        /// The key itself, shown this once: send it as `X-API-Key`.
        secret: Option<String>,
        /// The rules that the input broke; empty where it was done.
        user_errors: Vec<UserError>,
    }
}

payload! {
    /// The answer of `apiKeyRevoke`.
    ApiKeyRevokePayload {
        /// The key that was revoked.
        api_key: ApiKey
    }
}

/// Mutations of API keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[object]
impl ApiKeyMutation {
    /// Makes an API key of yours, at most 50. Requires being logged in, by an access token: a key makes no keys.
    #[graphql(guard = "LoginGuard")]
    async fn api_key_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key to be.")] input: ApiKeyCreateInput,
    ) -> Result<ApiKeyCreatePayload> {
        let created = async {
            let new = NewApiKey {
                name: input.name,
                permissions: input.permissions.into_iter().collect(),
                websites: parse_ids("websites", &input.websites)?,
                expires_at: input.expires_at,
            };
            keys::create(ctx.db(), ctx.viewer(), new).await
        };
        let (created, user_errors) = split_user_errors(created.await)?;
        let (key, secret) = created.unzip();
        Ok(ApiKeyCreatePayload { api_key: key.map(api_key), secret, user_errors })
    }

    /// Revokes an API key of yours: it is refused from now on. Requires being logged in, by an access token.
    #[graphql(guard = "LoginGuard")]
    async fn api_key_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: ApiKeyRevokeInput,
    ) -> Result<ApiKeyRevokePayload> {
        let revoked = async {
            let id = ApiKeyId::parse("id", &input.id)?;
            keys::revoke(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id).await
        };
        ApiKeyRevokePayload::of(revoked.await.map(api_key))
    }
}

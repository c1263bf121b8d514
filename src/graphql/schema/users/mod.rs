//! Users in the graph: who they are, and what is theirs; registering.

pub mod address;

mod mutation;
mod query;

pub use self::{
    mutation::*,
    query::{UserOrder, UserQuery, UserWhere},
};

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result},
    graphql::{
        engine::{connections::Connection, list_args::ListArgs, scalars::global_id},
        schema::{
            access::{
                api_key::{ApiKey, ApiKeysByUser, api_key},
                role::{Role, role_object},
                session::{Session, SessionsByUser, session},
            },
            context::ContextExt,
            orders::{self, Order, OrderOrder, OrderWhere},
            resource::resource,
            reviews::{self, Review, ReviewOrder, ReviewWhere},
            sources::{Source, SourceLookup},
            users::address::{Address, AddressesByUser, address},
            websites::{Website, website},
        },
    },
    ids::{RowId, UserId, WebsiteId},
    orders::model::OrderParent,
    reviews::model::ReviewParent,
    sources::model::SourceType,
    users::{self, model::UserRow},
};

/// A person: customer or staff.
#[derive(Clone)]
pub struct User(Arc<UserRow>);

impl User {
    fn source_lookup(&self) -> SourceLookup<UserId> {
        SourceLookup { resource_type: SourceType::User, id: self.0.id, created_at: self.0.created_at }
    }

    /// Whether the viewer may know what this website calls them.
    fn can_view_source(&self, ctx: &Context<'_>, website: WebsiteId) -> bool {
        ctx.viewer().user_id() == Some(self.0.id) || ctx.viewer().can_at(Permission::ManageUsers, website)
    }
}

resource! {
    User(user) by UserId of UserRow,
    |conn, context, ids| users::store::by_ids(conn, &context.user_scope(), &ids), row => row.id,
}

/// A person: customer or staff. You see yourself; staff with MANAGE_USERS see everybody.
#[object]
impl User {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// E-mail address, unique, in lower case with its domain in ASCII; null for customers that an import brought.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Phone number, as E.164: `+442079460000`.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// The role, which gives the permissions.
    async fn role(&self, ctx: &Context<'_>) -> Result<Role> {
        let role = ctx.loaders().row(self.0.role_id).await?;
        role.map(role_object).ok_or_else(|| Error::Internal("a user without a role".into()))
    }

    /// The website the user came from; null for staff of all.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.source_website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// Where they come from: the website, and what it calls them; null for staff of all.
    async fn source(&self, ctx: &Context<'_>) -> Result<Option<Source>> {
        let Some(website) = self.0.source_website_id else { return Ok(None) };
        Ok(Some(self.source_lookup().primary(ctx, website, self.can_view_source(ctx, website)).await?))
    }

    /// The websites that know them, each once, the one they came from first, and what each calls them: somebody may be a
    /// customer of several.
    #[graphql(complexity = "3 * child_complexity")]
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Source>> {
        self.source_lookup().all(ctx, self.0.source_website_id, |website| self.can_view_source(ctx, website)).await
    }

    /// Whether the e-mail address was confirmed to be theirs.
    fn is_email_verified(&self) -> bool {
        self.0.email_verified_at.is_some()
    }

    /// Where you are logged in, the last used first, at most 100. Yours alone: empty for other people and for API keys.
    #[graphql(complexity = "3 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let rows = ctx.loaders().group::<SessionsByUser, _>(self.0.id).await?;
        Ok(rows.iter().cloned().map(session).collect())
    }

    /// Your API keys, the latest first, at most 50; revoked ones are gone. Yours alone: empty for other people and for keys.
    #[graphql(complexity = "3 * child_complexity")]
    async fn api_keys(&self, ctx: &Context<'_>) -> Result<Vec<ApiKey>> {
        let keys = ctx.loaders().group::<ApiKeysByUser, _>(self.0.id).await?;
        Ok(keys.iter().cloned().map(api_key).collect())
    }

    /// Whether the account can be used; false after `userDeactivate`.
    fn is_active(&self) -> bool {
        self.0.is_active
    }

    /// The postal addresses, at most 50, oldest first.
    #[graphql(complexity = "3 * child_complexity")]
    async fn addresses(&self, ctx: &Context<'_>) -> Result<Vec<Address>> {
        let rows = ctx.loaders().group::<AddressesByUser, _>(self.0.id).await?;
        Ok(rows.iter().cloned().map(address).collect())
    }

    /// The user's orders that you may see, by default the latest first.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<OrderWhere, OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = orders::list_from_args(list_args)?;
        orders::of_parent(ctx, OrderParent::User, self.0.id.key(), list).await
    }

    /// What they say of products, as far as you may see it, by default the latest first.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ReviewWhere, ReviewOrder>,
    ) -> Result<Connection<Review>> {
        let list = reviews::list_from_args(list_args)?;
        reviews::of_parent(ctx, ReviewParent::User, self.0.id.key(), list).await
    }

    /// When the account was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

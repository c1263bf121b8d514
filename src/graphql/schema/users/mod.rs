//! GraphQL type of users and their related objects.

pub mod address;
pub mod country;

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

/// A user: a customer, seller or staff member.
#[derive(Clone)]
pub struct User(Arc<UserRow>);

impl User {
    fn source_lookup(&self) -> SourceLookup<UserId> {
        SourceLookup { resource_type: SourceType::User, id: self.0.id, created_at: self.0.created_at }
    }

    /// Returns whether the viewer may see the user's external ID at this website.
    fn can_view_source(&self, ctx: &Context<'_>, website: WebsiteId) -> bool {
        ctx.viewer().account() == Some(self.0.id) || ctx.viewer().can_at(Permission::ManageUsers, website)
    }
}

resource! {
    User(user) by UserId of UserRow,
    |conn, context, ids| users::store::by_ids(conn, &context.user_scope(), &ids), row => row.id,
}

/// A user: a customer, seller or staff member. Visible to the user and to staff with `MANAGE_USERS`.
#[object]
impl User {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Full name of the user.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Email address, in lower case with its domain in ASCII. Unique among accounts; an imported customer has the address of
    /// the file until an account confirms it and takes the customer over. Null for imported customers without one.
    fn email(&self) -> Option<&str> {
        self.0.shown_email()
    }

    /// Phone number in E.164 format, such as `+442079460000`; null if unknown.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Role of the user, which determines the permissions.
    async fn role(&self, ctx: &Context<'_>) -> Result<Role> {
        let role = ctx.loaders().row(self.0.role_id).await?;
        role.map(role_object).ok_or_else(|| Error::Internal("user refers to a missing role".into()))
    }

    /// Website where the user originates; null for users who belong to no single website.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.source_website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// Source of the user: the website and the user's external ID there; null for users who belong to no single
    /// website.
    async fn source(&self, ctx: &Context<'_>) -> Result<Option<Source>> {
        let Some(website) = self.0.source_website_id else { return Ok(None) };
        Ok(Some(self.source_lookup().primary(ctx, website, self.can_view_source(ctx, website)).await?))
    }

    /// Sources of the user at all websites, each website once, starting with `sourceWebsite`. A user can be a customer
    /// of several websites.
    #[graphql(complexity = "3 * child_complexity")]
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Source>> {
        self.source_lookup().all(ctx, self.0.source_website_id, |website| self.can_view_source(ctx, website)).await
    }

    /// Whether the user has confirmed the email address.
    fn is_email_verified(&self) -> bool {
        self.0.email_verified_at.is_some()
    }

    /// Active sessions of the user, last used first, at most 100. Visible to the user only; empty for other viewers and
    /// for API keys.
    #[graphql(complexity = "3 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let rows = ctx.loaders().group::<SessionsByUser, _>(self.0.id).await?;
        Ok(rows.iter().cloned().map(session).collect())
    }

    /// API keys of the user, newest first, at most 50, without revoked keys. Visible to the user only; empty for other
    /// viewers and for API keys.
    #[graphql(complexity = "3 * child_complexity")]
    async fn api_keys(&self, ctx: &Context<'_>) -> Result<Vec<ApiKey>> {
        let keys = ctx.loaders().group::<ApiKeysByUser, _>(self.0.id).await?;
        Ok(keys.iter().cloned().map(api_key).collect())
    }

    /// Whether the account is active; false after `userDeactivate`.
    fn is_active(&self) -> bool {
        self.0.is_active
    }

    /// Postal addresses of the user, oldest first, at most 50.
    #[graphql(complexity = "3 * child_complexity")]
    async fn addresses(&self, ctx: &Context<'_>) -> Result<Vec<Address>> {
        let rows = ctx.loaders().group::<AddressesByUser, _>(self.0.id).await?;
        Ok(rows.iter().cloned().map(address).collect())
    }

    /// Orders of the user that the viewer may see, newest first by default.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<OrderWhere, OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = orders::list_from_args(ctx, list_args, None).await?;
        orders::of_parent(ctx, OrderParent::User, self.0.id.key(), list).await
    }

    /// Reviews of the user that the viewer may see, newest first by default.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ReviewWhere, ReviewOrder>,
    ) -> Result<Connection<Review>> {
        let list = reviews::list_from_args(list_args)?;
        reviews::of_parent(ctx, ReviewParent::User, self.0.id.key(), list).await
    }

    /// When the account was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the user was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

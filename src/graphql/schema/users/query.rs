//! Lists of users: filters, orders, queries.

use async_graphql::{Context, ID};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::{Filter, Op},
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter, StringFilter},
            guards::LoginGuard,
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::{
            context::ContextExt,
            users::{User, user},
        },
    },
    ids::{RowId, UserId},
    paging::Direction,
    text,
    users::{
        model::{UserCondition, UserOrderField},
        store::{self, UserList},
    },
};

where_input! {
    /// Which users. Several fields hold together.
    UserWhere {
        /// By id.
        id: Option<IdFilter>,
        /// By name.
        name: Option<StringFilter>,
        /// By e-mail address, in either case.
        email: Option<StringFilter>,
        /// By role.
        role: Option<IdFilter>,
        /// By the website they came from.
        source_website: Option<IdFilter>,
        /// By whether the account can be used.
        is_active: Option<bool>,
        /// By when the account was made.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for UserWhere {
    type Condition = UserCondition;

    fn into_filter(self) -> Result<Filter<UserCondition>> {
        use UserCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, C::Id)?;
        filter.text("name", self.name, C::Name)?;
        filter.text("email", self.email, |email| C::Email(canonical(email)))?;
        filter.id("role", self.role, C::Role)?;
        filter.id("sourceWebsite", self.source_website, C::SourceWebsite)?;
        filter.condition(self.is_active.map(C::IsActive));
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

/// An e-mail address as it is stored; what is no address stays, and equals none.
fn canonical(email: Op<String>) -> Op<String> {
    let one = |email: String| text::normalize_email("email", &email).unwrap_or(email);
    match email {
        Op::Eq(email) => Op::Eq(one(email)),
        Op::In(emails) => Op::In(emails.into_iter().map(one).collect()),
        other => other,
    }
}

order_by! {
    /// The order of a list of users.
    UserOrder by UserOrderField
}

/// Queries of users.
#[derive(Default)]
pub struct UserQuery;

#[object]
impl UserQuery {
    /// You; null where you are not logged in.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = ctx.viewer().user_id() else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// One user that you may see: yourself, for staff with MANAGE_USERS anybody. Null otherwise.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "Their id.")] id: ID) -> Result<Option<User>> {
        let id = UserId::parse("id", &id)?;
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// The users that you may see, by default the latest first: yourself, for staff with MANAGE_USERS everybody.
    /// Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn users(&self, ctx: &Context<'_>, list_args: ListArgs<UserWhere, UserOrder>) -> Result<Connection<User>> {
        let list: UserList = list_args.into_list((UserOrderField::CreatedAt, Direction::Desc), UserOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageUsers);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), user).await
    }
}

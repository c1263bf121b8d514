//! Filters, sort orders and queries of user lists.

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
            access::role::RoleFilter,
            context::ContextExt,
            users::{User, user},
            websites::WebsiteFilter,
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
    /// Filters for users; conditions are combined with AND.
    UserWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by email address; upper and lower case match each other.
        email: Option<StringFilter>,
        /// Filter by role.
        role: Option<RoleFilter>,
        /// Filter by the website where the user originates.
        source_website: Option<WebsiteFilter>,
        /// Filter by whether the account is active.
        is_active: Option<bool>,
        /// Filter by creation time.
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
        RoleFilter::add(self.role, &mut filter, "role", C::Role)?;
        WebsiteFilter::add(self.source_website, &mut filter, "sourceWebsite", C::SourceWebsite)?;
        filter.condition(self.is_active.map(C::IsActive));
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

/// Normalizes the email addresses of a condition as they are stored. An invalid address is kept and matches nothing.
fn canonical(email: Op<String>) -> Op<String> {
    let one = |email: String| text::normalize_email("email", &email).unwrap_or(email);
    match email {
        Op::Eq(email) => Op::Eq(one(email)),
        Op::In(emails) => Op::In(emails.into_iter().map(one).collect()),
        other => other,
    }
}

order_by! {
    /// Sort order of users.
    UserOrder by UserOrderField
}

/// Query root for users.
#[derive(Default)]
pub struct UserQuery;

#[object]
impl UserQuery {
    /// Returns the logged-in user; null if the viewer is not logged in. An API key needs `MANAGE_USERS` and gets its
    /// owner; `FORBIDDEN` otherwise.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        // Whoever is not logged in gets null, without a statement that says so.
        ctx.depend_on_unknown();
        let Some(id) = ctx.viewer().user_id() else { return Ok(None) };
        ctx.viewer().require_account_or(Permission::ManageUsers)?;
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Returns a user by ID. Users see themselves; `MANAGE_USERS` allows any user. Null if the user does not exist or
    /// is not visible to the viewer.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "ID of the user.")] id: ID) -> Result<Option<User>> {
        let id = UserId::parse("id", &id)?;
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Lists the users that the viewer may see, newest first by default: only the viewer, or all users with
    /// `MANAGE_USERS`. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn users(&self, ctx: &Context<'_>, list_args: ListArgs<UserWhere, UserOrder>) -> Result<Connection<User>> {
        let list: UserList = list_args.into_list((UserOrderField::CreatedAt, Direction::Desc), UserOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageUsers);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), user).await
    }
}

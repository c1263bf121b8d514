//! Users, their addresses and roles in the graph; registering and logging in.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject, TypeName};
use chrono::{DateTime, Utc};

use super::{
    address::{Address, address},
    connection::{Connection, connect, cost, list, wants_total},
    container::{Ordered, Plain},
    context::ContextExt,
    filters::{Conditions, DateTimeFilter, IdFilter, StringFilter},
    guards::{LoggedIn, Needs},
    order::{self, Order, OrderOrder, OrderWhere},
    payload::{UserError, divide, payload},
    product::optional_id,
    scalars::global,
    website::{Website, website},
};
use crate::{
    access::{
        self,
        model::{NewAccount, Role as RoleRow},
    },
    auth::Permission,
    db::filter::Filter,
    error::{Error, Result},
    ids::{RowId, UserId},
    orders::model::OrderParent,
    paging::{Cursor, Direction},
    users::{
        model::{UserCondition, UserOrderField, UserPatch, UserRow},
        store::{self, UserList},
    },
};

/// See [`UserObject`].
pub type User = Ordered<UserObject>;

/// A person: customer or staff.
#[derive(Clone)]
pub struct UserObject(Arc<UserRow>);

impl Plain for UserObject {
    const PLAIN: &'static [&'static str] =
        &["id", "name", "email", "phone", "externalId", "isActive", "createdAt", "updatedAt"];
}

/// The object of a row.
pub fn user(row: impl Into<Arc<UserRow>>) -> User {
    Ordered(UserObject(row.into()))
}

/// A person: customer or staff. You see yourself; staff with MANAGE_USERS see everybody.
#[Object(name = "User")]
impl UserObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// E-mail address, unique in either case; null for customers that an import brought.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Phone number.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// The role, which gives the permissions.
    async fn role(&self, ctx: &Context<'_>) -> Result<Role> {
        let role = ctx.loaders().roles.load(self.0.role_id).await?;
        role.map(role_object).ok_or_else(|| Error::Internal("a user without a role".into()))
    }

    /// The website the user came from; null for staff of all.
    async fn source_website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.source_website_id else { return Ok(None) };
        Ok(ctx.loaders().websites.load(id).await?.map(website))
    }

    /// The customer's number at that website, where an import brought them.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Whether the account can be used; false after `userDeactivate`.
    async fn is_active(&self) -> bool {
        self.0.is_active
    }

    /// The postal addresses, at most 50, oldest first.
    #[graphql(complexity = "3 * child_complexity")]
    async fn addresses(&self, ctx: &Context<'_>) -> Result<Vec<Address>> {
        let rows = ctx.loaders().addresses_by_user.load(self.0.id).await?;
        Ok(rows.iter().flat_map(|rows| rows.iter()).cloned().map(address).collect())
    }

    /// The user's orders that you may see, by default the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<OrderWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<OrderOrder>,
    ) -> Result<Connection<Order>> {
        let list = order::list_of(first, after, last, before, r#where, order_by)?;
        order::of_parent(ctx, OrderParent::User, self.0.id.key(), list).await
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// See [`RoleObject`].
pub type Role = Ordered<RoleObject>;

/// What a group of users may do.
#[derive(Clone)]
pub struct RoleObject(Arc<RoleRow>);

impl Plain for RoleObject {
    const PLAIN: &'static [&'static str] = &["id", "code", "name", "description", "permissions", "isBuiltin"];
}

/// The object of a role.
pub fn role_object(role: Arc<RoleRow>) -> Role {
    Ordered(RoleObject(role))
}

/// What a group of users may do.
#[Object(name = "Role")]
impl RoleObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.row.id)
    }

    /// Short name, unique.
    async fn code(&self) -> &str {
        &self.0.row.code
    }

    /// Name for people.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// What it is for.
    async fn description(&self) -> &str {
        &self.0.row.description
    }

    /// What it gives.
    async fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().collect()
    }

    /// Whether it came with Souk.
    async fn is_builtin(&self) -> bool {
        self.0.row.is_builtin
    }
}

/// Which users. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct UserWhere {
    /// All of these hold.
    and: Option<Vec<UserWhere>>,
    /// At least one of these holds.
    or: Option<Vec<UserWhere>>,
    /// This does not hold.
    not: Option<Box<UserWhere>>,
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

impl UserWhere {
    fn filter(self) -> Result<Filter<UserCondition>> {
        use UserCondition as C;
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("id", self.id, C::Id)?;
        all.text("name", self.name, C::Name)?;
        all.text("email", self.email, C::Email)?;
        all.id("role", self.role, C::Role)?;
        all.id("sourceWebsite", self.source_website, C::SourceWebsite)?;
        all.is(self.is_active.map(C::IsActive));
        all.time(self.created_at, C::CreatedAt);
        all.all()
    }
}

/// The order of a list of users.
#[derive(Debug, InputObject)]
pub struct UserOrder {
    /// By what.
    field: UserOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

/// Queries of users.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// You; null where you are not logged in.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = ctx.viewer().user_id() else { return Ok(None) };
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// One user that you may see: yourself, for staff with MANAGE_USERS anybody. Null otherwise.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "Their id.")] id: ID) -> Result<Option<User>> {
        let id = UserId::parse("id", &id)?;
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// The users that you may see, by default the latest first: yourself, for staff with MANAGE_USERS everybody.
    /// Requires being logged in.
    #[graphql(complexity = "cost(first, last, child_complexity)", guard = "LoggedIn")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<UserWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<UserOrder>,
    ) -> Result<Connection<User>> {
        let order = order_by.map_or((UserOrderField::CreatedAt, Direction::Desc), |by| (by.field, by.direction));
        let list: UserList =
            list(first, after, last, before, r#where.unwrap_or_default().filter()?, order, UserOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ManageUsers);
        let total = async {
            if !wants_total(ctx) {
                return Ok(None);
            }
            ctx.db().read(async |conn| store::count(conn, scope, &list).await).await.map(Some)
        };
        let rows = ctx.db().read(async |conn| store::page(conn, scope, &list).await);
        let (rows, total) = futures_util::future::try_join(rows, total).await?;
        let cursor = |row: &UserRow| Cursor::new(list.page.list, list.order.key(row), row.id.key());
        Ok(connect(list.page.finish(rows), total, cursor, user))
    }
}

/// A new account for yourself.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Name for people, 1 to 255 characters.
    name: String,
    /// E-mail address to log in with, unique in either case.
    email: String,
    /// Password: 10 to 200 characters, not all the same.
    password: String,
    /// Phone number.
    phone: Option<String>,
    /// The website you come from.
    source_website_id: Option<ID>,
}

/// Who logs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// E-mail address, in either case.
    email: String,
    /// Password.
    password: String,
}

/// A new account for somebody else.
#[derive(InputObject)]
pub struct UserCreateInput {
    /// Name for people, 1 to 255 characters.
    name: String,
    /// E-mail address to log in with, unique in either case.
    email: String,
    /// Password: 10 to 200 characters, not all the same; without one the account cannot log in.
    password: Option<String>,
    /// Phone number.
    phone: Option<String>,
    /// The code of the role; `customer` where absent. Nobody gives a role that holds more than they hold.
    role: Option<String>,
    /// The website they come from.
    source_website_id: Option<ID>,
}

/// A change of a user: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct UserUpdateInput {
    /// Which user.
    id: ID,
    /// Name for people, 1 to 255 characters.
    name: Option<String>,
    /// Phone number.
    phone: MaybeUndefined<String>,
    /// E-mail address; for staff only.
    email: Option<String>,
}

/// Which user to deactivate.
#[derive(Debug, InputObject)]
pub struct UserDeactivateInput {
    /// Which user.
    id: ID,
}

payload! {
    /// The answer of `register`.
    RegisterPayload / RegisterObject {
        /// The new account; log in to see it through `me`.
        user: User
    }
}
payload! {
    /// The answer of `userCreate`.
    UserCreatePayload / UserCreateObject {
        /// The new user.
        user: User
    }
}
payload! {
    /// The answer of `userUpdate`.
    UserUpdatePayload / UserUpdateObject {
        /// The user as they are now.
        user: User
    }
}
payload! {
    /// The answer of `userDeactivate`.
    UserDeactivatePayload / UserDeactivateObject {
        /// The user, not active any more.
        user: User
    }
}

/// See [`LoginObject`].
pub type LoginPayload = Ordered<LoginObject>;

/// The answer of `login`.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct LoginObject {
    /// Send it as `Authorization: Bearer <accessToken>`.
    access_token: Option<String>,
    /// From then on the token is refused.
    expires_at: Option<DateTime<Utc>>,
    /// Who logged in.
    user: Option<User>,
    /// The rules that the input broke; empty where you are logged in.
    user_errors: Vec<UserError>,
}

impl TypeName for LoginObject {
    fn type_name() -> std::borrow::Cow<'static, str> {
        "LoginPayload".into()
    }
}

impl Plain for LoginObject {}

/// Mutations of users.
#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Makes an account for yourself, with the role `customer`.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to be.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        let registered = async {
            let new = NewAccount {
                name: input.name,
                email: input.email,
                phone: input.phone,
                password: Some(input.password),
                source_website: optional_id("sourceWebsiteId", input.source_website_id)?,
            };
            access::actions::register(ctx.db(), &ctx.services().passwords, new).await
        };
        RegisterObject::of(registered.await.map(user))
    }

    /// Logs in. An unknown e-mail address, a wrong password and a deactivated account answer the same.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who logs in.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        let services = ctx.services();
        let login =
            access::actions::login(&services.db, &services.passwords, &services.jwt, &input.email, input.password);
        let (login, user_errors) = divide(login.await)?;
        let (access_token, expires_at, who) = match login {
            Some(login) => (Some(login.token.token), Some(login.token.expires_at), Some(user(login.user))),
            None => (None, None, None),
        };
        Ok(Ordered(LoginObject { access_token, expires_at, user: who, user_errors }))
    }

    /// Makes an account for somebody else. Requires MANAGE_USERS.
    #[graphql(guard = "Needs(&[Permission::ManageUsers])")]
    async fn user_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to be.")] input: UserCreateInput,
    ) -> Result<UserCreatePayload> {
        let created = async {
            let new = NewAccount {
                name: input.name,
                email: input.email,
                phone: input.phone,
                password: input.password,
                source_website: optional_id("sourceWebsiteId", input.source_website_id)?,
            };
            access::actions::create_user(ctx.db(), &ctx.services().passwords, ctx.viewer(), new, input.role).await
        };
        UserCreateObject::of(created.await.map(user))
    }

    /// Changes a user: yourself, or with MANAGE_USERS somebody who holds no more than you. Requires being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn user_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UserUpdateInput,
    ) -> Result<UserUpdatePayload> {
        let updated = async {
            let id = UserId::parse("id", &input.id)?;
            let patch = UserPatch { name: input.name, phone: input.phone.into(), email: input.email, is_active: None };
            access::actions::update_user(ctx.db(), ctx.viewer(), id, patch).await
        };
        UserUpdateObject::of(updated.await.map(user))
    }

    /// Deactivates a user: yourself, or with MANAGE_USERS somebody who holds no more than you. They cannot log in any
    /// more; their orders stay. Requires being logged in.
    #[graphql(guard = "LoggedIn")]
    async fn user_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user.")] input: UserDeactivateInput,
    ) -> Result<UserDeactivatePayload> {
        let deactivated = async {
            let id = UserId::parse("id", &input.id)?;
            access::actions::deactivate_user(ctx.db(), ctx.viewer(), id).await
        };
        UserDeactivateObject::of(deactivated.await.map(user))
    }
}

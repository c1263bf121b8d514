//! Roles: their permissions, their websites and their assignment to users.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    access::{
        self,
        actions::roles::{self, GrantPatch},
        model::{NewRole, Role as RoleRow, RoleCondition, RoleOrderField, RolePatch},
        store,
    },
    auth::Permission,
    db::filter::{Filter, Op},
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{FilterBuilder, IdFilter, StringFilter},
            guards::{LoginGuard, PermissionGuard},
            list_args::{ListArgs, Where, order_by, where_input},
            patch,
            payload::payload,
            scalars::{global_id, parse_ids},
        },
        schema::{
            context::ContextExt,
            resource::resource,
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::{CodeOrId, RoleId, RowId, UserId},
};

/// A set of permissions that users have.
#[derive(Clone)]
pub struct Role(Arc<RoleRow>);

/// Creates the object of a role.
pub fn role_object(role: impl Into<Arc<RoleRow>>) -> Role {
    Role(role.into())
}

resource! {
    Role by RoleId of RoleRow,
    |conn, context, ids| access::store::roles::by_ids(conn, &ids), role => role.row.id,
    |_, row| Some(role_object(row)),
    when |ctx| ctx.viewer().user_id().is_some(),
}

/// A set of permissions that users have. Every user has exactly one role.
#[object]
impl Role {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.row.id)
    }

    /// Unique code of the role, such as `manager`.
    fn code(&self) -> &str {
        &self.0.row.code
    }

    /// Display name of the role.
    fn name(&self) -> &str {
        &self.0.row.name
    }

    /// Description of the role.
    fn description(&self) -> &str {
        &self.0.row.description
    }

    /// Permissions that the role grants.
    fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().collect()
    }

    /// Websites that the role is restricted to: for other websites, its users see only what is public. Empty if the
    /// role is valid for all websites.
    #[graphql(complexity = "3 * child_complexity")]
    async fn websites(&self, ctx: &Context<'_>) -> Result<Vec<Website>> {
        let loads = self.0.websites.iter().flat_map(|ids| ids.iter()).map(|id| ctx.loaders().row(*id));
        Ok(futures_util::future::try_join_all(loads).await?.into_iter().flatten().map(website).collect())
    }

    /// Whether the role is built in. Built-in roles cannot be changed or deleted.
    fn is_builtin(&self) -> bool {
        self.0.row.is_builtin
    }
}

/// Input for `roleCreate`.
#[derive(Debug, InputObject)]
pub struct RoleCreateInput {
    /// Unique code, which cannot be changed later: a lower-case letter followed by up to 49 characters of `a-z`, `0-9`,
    /// `_` and `-`.
    code: String,
    /// Display name, 1 to 255 characters.
    name: String,
    /// Description, at most 1,000 characters. Defaults to an empty text.
    #[graphql(default)]
    description: String,
    /// Permissions that the role grants, each of which the viewer must have.
    permissions: Vec<Permission>,
    /// Websites to restrict the role to, at most 100. Defaults to all websites.
    #[graphql(default)]
    websites: Vec<ID>,
}

/// Input for `roleUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct RoleUpdateInput {
    /// ID of the role. Built-in roles cannot be changed.
    id: ID,
    /// Display name, 1 to 255 characters. Cannot be null.
    name: MaybeUndefined<String>,
    /// Description, at most 1,000 characters. Cannot be null.
    description: MaybeUndefined<String>,
    /// Permissions that replace the current ones, each of which the viewer must have. Removed permissions are revoked
    /// immediately; added ones apply when a user's token is renewed. Cannot be null.
    permissions: MaybeUndefined<Vec<Permission>>,
    /// Websites that replace the current ones, at most 100. An empty list or null makes the role valid for all
    /// websites.
    websites: MaybeUndefined<Vec<ID>>,
}

/// Input for `roleDelete`.
#[derive(Debug, InputObject)]
pub struct RoleDeleteInput {
    /// ID of the role. It must not be built in or assigned to any user.
    id: ID,
}

/// Input for `userRoleSet`.
#[derive(Debug, InputObject)]
pub struct UserRoleSetInput {
    /// ID of the user, who must not have more permissions than the viewer.
    user_id: ID,
    /// Code or ID of the role, which must not grant more permissions than the viewer has.
    role: String,
}

payload! {
    /// Result of `roleCreate`.
    RoleCreatePayload {
        /// The created role.
        role: Role
    }
}
payload! {
    /// Result of `roleUpdate`.
    RoleUpdatePayload {
        /// The updated role.
        role: Role
    }
}
payload! {
    /// Result of `roleDelete`.
    RoleDeletePayload {
        /// The deleted role.
        role: Role
    }
}
payload! {
    /// Result of `userRoleSet`.
    UserRoleSetPayload {
        /// The user with the new role.
        user: User
    }
}

where_input! {
    /// Filters for roles; conditions are combined with AND.
    RoleWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by code.
        code: Option<StringFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by whether the role is built in.
        is_builtin: Option<bool>,
    }
}

impl Where for RoleWhere {
    type Condition = RoleCondition;

    fn into_filter(self) -> Result<Filter<RoleCondition>> {
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, RoleCondition::Id)?;
        filter.text("code", self.code, RoleCondition::Code)?;
        filter.text("name", self.name, RoleCondition::Name)?;
        filter.condition(self.is_builtin.map(RoleCondition::IsBuiltin));
        filter.build()
    }
}

/// Filter by role; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct RoleFilter {
    /// Matches the role with this code or ID, such as `manager`.
    eq: Option<String>,
    /// Matches any of the roles with these codes or IDs (at most 100).
    r#in: Option<Vec<String>>,
}

impl RoleFilter {
    /// Adds the conditions of the filter to those of a list.
    /// # Errors
    /// A user error for too many roles.
    pub fn add<C>(
        filter: Option<Self>,
        list: &mut FilterBuilder<C>,
        field: &str,
        condition: impl Fn(Op<CodeOrId<RoleId>>) -> C,
    ) -> Result<()> {
        let Some(Self { eq, r#in }) = filter else { return Ok(()) };
        let role = |name: String| CodeOrId::new(&name);
        list.choice(field, eq.map(role), r#in.map(|names| names.into_iter().map(role).collect()), condition)
    }
}

order_by! {
    /// Sort order of roles.
    RoleOrder by RoleOrderField
}

/// Queries of roles.
#[derive(Default)]
pub struct RoleQuery;

#[object]
impl RoleQuery {
    /// Roles, by default sorted by code. Requires a logged-in user.
    #[graphql(guard = "LoginGuard")]
    async fn roles(&self, ctx: &Context<'_>, list_args: ListArgs<RoleWhere, RoleOrder>) -> Result<Connection<Role>> {
        let list = list_args.into_list(Default::default(), RoleOrderField::list)?;
        let rows = ctx.db().read(async |conn| store::roles::page_with_grants(conn, &list).await);
        let count = ctx.db().read(async |conn| store::roles::count(conn, &list).await);
        root_connection(ctx, &list.page, rows, count, |role| (list.order.key(role), role.row.id), role_object).await
    }
}

/// Mutations of roles.
#[derive(Default)]
pub struct RoleMutation;

#[object]
impl RoleMutation {
    /// Creates a role. The viewer cannot grant permissions that they do not have. Requires `MANAGE_ROLES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn role_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role to create.")] input: RoleCreateInput,
    ) -> Result<RoleCreatePayload> {
        let created = async {
            let grant = GrantPatch {
                permissions: Some(input.permissions.into_iter().collect()),
                websites: Some(parse_ids("websites", &input.websites)?),
            };
            let new = NewRole { code: input.code, name: input.name, description: input.description };
            roles::create(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), new, grant).await
        };
        RoleCreatePayload::of(created.await.map(role_object))
    }

    /// Updates a role that is not built in. Requires `MANAGE_ROLES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn role_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the role.")] input: RoleUpdateInput,
    ) -> Result<RoleUpdatePayload> {
        let updated = async {
            let id = RoleId::parse("id", &input.id)?;
            let patch = RolePatch {
                name: patch::required("name", input.name)?,
                description: patch::required("description", input.description)?,
            };
            let websites = match input.websites {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Vec::new()),
                MaybeUndefined::Value(websites) => Some(parse_ids("websites", &websites)?),
            };
            let permissions = patch::required("permissions", input.permissions)?;
            let grant = GrantPatch { permissions: permissions.map(|all| all.into_iter().collect()), websites };
            roles::update(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id, patch, grant).await
        };
        RoleUpdatePayload::of(updated.await.map(role_object))
    }

    /// Deletes a role that is not assigned to any user. Requires `MANAGE_ROLES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn role_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role to delete.")] input: RoleDeleteInput,
    ) -> Result<RoleDeletePayload> {
        let deleted = async {
            let id = RoleId::parse("id", &input.id)?;
            roles::delete(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id).await
        };
        RoleDeletePayload::of(deleted.await.map(role_object))
    }

    /// Assigns a role to a user, in place of their current role. The last admin cannot be given another role. Requires
    /// `MANAGE_ROLES`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn user_role_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the role.")] input: UserRoleSetInput,
    ) -> Result<UserRoleSetPayload> {
        let set = async {
            let (user, role) = (UserId::parse("userId", &input.user_id)?, CodeOrId::new(&input.role));
            roles::assign(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), user, &role).await
        };
        UserRoleSetPayload::of(set.await.map(user))
    }
}

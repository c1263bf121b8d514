//! Roles in the graph: what they give, where, and to whom.

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
    db::filter::Filter,
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
    ids::{RoleId, RowId, UserId},
};

/// What a group of users may do.
#[derive(Clone)]
pub struct Role(Arc<RoleRow>);

/// The object of a role.
pub fn role_object(role: impl Into<Arc<RoleRow>>) -> Role {
    Role(role.into())
}

resource! {
    Role by RoleId of RoleRow,
    |conn, context, ids| access::store::roles::by_ids(conn, &ids), role => role.row.id,
    |_, row| Some(role_object(row)),
    when |ctx| ctx.viewer().user_id().is_some(),
}

/// What a group of users may do.
#[object]
impl Role {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.row.id)
    }

    /// Short name, unique.
    fn code(&self) -> &str {
        &self.0.row.code
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.0.row.name
    }

    /// What it is for.
    fn description(&self) -> &str {
        &self.0.row.description
    }

    /// What it gives.
    fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().collect()
    }

    /// The websites that it is limited to: of other websites its users see what everybody sees. Empty where it counts
    /// everywhere.
    #[graphql(complexity = "3 * child_complexity")]
    async fn websites(&self, ctx: &Context<'_>) -> Result<Vec<Website>> {
        let loads = self.0.websites.iter().flat_map(|ids| ids.iter()).map(|id| ctx.loaders().row(*id));
        Ok(futures_util::future::try_join_all(loads).await?.into_iter().flatten().map(website).collect())
    }

    /// Whether it came with Souk, and stays as it is.
    fn is_builtin(&self) -> bool {
        self.0.row.is_builtin
    }
}

/// A new role.
#[derive(Debug, InputObject)]
pub struct RoleCreateInput {
    /// Short name, unique and for good: a letter and up to 49 more of a-z, 0-9, `_` and `-`.
    code: String,
    /// Name for people, 1 to 255 characters.
    name: String,
    /// What it is for, at most 1,000 characters.
    #[graphql(default)]
    description: String,
    /// What it gives: no more than you hold.
    permissions: Vec<Permission>,
    /// The websites that it is limited to, at most 100; everywhere without.
    #[graphql(default)]
    websites: Vec<ID>,
}

/// A change of a role: an absent field stays.
#[derive(Debug, InputObject)]
pub struct RoleUpdateInput {
    /// Which role; the built-in ones stay as they are.
    id: ID,
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// What it is for, at most 1,000 characters.
    description: MaybeUndefined<String>,
    /// What it gives from now on, all of it. Less counts at once, more when a token is renewed.
    permissions: MaybeUndefined<Vec<Permission>>,
    /// The websites that it is limited to from now on, all of them; everywhere where empty or null.
    websites: MaybeUndefined<Vec<ID>>,
}

/// Which role to delete.
#[derive(Debug, InputObject)]
pub struct RoleDeleteInput {
    /// Which role: one of your own that nobody has.
    id: ID,
}

/// Who gets which role.
#[derive(Debug, InputObject)]
pub struct UserRoleSetInput {
    /// Who: somebody who holds no more than you.
    user_id: ID,
    /// Which role: one that gives no more than you hold.
    role_id: ID,
}

payload! {
    /// The answer of `roleCreate`.
    RoleCreatePayload {
        /// The new role.
        role: Role
    }
}
payload! {
    /// The answer of `roleUpdate`.
    RoleUpdatePayload {
        /// The role as it is now.
        role: Role
    }
}
payload! {
    /// The answer of `roleDelete`.
    RoleDeletePayload {
        /// The role as it was.
        role: Role
    }
}
payload! {
    /// The answer of `userRoleSet`.
    UserRoleSetPayload {
        /// The user with the new role.
        user: User
    }
}

where_input! {
    /// Which roles. Several fields hold together.
    RoleWhere {
        /// By id.
        id: Option<IdFilter>,
        /// By code.
        code: Option<StringFilter>,
        /// By name.
        name: Option<StringFilter>,
        /// By whether it came with Souk.
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

order_by! {
    /// The order of a list of roles.
    RoleOrder by RoleOrderField
}

/// Queries of roles.
#[derive(Default)]
pub struct RoleQuery;

#[object]
impl RoleQuery {
    /// The roles, by default by code. Requires being logged in.
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
    /// Makes a role. Nobody grants more than they hold. Requires MANAGE_ROLES.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn role_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role to be.")] input: RoleCreateInput,
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

    /// Changes a role of your own making. Requires MANAGE_ROLES.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn role_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: RoleUpdateInput,
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

    /// Deletes a role that nobody has. Requires MANAGE_ROLES.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn role_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which role.")] input: RoleDeleteInput,
    ) -> Result<RoleDeletePayload> {
        let deleted = async {
            let id = RoleId::parse("id", &input.id)?;
            roles::delete(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), id).await
        };
        RoleDeletePayload::of(deleted.await.map(role_object))
    }

    /// Gives a user another role. The last admin stays one. Requires MANAGE_ROLES.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageRoles])")]
    async fn user_role_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which role.")] input: UserRoleSetInput,
    ) -> Result<UserRoleSetPayload> {
        let set = async {
            let (user, role) = (UserId::parse("userId", &input.user_id), RoleId::parse("roleId", &input.role_id));
            roles::assign(ctx.db(), &ctx.services().permission_cache, ctx.viewer(), user?, role?).await
        };
        UserRoleSetPayload::of(set.await.map(user))
    }
}

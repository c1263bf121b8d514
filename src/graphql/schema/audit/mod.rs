//! The audit log, for viewers who may read it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    audit::{
        self,
        model::{AuditCondition, AuditOrderField, AuditRow, Change, ResourceType, with_global_ids},
        store::{self, AuditList},
    },
    auth::{Permission, Scope},
    db::{actor::ActorKind, filter::Filter},
    error::{Error, Result},
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, OrderBy, build_list, order_by, where_input},
            scalars::{Json, global_id},
        },
        schema::{
            context::ContextExt,
            resource::resource,
            users::{User, user},
            websites::{Website, WebsiteFilter, website},
        },
    },
    ids::AuditEntryId,
    paging::Direction,
};

/// An entry of the audit log.
#[derive(Clone)]
pub struct AuditEntry(Arc<AuditRow>);

resource! {
    AuditEntry(audit_entry) by AuditEntryId of AuditRow,
    |conn, context, ids| audit::store::by_ids(conn, &context.scope(Permission::ViewAuditLog), &ids), row => row.id,
}

/// A recorded change of a resource. Entries are never changed; only erasing a user removes their personal data from
/// them.
#[object]
impl AuditEntry {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// When the change was made (UTC). It is the start of the transaction, and the same for all its changes.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// User who made the change. Null if no user is known or the viewer may not see the user.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Authentication method of the user, or the process that made the change.
    fn via(&self) -> ActorKind {
        self.0.via
    }

    /// ID of the API key that was used; null unless `via` is `API_KEY`.
    fn api_key_id(&self) -> Option<ID> {
        self.0.api_key_id.map(global_id)
    }

    /// IP address of the client. Null if there was none or after the user was erased.
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// ID of the request, as in responses and log messages. For `COMMAND_LINE`, the name of the command.
    fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Type of the changed resource.
    fn resource_type(&self) -> ResourceType {
        self.0.resource_type
    }

    /// ID of the changed resource. A deleted resource can no longer be queried.
    fn resource_id(&self) -> ID {
        ID(self.0.resource_global_id())
    }

    /// Website that the resource belongs to. Null if it belongs to no single website or the viewer may not see it.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// Kind of change.
    fn change(&self) -> Change {
        self.0.change
    }

    /// Previous values of the changed columns, by column name; all columns for `DELETED`, null for `CREATED`. IDs are
    /// global IDs, amounts are strings, and secrets are "(hidden)".
    fn before(&self) -> Option<Json> {
        self.0.before.clone().map(with_global_ids).map(Json)
    }

    /// New values of the changed columns, by column name; all columns for `CREATED`, null for `DELETED`, the row counts
    /// for `IMPORTED`. IDs are global IDs, amounts are strings, and secrets are "(hidden)".
    fn after(&self) -> Option<Json> {
        self.0.after.clone().map(with_global_ids).map(Json)
    }
}

/// Filter by resource type; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct AuditResourceTypeFilter {
    /// Matches this value.
    eq: Option<ResourceType>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<ResourceType>>,
}

/// Filter by authentication method; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct AuditViaFilter {
    /// Matches this value.
    eq: Option<ActorKind>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<ActorKind>>,
}

where_input! {
    /// Filters for audit log entries; conditions are combined with AND.
    AuditWhere {
        /// Filter by the user who made the change; `isNull: true` matches changes without a known user. A user who is
        /// not visible to the viewer counts as not known.
        user: Option<IdFilter>,
        /// Filter by authentication method.
        via: Option<AuditViaFilter>,
        /// Filter by type of the changed resource.
        resource_type: Option<AuditResourceTypeFilter>,
        /// Only changes of the resource with this ID.
        resource_id: Option<ID>,
        /// Filter by website; `isNull: true` matches resources that belong to no single website.
        website: Option<WebsiteFilter>,
        /// Filter by time of the change.
        at: Option<DateTimeFilter>,
    }
}

impl AuditWhere {
    /// Converts the filter, for a viewer who may see the users of this scope.
    fn filter(self, users: &Scope) -> Result<Filter<AuditCondition>> {
        use AuditCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, |nested| nested.filter(users))?;
        filter.id("user", self.user, |user| C::User(users.clone(), user))?;
        let (via, resource_type) = (self.via.unwrap_or_default(), self.resource_type.unwrap_or_default());
        filter.choice("via", via.eq, via.r#in, C::Via)?;
        filter.choice("resourceType", resource_type.eq, resource_type.r#in, C::ResourceType)?;
        if let Some(id) = self.resource_id {
            let invalid_id = || Error::bad_input("where.resourceId", "not the ID of an audited resource");
            let (resource_type, key) = ResourceType::of(&id).ok_or_else(invalid_id)?;
            filter.condition(Some(C::Resource(resource_type, key)));
        }
        WebsiteFilter::add(self.website, &mut filter, "website", C::Website)?;
        filter.time(self.at, C::At);
        filter.build()
    }
}

order_by! {
    /// Sort order of audit log entries.
    AuditOrder by AuditOrderField
}

/// Queries of the audit log.
#[derive(Default)]
pub struct AuditQuery;

#[object]
impl AuditQuery {
    /// Audit log, by default sorted by time, newest first. A role that is restricted to websites sees only the entries
    /// of these websites. Requires `VIEW_AUDIT_LOG`.
    #[graphql(guard = "PermissionGuard(&[Permission::ViewAuditLog])")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<AuditWhere, AuditOrder>,
    ) -> Result<Connection<AuditEntry>> {
        let filter = list_args.filter.unwrap_or_default().filter(&ctx.viewer().scope(Permission::ManageUsers))?;
        let order = list_args.order.map_or((AuditOrderField::At, Direction::Desc), OrderBy::into_parts);
        let list: AuditList = build_list(list_args.page, filter, order, AuditOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ViewAuditLog);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), audit_entry).await
    }
}

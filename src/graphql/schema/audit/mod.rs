//! The audit log in the graph, for those who may read it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Json};
use chrono::{DateTime, Utc};
use serde_json::Value;
use souk_macros::object;

use crate::{
    audit::{
        self,
        model::{AuditCondition, AuditOrderField, AuditRow, Change, ResourceType, with_global_ids},
        store::{self, AuditList},
    },
    auth::Permission,
    db::{
        actor::ActorKind,
        filter::{Filter, Op},
    },
    error::{Error, Result},
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
            scalars::global_id,
        },
        schema::{
            context::ContextExt,
            resource::resource,
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::AuditEntryId,
    paging::Direction,
};

/// Who changed what.
#[derive(Clone)]
pub struct AuditEntry(Arc<AuditRow>);

resource! {
    AuditEntry(audit_entry) by AuditEntryId of AuditRow,
    |conn, context, ids| audit::store::by_ids(conn, &context.scope(Permission::ViewAuditLog), &ids), row => row.id,
}

/// Who changed what. Entries are never changed; only erasing a person takes their data out of them.
#[object]
impl AuditEntry {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// When: the beginning of the transaction, the same for all that it changed.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// Who; null where it was nobody known, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// By what they were known.
    fn via(&self) -> ActorKind {
        self.0.via
    }

    /// The id of the API key that was used; null for all but API_KEY.
    fn api_key_id(&self) -> Option<ID> {
        self.0.api_key_id.map(global_id)
    }

    /// The client's address; null where there was none, and once the user was erased.
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The id of the request, as answers and log lines have it; the name of the command for COMMAND_LINE.
    fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What was changed.
    fn resource_type(&self) -> ResourceType {
        self.0.resource_type
    }

    /// Its id; what was deleted has no node any more.
    fn resource_id(&self) -> ID {
        ID(self.0.resource_global_id())
    }

    /// The website that it belongs to; null for what belongs to all of them.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// What became of it.
    fn change(&self) -> Change {
        self.0.change
    }

    /// What changed, by column, as it was; everything for DELETED, null for CREATED. Ids are those of the graph, amounts
    /// are texts, and secrets are "(hidden)".
    fn before(&self) -> Option<Json<Value>> {
        self.0.before.clone().map(with_global_ids).map(Json)
    }

    /// What changed, by column, as it became; everything for CREATED, null for DELETED, the counts for IMPORTED. Ids are
    /// those of the graph, amounts are texts, and secrets are "(hidden)".
    fn after(&self) -> Option<Json<Value>> {
        self.0.after.clone().map(with_global_ids).map(Json)
    }
}

/// Conditions on what was changed. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct AuditResourceTypeFilter {
    /// It is this one.
    eq: Option<ResourceType>,
    /// It is one of these.
    r#in: Option<Vec<ResourceType>>,
}

/// Conditions on by what somebody was known. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct AuditViaFilter {
    /// It is this one.
    eq: Option<ActorKind>,
    /// It is one of these.
    r#in: Option<Vec<ActorKind>>,
}

where_input! {
    /// Which entries. Several fields hold together.
    AuditWhere {
        /// By who changed it; `isNull: true` for nobody known.
        user: Option<IdFilter>,
        /// By what they were known.
        via: Option<AuditViaFilter>,
        /// By what was changed.
        resource_type: Option<AuditResourceTypeFilter>,
        /// By the id of the very thing that was changed.
        resource_id: Option<ID>,
        /// By the website that it belongs to; `isNull: true` for what belongs to all.
        website: Option<IdFilter>,
        /// By when.
        at: Option<DateTimeFilter>,
    }
}

impl Where for AuditWhere {
    type Condition = AuditCondition;

    fn into_filter(self) -> Result<Filter<AuditCondition>> {
        use AuditCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("user", self.user, C::User)?;
        let (via, resource_type) = (self.via.unwrap_or_default(), self.resource_type.unwrap_or_default());
        filter.condition(via.eq.map(|via| C::Via(Op::Eq(via))));
        filter.condition(via.r#in.map(|any| C::Via(Op::In(any))));
        filter.condition(resource_type.eq.map(|resource_type| C::ResourceType(Op::Eq(resource_type))));
        filter.condition(resource_type.r#in.map(|any| C::ResourceType(Op::In(any))));
        if let Some(id) = self.resource_id {
            let invalid_id =
                || Error::bad_input("where.resourceId", "this is not the id of anything that the log tells of");
            let (resource_type, key) = ResourceType::of(&id).ok_or_else(invalid_id)?;
            filter.condition(Some(C::Resource(resource_type, key)));
        }
        filter.id("website", self.website, C::Website)?;
        filter.time(self.at, C::At);
        filter.build()
    }
}

order_by! {
    /// The order of the log.
    AuditOrder by AuditOrderField
}

/// Queries of the audit log.
#[derive(Default)]
pub struct AuditQuery;

#[object]
impl AuditQuery {
    /// Who changed what, by default the latest first: everything, or what belongs to the websites that your role is limited
    /// to. Requires VIEW_AUDIT_LOG.
    #[graphql(guard = "PermissionGuard(&[Permission::ViewAuditLog])")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<AuditWhere, AuditOrder>,
    ) -> Result<Connection<AuditEntry>> {
        let list: AuditList = list_args.into_list((AuditOrderField::At, Direction::Desc), AuditOrderField::list)?;
        let scope = ctx.viewer().scope(Permission::ViewAuditLog);
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), audit_entry).await
    }
}

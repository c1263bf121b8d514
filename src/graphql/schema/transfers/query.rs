//! Filters, sort orders and queries of lists of imports and exports.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    db::filter::Filter,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::{
            context::ContextExt,
            transfers::{Transfer, transfer},
            websites::WebsiteFilter,
        },
    },
    ids::{RowId, TransferId},
    paging::Direction,
    transfers::{
        model::Resource,
        runs::{
            model::{
                Status, TRANSFER_PERMISSIONS, TransferCondition, TransferDirection, TransferOrderField, TransferScope,
            },
            store::{self, TransferList},
        },
    },
};

/// Filter by direction.
#[derive(Debug, Default, InputObject)]
pub struct TransferDirectionFilter {
    /// Matches this value.
    eq: Option<TransferDirection>,
}

/// Filter by resource type; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct TransferResourceFilter {
    /// Matches this value.
    eq: Option<Resource>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<Resource>>,
}

/// Filter by status; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct TransferStatusFilter {
    /// Matches this value.
    eq: Option<Status>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<Status>>,
}

where_input! {
    /// Filters for transfers; conditions are combined with AND.
    TransferWhere {
        /// Filter by direction.
        direction: Option<TransferDirectionFilter>,
        /// Filter by resource type.
        resource: Option<TransferResourceFilter>,
        /// Filter by status.
        status: Option<TransferStatusFilter>,
        /// Filter by website.
        website: Option<WebsiteFilter>,
        /// Filter by creation time.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for TransferWhere {
    type Condition = TransferCondition;

    fn into_filter(self) -> Result<Filter<TransferCondition>> {
        use TransferCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        let (resource, status) = (self.resource.unwrap_or_default(), self.status.unwrap_or_default());
        filter.choice("direction", self.direction.and_then(|direction| direction.eq), None, C::Direction)?;
        filter.choice("resource", resource.eq, resource.r#in, C::Resource)?;
        filter.choice("status", status.eq, status.r#in, C::Status)?;
        WebsiteFilter::add(self.website, &mut filter, "website", C::Website)?;
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// Sort order of transfers.
    TransferOrder by TransferOrderField
}

/// Query root for transfers.
#[derive(Default)]
pub struct TransferQuery;

#[object]
impl TransferQuery {
    /// Returns an import or export by ID. Null if it does not exist or is not visible to the viewer. Requires
    /// `MANAGE_PRODUCTS`, `MANAGE_CATALOGUE`, `MANAGE_USERS`, `MANAGE_ORDERS`, `MANAGE_STOCK`, `MANAGE_REVIEWS` or
    /// `MANAGE_WEBSITES`.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the transfer.")] id: ID,
    ) -> Result<Option<Transfer>> {
        Ok(ctx.loaders().row(TransferId::parse("id", &id)?).await?.map(transfer))
    }

    /// Lists imports and exports, newest first by default, of the resource types and websites that the viewer's
    /// permissions cover. Requires `MANAGE_PRODUCTS`, `MANAGE_CATALOGUE`, `MANAGE_USERS`, `MANAGE_ORDERS`,
    /// `MANAGE_STOCK`, `MANAGE_REVIEWS` or `MANAGE_WEBSITES`.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn transfers(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<TransferWhere, TransferOrder>,
    ) -> Result<Connection<Transfer>> {
        let list: TransferList =
            list_args.into_list((TransferOrderField::CreatedAt, Direction::Desc), TransferOrderField::list)?;
        let scope = TransferScope::of(ctx.viewer());
        let rows = ctx.db().read(async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), transfer).await
    }
}

//! Lists of imports and exports.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    db::filter::{Filter, Op},
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::{
            context::ContextExt,
            transfers::{Transfer, transfer},
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

/// Conditions on the direction of a transfer.
#[derive(Debug, Default, InputObject)]
pub struct TransferDirectionFilter {
    /// It is this one.
    eq: Option<TransferDirection>,
}

/// Conditions on what a transfer moves. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct TransferResourceFilter {
    /// It is this one.
    eq: Option<Resource>,
    /// It is one of these.
    r#in: Option<Vec<Resource>>,
}

/// Conditions on where a transfer stands. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct TransferStatusFilter {
    /// It is this one.
    eq: Option<Status>,
    /// It is one of these.
    r#in: Option<Vec<Status>>,
}

where_input! {
    /// Which transfers. Several fields hold together.
    TransferWhere {
        /// By which way it goes.
        direction: Option<TransferDirectionFilter>,
        /// By what is moved.
        resource: Option<TransferResourceFilter>,
        /// By where it stands.
        status: Option<TransferStatusFilter>,
        /// By website.
        website: Option<IdFilter>,
        /// By when it was begun.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for TransferWhere {
    type Condition = TransferCondition;

    fn into_filter(self) -> Result<Filter<TransferCondition>> {
        use TransferCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        let (resource, status) = (self.resource.unwrap_or_default(), self.status.unwrap_or_default());
        filter.condition(
            self.direction.and_then(|direction| direction.eq).map(|direction| C::Direction(Op::Eq(direction))),
        );
        filter.condition(resource.eq.map(|resource| C::Resource(Op::Eq(resource))));
        filter.condition(resource.r#in.map(|any| C::Resource(Op::In(any))));
        filter.condition(status.eq.map(|status| C::Status(Op::Eq(status))));
        filter.condition(status.r#in.map(|any| C::Status(Op::In(any))));
        filter.id("website", self.website, C::Website)?;
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// The order of a list of transfers.
    TransferOrder by TransferOrderField
}

/// Queries of transfers.
#[derive(Default)]
pub struct TransferQuery;

#[object]
impl TransferQuery {
    /// An import or export; null where there is none of this id, or not for you. Requires a permission to move something:
    /// MANAGE_PRODUCTS, MANAGE_CATALOGUE, MANAGE_USERS, MANAGE_ORDERS, MANAGE_STOCK, MANAGE_REVIEWS or MANAGE_WEBSITES.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn transfer(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Transfer>> {
        Ok(ctx.loaders().row(TransferId::parse("id", &id)?).await?.map(transfer))
    }

    /// The imports and exports of what you may move, at the websites where you may; by default the latest first. Requires
    /// MANAGE_PRODUCTS, MANAGE_CATALOGUE, MANAGE_USERS, MANAGE_ORDERS, MANAGE_STOCK, MANAGE_REVIEWS or MANAGE_WEBSITES.
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

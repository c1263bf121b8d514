//! Lists of reviews: filters, orders, queries.

use async_graphql::{Context, InputObject};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::{Filter, Op},
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter, IntFilter},
            guards::PermissionGuard,
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::{
            context::ContextExt,
            loaders::connection_of,
            reviews::{Review, ReviewPages, review},
        },
    },
    ids::RowId,
    paging::{Cursor, Direction},
    reviews::{
        model::{ReviewCondition, ReviewOrderField, ReviewParent, ReviewRow, ReviewStatus},
        store::{self, ReviewList},
    },
};

/// Conditions on where a review stands. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct ReviewStatusFilter {
    /// It is this one.
    eq: Option<ReviewStatus>,
    /// It is one of these.
    r#in: Option<Vec<ReviewStatus>>,
}

where_input! {
    /// Which reviews. Several fields hold together.
    ReviewWhere {
        /// By product.
        product: Option<IdFilter>,
        /// By the website that sells the product.
        source_website: Option<IdFilter>,
        /// By stars.
        rating: Option<IntFilter>,
        /// By where it stands.
        status: Option<ReviewStatusFilter>,
        /// By whether the author had bought the product.
        is_verified_purchase: Option<bool>,
        /// By when it was made.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for ReviewWhere {
    type Condition = ReviewCondition;

    fn into_filter(self) -> Result<Filter<ReviewCondition>> {
        use ReviewCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("product", self.product, C::Product)?;
        filter.id("sourceWebsite", self.source_website, C::SourceWebsite)?;
        filter.int(self.rating, C::Rating);
        let status = self.status.unwrap_or_default();
        filter.condition(status.eq.map(|status| C::Status(Op::Eq(status))));
        filter.condition(status.r#in.map(|any| C::Status(Op::In(any))));
        filter.condition(self.is_verified_purchase.map(C::IsVerifiedPurchase));
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// The order of a list of reviews.
    ReviewOrder by ReviewOrderField
}

/// Reads the arguments of a list of reviews; the latest come first by default.
/// # Errors
/// User errors naming the argument.
pub fn list_from_args(list_args: ListArgs<ReviewWhere, ReviewOrder>) -> Result<ReviewList> {
    list_args.into_list((ReviewOrderField::CreatedAt, Direction::Desc), ReviewOrderField::list)
}

fn cursor(list: &ReviewList, row: &ReviewRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// The reviews of a product or user, batched over all of them.
/// # Errors
/// Those of the statements.
pub async fn of_parent(
    ctx: &Context<'_>,
    parent: ReviewParent,
    id: i64,
    list: ReviewList,
) -> Result<Connection<Review>> {
    connection_of::<ReviewPages, _>(ctx, parent, id, list, cursor, review).await
}

/// Queries of reviews.
#[derive(Default)]
pub struct ReviewQuery;

#[object]
impl ReviewQuery {
    /// The reviews of all products, by default the latest first: with `status: {eq: PENDING}` those that wait for staff.
    /// A role that is limited to some websites sees the approved ones of the others. Requires MANAGE_REVIEWS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageReviews])")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ReviewWhere, ReviewOrder>,
    ) -> Result<Connection<Review>> {
        let list = list_from_args(list_args)?;
        let scope = ctx.viewer().scope(Permission::ManageReviews);
        let plans = store::plans(&scope, &list);
        let rows = ctx.db().read_with(plans, async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read_with(plans, async |conn| store::count(conn, &scope, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), review).await
    }
}

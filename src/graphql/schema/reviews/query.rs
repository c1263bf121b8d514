//! Filters, sort orders and queries of review lists.

use async_graphql::{Context, InputObject};
use souk_macros::object;

use crate::{
    auth::Permission,
    db::filter::Filter,
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
            nested_lists::connection_of,
            reviews::{Review, ReviewPages, review},
            websites::WebsiteFilter,
        },
    },
    ids::RowId,
    paging::{Cursor, Direction},
    reviews::{
        model::{ReviewCondition, ReviewOrderField, ReviewParent, ReviewRow, ReviewStatus},
        store::{self, ReviewList},
    },
};

/// Filter by moderation status; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct ReviewStatusFilter {
    /// Matches this value.
    eq: Option<ReviewStatus>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<ReviewStatus>>,
}

where_input! {
    /// Filters for reviews; conditions are combined with AND.
    ReviewWhere {
        /// Filter by product.
        product: Option<IdFilter>,
        /// Filter by the website that sells the product.
        source_website: Option<WebsiteFilter>,
        /// Filter by rating in stars.
        rating: Option<IntFilter>,
        /// Filter by moderation status.
        status: Option<ReviewStatusFilter>,
        /// Filter by whether the author had bought the product.
        is_verified_purchase: Option<bool>,
        /// Filter by creation time.
        created_at: Option<DateTimeFilter>,
    }
}

impl Where for ReviewWhere {
    type Condition = ReviewCondition;

    fn into_filter(self) -> Result<Filter<ReviewCondition>> {
        use ReviewCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("product", self.product, C::Product)?;
        WebsiteFilter::add(self.source_website, &mut filter, "sourceWebsite", C::SourceWebsite)?;
        filter.int(self.rating, C::Rating);
        let status = self.status.unwrap_or_default();
        filter.choice("status", status.eq, status.r#in, C::Status)?;
        filter.condition(self.is_verified_purchase.map(C::IsVerifiedPurchase));
        filter.time(self.created_at, C::CreatedAt);
        filter.build()
    }
}

order_by! {
    /// Sort order of reviews.
    ReviewOrder by ReviewOrderField
}

/// Reads the arguments of a list of reviews; the default order is newest first.
/// # Errors
/// Returns user errors that name the argument.
pub fn list_from_args(list_args: ListArgs<ReviewWhere, ReviewOrder>) -> Result<ReviewList> {
    list_args.into_list((ReviewOrderField::CreatedAt, Direction::Desc), ReviewOrderField::list)
}

fn cursor(list: &ReviewList, row: &ReviewRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// Returns the reviews of a product or user, batched over all parents.
/// # Errors
/// Returns the errors of the statements.
pub async fn of_parent(
    ctx: &Context<'_>,
    parent: ReviewParent,
    id: i64,
    list: ReviewList,
) -> Result<Connection<Review>> {
    connection_of::<ReviewPages, _>(ctx, parent, id, list, cursor, review).await
}

/// Query root for reviews.
#[derive(Default)]
pub struct ReviewQuery;

#[object]
impl ReviewQuery {
    /// Lists the reviews of all products, newest first by default. Use `status: {eq: PENDING}` to list reviews that
    /// await moderation. Staff whose role is limited to some websites see only approved reviews of the others. Requires
    /// `MANAGE_REVIEWS`.
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

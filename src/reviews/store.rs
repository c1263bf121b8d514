//! All statements on reviews.
//! Visibility by scope: everyone sees approved reviews, a user also their own, website staff also those of products
//! sold there, `All` every review.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{count_star, exists},
    prelude::*,
};
use diesel_async::RunQueryDsl;

use super::model::{
    NewReview, RatingCount, ReviewCondition, ReviewOrderField, ReviewParent, ReviewPatch, ReviewRow, ReviewStatus,
};
use crate::{
    auth::{Permission, Scope},
    db::{
        Conn, PlanMode,
        export::{Export, columns, utc_timestamp},
        filter::{Condition, Filter, Op, constant},
        list_statements::list_statements,
        sql::{CountUpTo, ParentId, PerParent, op},
        tables::{order_details, orders, products, reviews, websites},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{ProductId, ReviewId, UserId, WebsiteId},
    websites::model::WebsiteOp,
};

/// Order statuses in which the customer counts as a buyer.
const PURCHASED_STATUSES: [&str; 3] = ["confirmed", "shipped", "delivered"];

fn visible(scope: &Scope) -> Condition<'static, reviews::table> {
    let approved = reviews::status.eq(ReviewStatus::Approved);
    match scope {
        Scope::All => constant(true),
        Scope::Public | Scope::Guest(_) => Box::new(approved),
        Scope::Own(user) | Scope::Seller { own: user, .. } => Box::new(approved.or(reviews::user_id.eq(*user))),
        Scope::Websites(user, websites) => {
            Box::new(approved.or(reviews::user_id.eq(*user)).or(sold_at(websites.to_vec())))
        }
    }
}

fn sold_at(websites: Vec<WebsiteId>) -> Condition<'static, reviews::table> {
    let sold = products::table
        .filter(products::id.eq(reviews::product_id))
        .filter(products::source_website_id.eq_any(websites));
    Box::new(exists(sold))
}

fn condition(condition: &ReviewCondition) -> Condition<'static, reviews::table> {
    use ReviewCondition as C;
    match condition {
        C::Product(product) => op!(product, reviews::product_id),
        C::SourceWebsite(WebsiteOp::Id(Op::Eq(website))) => sold_at(vec![*website]),
        C::SourceWebsite(WebsiteOp::Id(Op::In(websites))) => sold_at(websites.clone()),
        C::SourceWebsite(WebsiteOp::Id(other)) => constant(*other == Op::IsNull(false)),
        C::SourceWebsite(WebsiteOp::Code(code)) => {
            let sold = products::table
                .inner_join(websites::table)
                .filter(products::id.eq(reviews::product_id))
                .filter(websites::code.eq(code.clone()));
            Box::new(exists(sold))
        }
        C::Rating(rating) => op!(rating, reviews::rating),
        C::Status(status) => op!(status, reviews::status),
        C::IsVerifiedPurchase(is_verified_purchase) => {
            Box::new(reviews::is_verified_purchase.eq(*is_verified_purchase))
        }
        C::CreatedAt(at) => op!(at, reviews::created_at),
    }
}

list_statements! {
    /// A list of reviews.
    ReviewList of ReviewRow in reviews where ReviewCondition by ReviewOrderField {
        CreatedAt => created_at: DateTime<Utc>,
        Rating => rating: i32,
    }
    for scope by visible
}

fn of_parent(rows: Rows, parent: ReviewParent) -> Rows {
    match parent {
        ReviewParent::Product => rows.filter(reviews::product_id.eq(ParentId)),
        ReviewParent::User => rows.filter(reviews::user_id.eq(ParentId)),
    }
}

/// Returns the plan mode of a list. Generic plans are kept for lists that an index returns in their order for any
/// value.
pub fn plans(scope: &Scope, list: &ReviewList) -> PlanMode {
    use ReviewCondition as C;
    let Filter::And(all) = &list.filter else { return PlanMode::Custom };
    let is_held = matches!(
        (all.as_slice(), list.order),
        ([], _) | ([Filter::Is(C::Status(Op::Eq(_)) | C::Product(Op::Eq(_)))], ReviewOrderField::CreatedAt)
    );
    if is_held && *scope == Scope::All { PlanMode::Generic } else { PlanMode::Custom }
}

/// Returns the visible reviews with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[ReviewId]) -> Result<Vec<ReviewRow>> {
    let query = reviews::table.filter(reviews::id.eq_any(ids)).select(ReviewRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns a page of the visible reviews of each parent, in one statement.
pub async fn pages_by_parent_ids(
    mut conn: &Conn,
    scope: &Scope,
    parent: ReviewParent,
    list: &ReviewList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, ReviewRow)>> {
    let query = on_page(of_parent(rows(scope, list), parent), list)?;
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Returns the number of visible reviews of each parent that match, in one statement.
pub async fn counts_by_parent_ids(
    mut conn: &Conn,
    scope: &Scope,
    parent: ReviewParent,
    list: &ReviewList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, i64)>> {
    let query = CountUpTo(of_parent(rows(scope, list), parent));
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Returns the number of approved reviews of these products per rating, without ratings that no review has.
pub async fn rating_counts_by_product_ids(mut conn: &Conn, ids: &[ProductId]) -> Result<Vec<RatingCount>> {
    let query = reviews::table
        .filter(reviews::product_id.eq_any(ids))
        .filter(reviews::status.eq(ReviewStatus::Approved))
        .group_by((reviews::product_id, reviews::rating))
        .select((reviews::product_id, reviews::rating, count_star()));
    let rows: Vec<(ProductId, i32, i64)> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(product, rating, count)| RatingCount { product, rating, count }).collect())
}

/// Returns whether a user has a confirmed, shipped or delivered order of this product.
pub async fn has_bought(mut conn: &Conn, user: UserId, product: ProductId) -> Result<bool> {
    let bought = order_details::table
        .inner_join(orders::table)
        .filter(order_details::product_id.eq(product))
        .filter(orders::user_id.assume_not_null().eq(user))
        .filter(orders::status.eq_any(PURCHASED_STATUSES));
    Ok(diesel::select(exists(bought)).get_result(&mut conn).await?)
}

/// Locks a review. The caller holds the lock of its product.
pub async fn lock(mut conn: &Conn, id: ReviewId) -> Result<Option<ReviewRow>> {
    let query = reviews::table.filter(reviews::id.eq(id)).select(ReviewRow::as_select());
    Ok(query.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Inserts a review. The database updates the product's rating.
/// # Errors
/// Returns TAKEN if the user has already reviewed the product.
pub async fn insert(mut conn: &Conn, new: &NewReview) -> Result<ReviewRow> {
    let query = diesel::insert_into(reviews::table).values(new).returning(ReviewRow::as_returning());
    query.get_result(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("reviews_product_id_user_id_key", || {
            let rule = "you have already reviewed this product. Update that review instead.";
            UserError::new(UserErrorCode::Taken, "productId", rule)
        })
    })
}

/// Updates a review and its status. The database updates the product's rating.
pub async fn update(
    mut conn: &Conn,
    id: ReviewId,
    patch: &ReviewPatch,
    status: ReviewStatus,
    is_verified_purchase: bool,
) -> Result<ReviewRow> {
    let changes = (patch, reviews::status.eq(status), reviews::is_verified_purchase.eq(is_verified_purchase));
    let query = diesel::update(reviews::table.find(id)).set(changes).returning(ReviewRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Updates the status of a review. The database updates the product's rating.
pub async fn update_status(mut conn: &Conn, id: ReviewId, status: ReviewStatus) -> Result<ReviewRow> {
    let query =
        diesel::update(reviews::table.find(id)).set(reviews::status.eq(status)).returning(ReviewRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Deletes a review. The database updates the product's rating.
pub async fn delete(mut conn: &Conn, id: ReviewId) -> Result<()> {
    diesel::delete(reviews::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes all reviews of a user. The database updates the products' ratings.
pub async fn delete_by_user(mut conn: &Conn, user: UserId) -> Result<()> {
    diesel::delete(reviews::table.filter(reviews::user_id.eq(user))).execute(&mut conn).await?;
    Ok(())
}

/// Returns all visible reviews of a user, oldest first.
pub async fn all_by_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<ReviewRow>> {
    let query = reviews::table
        .filter(reviews::user_id.eq(user))
        .order((reviews::created_at, reviews::id))
        .select(ReviewRow::as_select())
        .into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Export of reviews.
pub const REVIEWS: Export = Export {
    permission: Permission::ManageReviews,
    has_website: true,
    is_importable: false,
    with: "",
    table: "reviews v",
    joins: "JOIN products p ON p.id = v.product_id LEFT JOIN users u ON u.id = v.user_id AND ($2 IS NULL OR u.source_website_id = ANY ($2))
        LEFT JOIN sources s ON s.resource_type = 'User' AND s.resource_id = u.id AND s.website_id = p.source_website_id",
    filter: "v.product_id IN (SELECT q.id FROM products q WHERE q.source_website_id = ANY ($1))",
    order: "v.id",
    columns: columns! {
        sku: Text = "p.sku",
        customer_id: Text = "s.external_id",
        customer_email: Text = "coalesce(u.email, u.imported_email)",
        customer_name: Text = "u.name",
        rating: Integer = "v.rating",
        title: Text = "v.title",
        text: Text = "v.text",
        status: Text = "v.status",
        is_verified_purchase: Bool = "v.is_verified_purchase",
        created_at: Text = utc_timestamp!("v.created_at"),
    },
};

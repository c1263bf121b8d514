//! Every statement on the history of prices; the database alone writes it.
//! What a scope means here: `All` sees every entry, staff of some websites those of what is sold there, a seller those of
//! their own products, anybody else none.

use diesel::{pg::Pg, prelude::*};
use diesel_async::RunQueryDsl;

use super::model::PriceChangeRow;
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::Condition,
        sql::{CountUpTo, ParentId, PerParent},
        tables::price_changes,
    },
    error::Result,
    ids::{PriceChangeId, ProductId, RowId, UserId},
    latest,
    paging::Latest,
    products::store::history::visible_history,
};

type Rows = diesel::dsl::IntoBoxed<
    'static,
    diesel::dsl::Select<price_changes::table, diesel::dsl::AsSelect<PriceChangeRow, Pg>>,
    Pg,
>;

fn visible(scope: &Scope) -> Condition<'static, price_changes::table> {
    visible_history!(scope, price_changes::product_id)
}

fn of_product() -> Rows {
    price_changes::table.select(PriceChangeRow::as_select()).into_boxed().filter(price_changes::product_id.eq(ParentId))
}

/// The visible entries with these ids, in no order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[PriceChangeId]) -> Result<Vec<PriceChangeRow>> {
    let query =
        price_changes::table.filter(price_changes::id.eq_any(ids)).select(PriceChangeRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// A page of the history of each product, one statement.
pub async fn pages_by_product_ids(
    mut conn: &Conn,
    list: &Latest,
    products: Vec<i64>,
) -> Result<Vec<(i64, PriceChangeRow)>> {
    let query = latest!(of_product(), &list.page, price_changes::id);
    Ok(PerParent { parents: products, query }.load(&mut conn).await?)
}

/// How many entries each product has, one statement.
pub async fn counts_by_product_ids(mut conn: &Conn, products: Vec<i64>) -> Result<Vec<(i64, i64)>> {
    Ok(PerParent { parents: products, query: CountUpTo(of_product()) }.load(&mut conn).await?)
}

/// The entry of the present price of each product, one statement.
pub async fn latest_by_product_ids(mut conn: &Conn, products: &[ProductId]) -> Result<Vec<PriceChangeRow>> {
    let query = of_product().order(price_changes::id.desc()).limit(1);
    let parents = products.iter().map(|id| id.key()).collect();
    let rows: Vec<(i64, PriceChangeRow)> = PerParent { parents, query }.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// All prices that a user set, the oldest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<PriceChangeRow>> {
    let user = price_changes::user_id.is_not_null().and(price_changes::user_id.assume_not_null().eq(user));
    let query = price_changes::table.filter(user).order(price_changes::id).select(PriceChangeRow::as_select());
    Ok(query.load(&mut conn).await?)
}

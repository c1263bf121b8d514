//! All statements on the price history, which only the database writes.
//! Visibility by scope: `All` sees every entry, website staff those of products sold there, a seller those of their own
//! products, everyone else none.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::model::PriceChangeRow;
use crate::{
    auth::Scope,
    db::{
        Conn,
        sql::PerParent,
        tables::{price_changes, products, websites},
    },
    error::Result,
    ids::{PriceChangeId, ProductId, RowId, UserId},
    products::store::history::history,
};

history!(price_changes of PriceChangeRow by PriceChangeId);

/// Returns the entry of the current price of each product, in one statement.
pub async fn latest_by_product_ids(mut conn: &Conn, products: &[ProductId]) -> Result<Vec<PriceChangeRow>> {
    let query = of_product().order(price_changes::id.desc()).limit(1);
    let parents = products.iter().map(|id| id.key()).collect();
    let rows: Vec<(i64, PriceChangeRow)> = PerParent { parents, query }.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Returns all price changes made by a user, on limited websites those of products sold there, with the currencies of the prices, oldest first.
pub async fn all_by_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<(PriceChangeRow, String)>> {
    let user = price_changes::user_id.is_not_null().and(price_changes::user_id.assume_not_null().eq(user));
    let query = price_changes::table
        .inner_join(products::table.inner_join(websites::table))
        .filter(user)
        .order(price_changes::id)
        .select((PriceChangeRow::as_select(), websites::currency))
        .into_boxed();
    let query = match scope {
        Scope::Websites(_, websites) => query.filter(products::source_website_id.eq_any(websites.to_vec())),
        _ => query,
    };
    Ok(query.load(&mut conn).await?)
}

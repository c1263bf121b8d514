//! Statements on offers: the same item sold by several websites, or several times by one.
//! Rule: products are the same item if they have the same GTIN or are linked.

use std::sync::Arc;

use diesel::{
    QueryResult, Selectable,
    dsl::SqlTypeOf,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::BigInt,
};
use diesel_async::RunQueryDsl;

use super::{visible, writable};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::Condition,
        sql::{PerParent, nextval},
        tables::products,
    },
    error::Result,
    ids::{ProductId, RowId},
    products::model::{MAX_OFFERS, ProductRow},
};

type Columns = <ProductRow as Selectable<Pg>>::SelectExpression;

/// Query for the offers of the parent product, sorted by website and price.
struct Offers {
    columns: Columns,
    visible: Condition<'static, products::table>,
}

impl QueryId for Offers {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Offers {
    type SqlType = SqlTypeOf<Columns>;
}
impl QueryFragment<Pg> for Offers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(
            " FROM products AS me JOIN products ON products.id = me.id OR products.gtin = me.gtin OR products.linked_id = me.linked_id
                JOIN websites ON websites.id = products.source_website_id WHERE me.id = parents.id AND ",
        );
        self.visible.walk_ast(out.reborrow())?;
        out.push_sql(" ORDER BY websites.code, products.price, products.id LIMIT ");
        out.push_bind_param::<BigInt, _>(&MAX_OFFERS)
    }
}

/// Returns the visible offers of each of these products, at most [`MAX_OFFERS`] including the product itself, in one
/// statement.
pub async fn offers_by_product_ids(
    mut conn: &Conn,
    scope: &Scope,
    ids: &[ProductId],
) -> Result<Vec<(ProductId, Arc<ProductRow>)>> {
    let query = Offers { columns: <ProductRow as Selectable<Pg>>::construct_selection(), visible: visible(scope) };
    let parents = ids.iter().map(|id| id.key()).collect();
    let rows: Vec<(i64, ProductRow)> = PerParent { parents, query }.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(id, row)| (ProductId(id), Arc::new(row))).collect())
}

/// Returns those of these products that the scope may edit, each with its link.
pub async fn links(mut conn: &Conn, scope: &Scope, ids: &[ProductId]) -> Result<Vec<(ProductId, Option<i64>)>> {
    let query = products::table.select((products::id, products::linked_id)).into_boxed().filter(writable(scope));
    Ok(query.filter(products::id.eq_any(ids.to_vec())).load(&mut conn).await?)
}

/// Locks these products and all that share one of these links, in ID order; returns each with its link.
pub async fn lock_linked(mut conn: &Conn, ids: &[ProductId], links: &[i64]) -> Result<Vec<(ProductId, Option<i64>)>> {
    let named = products::id
        .eq_any(ids)
        .or(products::linked_id.is_not_null().and(products::linked_id.assume_not_null().eq_any(links)));
    let query = products::table.filter(named).order(products::id).select((products::id, products::linked_id));
    Ok(query.for_no_key_update().load(&mut conn).await?)
}

/// Returns a new link ID.
pub async fn new_link(mut conn: &Conn) -> Result<i64> {
    Ok(diesel::select(nextval("product_links")).get_result(&mut conn).await?)
}

/// Sets or clears the link of products.
pub async fn update_links(mut conn: &Conn, ids: &[ProductId], link: Option<i64>) -> Result<()> {
    let query = diesel::update(products::table.filter(products::id.eq_any(ids)));
    query.set(products::linked_id.eq(link)).execute(&mut conn).await?;
    Ok(())
}

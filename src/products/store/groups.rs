//! Statements on the products of groups.
//! Rule: the variants of a group and the first product of a group are chosen among the products that the viewer may
//! see.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;

use super::visible;
use crate::{
    auth::Scope,
    db::{Conn, filter::Condition, tables::products},
    error::Result,
    ids::ProductGroupId,
    paging::Direction,
    products::model::VariantRow,
};

/// Returns the visible variants of groups, oldest first.
pub async fn variants_by_group_ids(mut conn: &Conn, scope: &Scope, ids: &[ProductGroupId]) -> Result<Vec<VariantRow>> {
    let query = products::table.select(VariantRow::as_select()).into_boxed().filter(visible(scope));
    let query = query.filter(products::group_id.assume_not_null().eq_any(ids.to_vec()));
    Ok(query.order((products::group_id, products::id)).load(&mut conn).await?)
}

/// A condition: no other product of the group precedes this product in a list.
pub(super) struct FirstOfGroup {
    /// Sort key of the list.
    pub key: Box<dyn QueryFragment<Pg> + Send>,
    /// Sort direction of the list.
    pub direction: Direction,
    /// Condition on the rows of the list.
    pub condition: Condition<'static, products::table>,
}

impl Expression for FirstOfGroup {
    type SqlType = Bool;
}
impl AppearsOnTable<products::table> for FirstOfGroup {}
impl SelectableExpression<products::table> for FirstOfGroup {}
impl ValidGrouping<()> for FirstOfGroup {
    type IsAggregate = is_aggregate::No;
}
impl QueryId for FirstOfGroup {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl QueryFragment<Pg> for FirstOfGroup {
    /// `me` is built from the outer row, while `products` is the inner table. So key and condition have the same text
    /// at both places.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(products.group_id IS NULL OR NOT EXISTS (SELECT FROM (SELECT products.group_id AS group_id, ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(" AS key, products.id AS id) AS me, products WHERE products.group_id = me.group_id AND (");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(match self.direction {
            Direction::Asc => ", products.id) < (me.key, me.id) AND ",
            Direction::Desc => ", products.id) > (me.key, me.id) AND ",
        });
        self.condition.walk_ast(out.reborrow())?;
        out.push_sql("))");
        Ok(())
    }
}

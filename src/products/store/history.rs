//! The histories of a product: its stock ledger and its price history.
//! Visibility by scope: `All` sees every row, website staff those of products sold there, a seller those of their own
//! products, everyone else none.

/// Declares the statements on a history: `by_ids`, and for the nested list of a product `of_product`,
/// `pages_by_product_ids` and `counts_by_product_ids`.
macro_rules! history {
    ($table:ident of $row:ident by $id:ident) => {
        type Rows = $crate::db::sql::BoxedSelect<$table::table, $row>;

        fn visible(scope: &$crate::auth::Scope) -> $crate::db::filter::Condition<'static, $table::table> {
            use $crate::{auth::Scope, db::filter::constant, db::tables::products};
            let of = products::table.select(products::id).filter(products::id.eq($table::product_id));
            match scope {
                Scope::All => constant(true),
                Scope::Seller { seller, .. } => {
                    let own = products::seller_id.is_not_null().and(products::seller_id.assume_not_null().eq(*seller));
                    Box::new(diesel::dsl::exists(of.filter(own)))
                }
                Scope::Websites(_, websites) => {
                    Box::new(diesel::dsl::exists(of.filter(products::source_website_id.eq_any(websites.to_vec()))))
                }
                Scope::Own(_) | Scope::Guest(_) | Scope::Public => constant(false),
            }
        }

        fn of_product() -> Rows {
            let of_product = $table::product_id.eq($crate::db::sql::ParentId);
            $table::table.select($row::as_select()).into_boxed().filter(of_product)
        }

        /// Returns the visible rows with these ids, in no order.
        /// # Errors
        /// Returns the errors of the database.
        pub async fn by_ids(
            mut conn: &$crate::db::Conn,
            scope: &$crate::auth::Scope,
            ids: &[$id],
        ) -> $crate::error::Result<Vec<$row>> {
            let query = $table::table.filter($table::id.eq_any(ids)).select($row::as_select()).into_boxed();
            Ok(query.filter(visible(scope)).load(&mut conn).await?)
        }

        /// Returns a page of the history of each product, in one statement.
        /// # Errors
        /// Returns the errors of the database.
        pub async fn pages_by_product_ids(
            mut conn: &$crate::db::Conn,
            list: &$crate::paging::NewestFirst,
            products: Vec<i64>,
        ) -> $crate::error::Result<Vec<(i64, $row)>> {
            let query = $crate::paged!(of_product(), &list.page, $crate::paging::Direction::Desc, $table::id);
            Ok($crate::db::sql::PerParent { parents: products, query }.load(&mut conn).await?)
        }

        /// Returns the number of rows in the history of each product, in one statement.
        /// # Errors
        /// Returns the errors of the database.
        pub async fn counts_by_product_ids(
            mut conn: &$crate::db::Conn,
            products: Vec<i64>,
        ) -> $crate::error::Result<Vec<(i64, i64)>> {
            let query = $crate::db::sql::CountUpTo(of_product());
            Ok($crate::db::sql::PerParent { parents: products, query }.load(&mut conn).await?)
        }
    };
}
pub(crate) use history;

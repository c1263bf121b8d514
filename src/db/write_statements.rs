//! Statements that insert, update and delete single rows of a table, and find a free slug for a new one.
//! A store declares them with [`write_statements!`]; tables differ only in the constraints that can reject a row.

/// Declares `insert`, `update` and, with `deletable`, `delete` for a table in a store.
///
/// The store must have a function `refused`, which turns the violation of a constraint into a user error, and `by_ids`,
/// which reads rows.
macro_rules! write_statements {
    ($row:ident in $table:ident by $id:ident as $new:ident, $patch:ident $(, $deletable:ident)?) => {
        /// Inserts a row.
        /// # Errors
        /// Returns user errors for violated constraints of the table.
        pub async fn insert(mut conn: &$crate::db::Conn, new: &$new) -> $crate::error::Result<$row> {
            let query = diesel::insert_into($table::table).values(new).returning($row::as_returning());
            query.get_result(&mut conn).await.map_err(refused)
        }

        /// Updates a row; returns none if the id is unknown. An empty patch only reads the row, since SQL has no UPDATE
        /// without columns.
        /// # Errors
        /// Returns user errors for violated constraints of the table.
        pub async fn update(
            mut conn: &$crate::db::Conn,
            id: $id,
            patch: &$patch,
        ) -> $crate::error::Result<Option<$row>> {
            if patch.is_empty() {
                return Ok(by_ids(conn, &[id]).await?.pop());
            }
            let query = diesel::update($table::table.find(id)).set(patch).returning($row::as_returning());
            query.get_result(&mut conn).await.optional().map_err(refused)
        }

        $($crate::db::write_statements::write_statements!(@$deletable $table by $id);)?
    };
    (@deletable $table:ident by $id:ident) => {
        /// Deletes a row; returns false if the id is unknown.
        /// # Errors
        /// Returns user errors for violated constraints of the table.
        pub async fn delete(mut conn: &$crate::db::Conn, id: $id) -> $crate::error::Result<bool> {
            Ok(diesel::delete($table::table.find(id)).execute(&mut conn).await.map_err(refused)? == 1)
        }
    };
}
pub(crate) use write_statements;

/// Declares `free_slug` for a table in a store.
macro_rules! free_slug {
    ($table:ident) => {
        /// Returns the first of these slugs that no row has; the last one if all are taken. A concurrent transaction can
        /// still take it; see [`Error::retry_if_slug_taken`](crate::error::Error::retry_if_slug_taken).
        /// # Errors
        /// Returns the error of the database.
        pub async fn free_slug(mut conn: &$crate::db::Conn, candidates: [String; 3]) -> $crate::error::Result<String> {
            let query = $table::table.filter($table::slug.eq_any(&candidates)).select($table::slug);
            let taken: Vec<String> = query.load(&mut conn).await?;
            let [first, second, last] = candidates;
            Ok([first, second].into_iter().find(|slug| !taken.contains(slug)).unwrap_or(last))
        }
    };
}
pub(crate) use free_slug;

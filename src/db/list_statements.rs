//! Statements that read a page of a list and count its rows.
//! A store declares its list with [`list_statements!`]; lists differ in their conditions, sort columns and visible
//! rows.

/// Declares a list of a table in a store: its type, `page` and `count`, and for nested lists the helpers `rows` and
/// `on_page`.
///
/// The store must have a function `condition`, which translates a condition of the list to SQL. A column of names is
/// declared as `name by name_order`: it is sorted by that collation, and its index must be too. `for scope by visible`
/// adds the viewer's scope as a parameter and names the function that translates it to SQL.
macro_rules! list_statements {
    (
        $(#[$doc:meta])*
        $list:ident of $row:ident in $table:ident where $condition:ident by $order:ident {
            $($field:ident => $column:ident $(by $collation:ident)?: $type:ty),+ $(,)?
        }
        $(for $scope:ident by $visible:ident)?
    ) => {
        $(#[$doc])*
        pub type $list = $crate::paging::List<$condition, $order>;

        type Rows = $crate::db::sql::BoxedSelect<$table::table, $row>;

        /// Returns the rows of the list, without order and page.
        fn rows($($scope: &$crate::auth::Scope,)? list: &$list) -> Rows {
            let rows = $table::table.select($row::as_select()).into_boxed();
            $(let rows = if *$scope == $crate::auth::Scope::All { rows } else { rows.filter($visible($scope)) };)?
            if list.filter.is_empty() { rows } else { rows.filter(list.filter.condition(&condition)) }
        }

        /// Adds the order and the page of the list to a query.
        fn on_page(query: Rows, list: &$list) -> $crate::error::Result<Rows> {
            Ok(match list.order {
                $($order::$field => {
                    let column = $crate::db::list_statements::sort_column!($table::$column $(, $collation)?);
                    $crate::paged!(query, &list.page, list.direction, column, $type, $table::id)
                })+
            })
        }

        /// Returns a page of the list.
        /// # Errors
        /// Returns a user error if a cursor belongs to another list.
        pub async fn page(
            mut conn: &$crate::db::Conn,
            $($scope: &$crate::auth::Scope,)?
            list: &$list,
        ) -> $crate::error::Result<Vec<$row>> {
            Ok(on_page(rows($($scope,)? list), list)?.load(&mut conn).await?)
        }

        /// Returns the number of rows in the list, counted up to one more than [`crate::paging::MAX_COUNT`].
        /// # Errors
        /// Returns the error of the database.
        pub async fn count(
            mut conn: &$crate::db::Conn,
            $($scope: &$crate::auth::Scope,)?
            list: &$list,
        ) -> $crate::error::Result<i64> {
            Ok($crate::db::sql::CountUpTo(rows($($scope,)? list)).get_result(&mut conn).await?)
        }
    };
}
pub(crate) use list_statements;

/// Returns the expression that a list is sorted by.
macro_rules! sort_column {
    ($column:expr) => {
        $column
    };
    ($column:expr, name_order) => {
        $crate::db::sql::in_name_order($column)
    };
}
pub(crate) use sort_column;

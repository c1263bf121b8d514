//! Statements that insert any number of rows, passed as one array per column.
//! Rule: their text does not depend on the number of rows, so that they are prepared once per connection. Diesel's own
//! batch inserts are parsed and planned each time.

use diesel::{pg::Pg, query_builder::QueryFragment};

/// A statement that is run as a part of another one.
pub type Statement<'a> = Box<dyn QueryFragment<Pg> + Send + 'a>;

/// Declares a statement that inserts rows of a struct: `Name in table of Row { column: Type as SqlType, ... }`. The
/// value is the field with the name of the column, or the given one: `column: Type as SqlType = field` or `field.inner`.
macro_rules! insert_rows {
    (
        $(#[$doc:meta])*
        $name:ident in $table:ident of $row:ty {
            $($column:ident: $rust:ty as $sql:ty $(= $field:ident $(.$inner:ident)?)?),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            $($column: Vec<$rust>,)+
        }

        impl $name {
            /// Returns the statement for these rows; none if there are none.
            pub fn new(rows: &[$row]) -> Option<Self> {
                let mut insert = Self::default();
                for row in rows {
                    $(insert.$column.push($crate::db::insert_rows::insert_rows!(@value row $column $($field $(.$inner)?)?));)+
                }
                (!rows.is_empty()).then_some(insert)
            }
        }

        impl diesel::query_builder::QueryId for $name {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                let columns = [$(stringify!($column)),+].join(", ");
                out.push_sql(concat!("INSERT INTO ", stringify!($table), " ("));
                out.push_sql(&columns);
                out.push_sql(") SELECT * FROM unnest(");
                let mut separator = "";
                $(
                    out.push_sql(std::mem::replace(&mut separator, ", "));
                    out.push_bind_param::<diesel::sql_types::Array<$sql>, _>(&self.$column)?;
                )+
                out.push_sql(")");
                Ok(())
            }
        }
    };
    (@value $row:ident $column:ident) => { $row.$column.clone() };
    (@value $row:ident $column:ident $field:ident) => { $row.$field.clone() };
    (@value $row:ident $column:ident $field:ident.$inner:ident) => { $row.$field.$inner.clone() };
}
pub(crate) use insert_rows;

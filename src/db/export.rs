//! The definition of an export in a domain's store: permission, columns, source tables and order.
//! Rule: importing an exported value must restore it. Texts are exported unchanged, paths and pairs as JSON, timestamps
//! in UTC ([`utc_timestamp!`](utc_timestamp)).

use crate::auth::Permission;

/// A type of rows that can be exported, and possibly imported.
#[derive(Debug, Clone, Copy)]
pub struct Export {
    /// Permission required to export and import the rows.
    pub permission: Permission,
    /// Whether the rows belong to a website.
    pub has_website: bool,
    /// Whether the rows can be imported.
    pub is_importable: bool,
    /// Common table expressions for the joins, placed before `SELECT`; usually empty.
    pub with: &'static str,
    /// The table and its alias.
    pub table: &'static str,
    /// Joins with referenced tables.
    pub joins: &'static str,
    /// Condition that selects the rows; `$1` is the list of websites, null for all. `$2` is the list of websites whose
    /// users the viewer may see, null for all: other users count as null.
    pub filter: &'static str,
    /// Sort order; it must be unambiguous.
    pub order: &'static str,
    /// Columns, in the order of the file.
    pub columns: &'static [Column],
}

/// A column of an export file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in both file formats.
    pub name: &'static str,
    /// Type of its values.
    pub kind: Kind,
    /// SQL expression of its values.
    pub expression: &'static str,
}

/// The type of the values in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text; in CSV, texts that a spreadsheet would run as a formula are escaped.
    Text,
    /// A decimal number; a string in JSON.
    Decimal,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Names from the root down: `A > B`; a list of strings in JSON.
    Path,
    /// Texts: `wool | winter`; a list of strings in JSON.
    List,
    /// Names with values: `Size=M; Color=Red`; an object in JSON.
    Pairs,
    /// Image URLs with alternative texts: `https://a/b.jpg Front | https://a/c.jpg`; a list of `{url, alt}` in JSON.
    Images,
    /// Nested rows, as JSON in both formats.
    Json,
}

impl Export {
    /// Returns the statement that counts the rows.
    pub fn count(&self) -> String {
        format!("SELECT count(*) AS count FROM {} WHERE {}", self.table, self.filter)
    }

    /// Returns the statement that selects each row as an array of texts.
    pub fn select(&self) -> String {
        let Self { with, table, joins, filter, order, columns, .. } = self;
        let cells: Vec<_> = columns.iter().map(|column| format!("({})::text", column.expression)).collect();
        let cells = cells.join(", ");
        format!("{with} SELECT ARRAY[{cells}] AS cells FROM {table} {joins} WHERE {filter} ORDER BY {order}")
    }
}

/// Declares the columns of an export: `name: Kind = "expression"`.
macro_rules! columns {
    ($($name:ident: $kind:ident = $expression:expr,)*) => {
        &[$($crate::db::export::Column {
            name: stringify!($name),
            kind: $crate::db::export::Kind::$kind,
            expression: $expression,
        },)*]
    };
}
pub(crate) use columns;

/// Returns the expression that formats a timestamp in UTC.
macro_rules! utc_timestamp {
    ($column:literal) => {
        concat!("to_char(", $column, " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    };
}
pub(crate) use utc_timestamp;

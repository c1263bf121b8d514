//! What a domain's store says of an export: the columns of its rows, where they come from, and who may have them.
//! Rule: an expression gives what an import of the column reads back as the same value: texts as they are, paths and pairs
//! as JSON, moments in UTC ([`utc_timestamp!`](utc_timestamp)).

use crate::auth::Permission;

/// Rows that can be exported, and perhaps imported.
#[derive(Debug, Clone, Copy)]
pub struct Export {
    /// The permission that exporting and importing them requires.
    pub permission: Permission,
    /// Whether they belong to a website.
    pub has_website: bool,
    /// Whether files of them are imported.
    pub is_importable: bool,
    /// Common table expressions that the joins name, up to the `SELECT`; mostly empty.
    pub with: &'static str,
    /// The table, and its short name.
    pub table: &'static str,
    /// What its rows refer to.
    pub joins: &'static str,
    /// Which of its rows: `$1` is the list of websites, null for all.
    pub filter: &'static str,
    /// The order of the rows; it has no ties.
    pub order: &'static str,
    /// The columns, in the order of the file.
    pub columns: &'static [Column],
}

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in both formats.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    /// The SQL expression of its values.
    pub expression: &'static str,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text; in CSV neutralised where a spreadsheet would run it.
    Text,
    /// A decimal number with a point, in JSON a text.
    Decimal,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Names from the root down: `A > B`, in JSON a list of texts.
    Path,
    /// Names and their values: `Size=M; Colour=Red`, in JSON an object.
    Pairs,
    /// Addresses and alternative texts: `https://a/b.jpg Front | https://a/c.jpg`, in JSON a list of `{url, alt}`.
    Images,
    /// A part that is a table itself: JSON in either format.
    Json,
}

impl Export {
    /// The statement that counts the rows.
    pub fn count(&self) -> String {
        format!("SELECT count(*) AS count FROM {} WHERE {}", self.table, self.filter)
    }

    /// The statement that gives the columns of each row as a list of texts.
    pub fn select(&self) -> String {
        let Self { with, table, joins, filter, order, columns, .. } = self;
        let cells: Vec<_> = columns.iter().map(|column| format!("({})::text", column.expression)).collect();
        let cells = cells.join(", ");
        format!("{with} SELECT ARRAY[{cells}] AS cells FROM {table} {joins} WHERE {filter} ORDER BY {order}")
    }
}

/// The columns of an export: `name: Kind = "expression"`.
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

/// The expression of a moment.
macro_rules! utc_timestamp {
    ($column:literal) => {
        concat!("to_char(", $column, " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    };
}
pub(crate) use utc_timestamp;

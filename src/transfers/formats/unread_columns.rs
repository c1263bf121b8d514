//! The columns of another shop system's file that its parser does not read.
//! Rule: what a parser has looked up in the header is read, so that no list of columns can become outdated.

use super::csv_reader::{Header, Line};

/// Value that Magento writes to clear a field.
pub(super) const MAGENTO_EMPTY: &str = "__EMPTY__VALUE__";

/// Columns by name, with their places in a line: a file can have a name more than once.
pub(super) struct UnreadColumns(Vec<(String, Vec<usize>)>);

impl UnreadColumns {
    /// Returns the columns that were not looked up in this header.
    pub(super) fn new(header: &Header) -> Self {
        let mut columns: Vec<(String, Vec<usize>)> = Vec::new();
        for (index, name) in header.unread() {
            let name = if name.is_empty() { format!("column {}", index + 1) } else { name.to_owned() };
            match columns.iter_mut().find(|(known, _)| *known == name) {
                Some((_, indexes)) => indexes.push(index),
                None => columns.push((name, vec![index])),
            }
        }
        Self(columns)
    }

    /// Returns the columns in which a line has a value.
    pub(super) fn with_value<'c>(&'c self, line: &'c Line) -> impl Iterator<Item = &'c str> {
        let has_value = move |index: &usize| has_value(line.field(*index));
        self.0.iter().filter(move |(_, indexes)| indexes.iter().any(has_value)).map(|(name, _)| name.as_str())
    }
}

/// Returns whether a cell is not empty.
pub(super) fn has_value(cell: &str) -> bool {
    !cell.is_empty() && cell != MAGENTO_EMPTY
}

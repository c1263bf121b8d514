//! Columns of a file that Souk has no place for, for reports.
//! Rule: each run counts from the start of the file, so that a row is counted once, also after an interruption.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Maximum number of columns in a report.
pub const MAX_IGNORED_COLUMNS: usize = 200;
/// Maximum number of columns that are counted: attributes of products are columns, too.
const MAX_COUNTED: usize = 10_000;
/// Maximum length of a column's name in a report, in characters.
const MAX_NAME: usize = 255;

/// A column that is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredColumn {
    /// Name of the column in the file.
    pub column: String,
    /// Number of rows of the file that have a value in it.
    pub rows: u64,
}

/// Counts the rows by column while the file is read.
#[derive(Debug, Clone, Default)]
pub struct IgnoredColumns(Arc<Mutex<HashMap<String, u64>>>);

impl IgnoredColumns {
    /// Counts a row that has a value in these columns, each of which is given once.
    pub fn count_row<'n>(&self, columns: impl IntoIterator<Item = &'n str>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for column in columns {
            if let Some(rows) = counts.get_mut(column) {
                *rows += 1;
            } else if counts.len() < MAX_COUNTED {
                counts.insert(column.to_owned(), 1);
            }
        }
    }

    /// Returns the columns so far, those with the most rows first, at most [`MAX_IGNORED_COLUMNS`].
    pub fn snapshot(&self) -> Vec<IgnoredColumn> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut columns: Vec<(&String, u64)> = counts.iter().map(|(column, rows)| (column, *rows)).collect();
        columns.sort_unstable_by(|(a, a_rows), (b, b_rows)| b_rows.cmp(a_rows).then_with(|| a.cmp(b)));
        columns.truncate(MAX_IGNORED_COLUMNS);
        let ignored = |(column, rows): (&String, u64)| {
            let column = column.chars().take(MAX_NAME).collect();
            IgnoredColumn { column, rows }
        };
        columns.into_iter().map(ignored).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sorted_by_rows_and_limited() {
        let columns = IgnoredColumns::default();
        for row in [&["b", "a"][..], &["c", "b", "a"], &[]] {
            columns.count_row(row.iter().copied());
        }
        let listed = |columns: &IgnoredColumns| {
            columns.snapshot().into_iter().map(|ignored| (ignored.column, ignored.rows)).collect::<Vec<_>>()
        };
        assert_eq!(listed(&columns), [("a".into(), 2), ("b".into(), 2), ("c".into(), 1)]);
        let names: Vec<String> = (0..2 * MAX_COUNTED).map(|number| format!("column {number}")).collect();
        columns.count_row(names.iter().map(String::as_str));
        assert_eq!(listed(&columns).len(), MAX_IGNORED_COLUMNS);
        assert_eq!(columns.0.lock().unwrap().len(), MAX_COUNTED);
    }
}

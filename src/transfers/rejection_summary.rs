//! Rejected rows summarized by reason, for reports.
//! Rule: reasons that differ only in numbers and quoted values are the same.

use serde::{Deserialize, Serialize};

use super::record::Rejection;

/// Maximum number of rejected rows in a report; the rejects file contains all of them.
pub const MAX_ERRORS: usize = 100;

/// A rejected row in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// Name of the column in the file; none if the row as a whole is invalid.
    pub column: Option<String>,
    /// The rule that the row violates.
    pub message: String,
}

impl RowError {
    /// Creates the error of the row that begins on this line.
    pub fn new(line: u64, rejection: Rejection) -> Self {
        Self { line, column: rejection.column, message: rejection.message }
    }
}

/// Maximum number of example rows for a reason.
const MAX_EXAMPLES: usize = 3;
/// What a number or a quoted value is replaced with.
const PLACEHOLDER: char = '…';

/// The rows that were rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionSummary {
    /// Name of the column in the file; none if the rows as a whole are invalid.
    pub column: Option<String>,
    /// The reason; numbers and quoted values in which the rows differ are replaced with `…`.
    pub message: String,
    /// Number of rows.
    pub count: u64,
    /// The first of these rows.
    pub examples: Vec<RowError>,
}

impl RejectionSummary {
    /// Adds a rejected row to its reason. Reasons beyond [`MAX_ERRORS`] are not listed.
    pub fn count(summaries: &mut Vec<Self>, line: u64, rejection: &Rejection) {
        let Rejection { column, message } = rejection;
        let general = generalize(message);
        let found =
            summaries.iter_mut().find(|summary| summary.column == *column && generalize(&summary.message) == general);
        let example = || RowError::new(line, rejection.clone());
        if let Some(summary) = found {
            summary.count += 1;
            if summary.message != *message {
                summary.message = general;
            }
            if summary.examples.len() < MAX_EXAMPLES {
                summary.examples.push(example());
            }
        } else if summaries.len() < MAX_ERRORS {
            let (column, message, examples) = (column.clone(), message.clone(), vec![example()]);
            summaries.push(Self { column, message, count: 1, examples });
        }
    }
}

/// Replaces numbers and quoted values, except in the advice that follows them: its examples are the same in all rows.
fn generalize(message: &str) -> String {
    let (message, advice) = message.split_at(message.find("; write ").unwrap_or(message.len()));
    let mut general = String::with_capacity(message.len());
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '"' {
            // A quote within a value has a backslash before it.
            while let Some(c) = chars.next_if(|c| *c != '"') {
                if c == '\\' {
                    chars.next();
                }
            }
            chars.next();
            general.push(PLACEHOLDER);
        } else if c.is_ascii_digit() {
            while chars.next_if(char::is_ascii_digit).is_some() {}
            general.push(PLACEHOLDER);
        } else {
            general.push(c);
        }
    }
    general + advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_the_same_reason_are_counted_together() {
        let mut summaries = Vec::new();
        let messages =
            ["line 2 of the file has it", "must be at most 255", "line 17 of the file has it", "\"a\\\"1\" is no date"];
        for (line, message) in (10..).zip(messages.into_iter().cycle().take(12)) {
            RejectionSummary::count(&mut summaries, line, &Rejection::at("sku", message));
        }
        RejectionSummary::count(&mut summaries, 99, &Rejection::at("name", "must be at most 255"));
        let short: Vec<_> = summaries.iter().map(|summary| (summary.message.as_str(), summary.count)).collect();
        let expected = [
            ("line … of the file has it", 6),
            ("must be at most 255", 3),
            ("\"a\\\"1\" is no date", 3),
            ("must be at most 255", 1),
        ];
        assert_eq!(short, expected);
        let lines: Vec<u64> = summaries[0].examples.iter().map(|example| example.line).collect();
        assert_eq!(lines, [10, 12, 14]);
    }
}

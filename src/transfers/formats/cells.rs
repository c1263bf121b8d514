//! Parses single cells of a shop's file.
//! Rule: markers that a spreadsheet added to a value are removed; a value that a spreadsheet has damaged is rejected.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::{
    amounts::AmountParser,
    csv_reader::{Column, Line},
};
use crate::{
    text::{is_visible, slugify, trim},
    transfers::record::Rejection,
};

/// Normalizes a text to one line: single spaces, no invisible characters, without spreadsheet markers (`="00123"`,
/// `'=1+1`).
pub fn text(cell: &str) -> String {
    let cell = unwrapped(cell);
    let cell = match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => cell,
    };
    let visible: String = cell.chars().filter(|c| is_visible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Normalizes a text to one line and decodes the HTML entities in it.
pub fn decoded_text(cell: &str) -> String {
    text(&html_escape::decode_html_entities(cell))
}

/// Parses a SKU or barcode. Shops add an apostrophe before digits so that spreadsheets keep leading zeros.
/// # Errors
/// For `4.00638E+12`, whose last digits are lost.
pub fn code(cell: &str) -> Result<Option<String>, String> {
    let code = text(unwrapped(cell).trim_start_matches('\''));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    match code.split_once("E+") {
        Some((number, power)) if digits(number) && digits(power) => {
            Err(format!("a spreadsheet has shortened this code to {code}; export the file again"))
        }
        _ => Ok(Some(code).filter(|code| !code.is_empty())),
    }
}

fn unwrapped(cell: &str) -> &str {
    let cell = trim(cell);
    cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell)
}

/// Returns the normalized text; none if it is blank.
pub fn optional(cell: &str) -> Option<String> {
    Some(text(cell)).filter(|text| !text.is_empty())
}

/// Parses a boolean; none for a blank cell.
/// # Errors
/// For any other word.
pub fn flag(cell: &str) -> Result<Option<bool>, String> {
    match text(cell).to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" | "1" | "yes" => Ok(Some(true)),
        "false" | "0" | "no" => Ok(Some(false)),
        other => Err(format!("{other:?} is neither TRUE nor FALSE")),
    }
}

/// Splits a list; a separator after a backslash is part of a value.
pub fn list(cell: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = cell.chars().peekable();
    while let Some(c) = chars.next() {
        let part = match c {
            '\\' if chars.peek() == Some(&separator) => chars.next(),
            c if c == separator => None,
            c => Some(c),
        };
        match (part, parts.last_mut()) {
            (Some(c), Some(last)) => last.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts.into_iter().map(|part| trim(&part).to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Returns whether a path is a category; shop systems name the absence of one `Uncategorized`.
pub fn is_category(path: &[String]) -> bool {
    let is_none = |name: &String| ["uncategorized", "uncategorised"].contains(&name.to_lowercase().as_str());
    match path {
        [] => false,
        [only] => !is_none(only),
        _ => true,
    }
}

/// Returns the main category of a product, which is the deepest (the first one among equals), and the number of other
/// categories that are not its ancestors.
pub fn main_category(mut paths: Vec<Vec<String>>) -> (Option<Vec<String>>, u64) {
    paths.retain(|path| is_category(path));
    let mut main_category: Option<&Vec<String>> = None;
    for path in &paths {
        if main_category.is_none_or(|main_category| path.len() > main_category.len()) {
            main_category = Some(path);
        }
    }
    let Some(main_category) = main_category else { return (None, 0) };
    let others = paths.iter().filter(|path| !main_category.starts_with(path)).count() as u64;
    (Some(main_category.clone()), others)
}

/// Derives a stable key from several texts: a readable slug if that is unambiguous, otherwise a slug with a short hash.
pub fn derive_key(parts: &[&str], max: usize) -> String {
    let plain = parts.join("-").to_lowercase();
    let mut slug = slugify(&plain);
    if slug == plain && slug.len() <= max {
        return slug;
    }
    let hash = hex::encode(&Sha256::digest(parts.join("\0"))[..4]);
    slug.truncate(max.saturating_sub(hash.len() + 1));
    format!("{}-{hash}", slug.trim_end_matches('-'))
}

/// Returns whether a day is within a range; a blank bound is open.
/// # Errors
/// For an invalid date, or an ambiguous one whose readings give different results.
pub fn is_date_in_range(from: &str, to: &str, today: NaiveDate) -> Result<bool, String> {
    let has_started = date_satisfies(from, |day| day <= today)?;
    let has_not_ended = date_satisfies(to, |day| day >= today)?;
    Ok(has_started && has_not_ended)
}

fn date_satisfies(cell: &str, holds: impl Fn(NaiveDate) -> bool) -> Result<bool, String> {
    if cell.is_empty() {
        return Ok(true);
    }
    // A text can be a valid date in several formats; that is harmless if all readings give the same result.
    let days = ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"];
    let date = cell.split([' ', 'T', ',']).next().unwrap_or_default();
    let year_first = date.split(['-', '/']).next().is_some_and(|part| part.len() == 4);
    let short = date.rsplit(['/', '.', '-']).next().is_some_and(|part| part.len() <= 2);
    let mut answers = days
        .iter()
        .filter(|format| format.starts_with("%Y") == year_first && (format.ends_with("%y") == (short && !year_first)))
        .filter_map(|format| NaiveDate::parse_from_str(date, format).ok())
        .map(holds);
    let first = answers.next().ok_or_else(|| format!("{cell:?} is not a date; write dates as 2025-01-31"))?;
    if answers.all(|answer| answer == first) {
        Ok(first)
    } else {
        Err(format!("{cell:?} is ambiguous; write dates as 2025-01-31"))
    }
}

/// Returns the number in a cell of a column; none for a blank cell.
/// # Errors
/// For a cell that `parse` rejects.
pub fn number<T>(
    cell: &str,
    column: &Column,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Rejection> {
    optional(cell).map(|cell| parse(&cell).map_err(|rule| column.rejection(rule))).transpose()
}

/// Returns the price in a cell; none for a blank cell.
/// # Errors
/// For an invalid price.
pub fn price(line: &Line, column: &Column, amounts: &AmountParser) -> Result<Option<Decimal>, Rejection> {
    number(line.cell(column), column, |cell| amounts.price(cell))
}

/// Returns the quantity in a cell; none for a blank cell.
/// # Errors
/// For anything but a whole number of 0 or more.
pub fn quantity(line: &Line, column: &Column, amounts: &AmountParser) -> Result<Option<i32>, Rejection> {
    number(line.cell(column), column, |cell| amounts.quantity(cell))
}

/// Returns the stock in a cell; none for a blank cell. It is negative if more units were sold than were in stock.
/// # Errors
/// For anything but a whole number.
pub fn stock(line: &Line, column: &Column, amounts: &AmountParser) -> Result<Option<i32>, Rejection> {
    number(line.cell(column), column, |cell| amounts.whole(cell))
}

/// Returns the text of a cell, where a blank clears the value; none if the file has no such column.
pub fn clearable_text(line: &Line, column: &Column) -> Option<Option<String>> {
    column.is_present().then(|| optional(line.cell(column)))
}

/// Returns price and compare-at price, given the regular price and the sale price that is in effect.
pub fn price_and_compare_at(
    regular: Option<Decimal>,
    sale: Option<Decimal>,
) -> (Option<Decimal>, Option<Option<Decimal>>) {
    match (regular, sale) {
        (Some(regular), Some(sale)) if sale < regular => (Some(sale), Some(Some(regular))),
        (None, None) => (None, None),
        (regular, sale) => (regular.or(sale), Some(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreadsheet_markers_are_removed() {
        for (cell, expected) in [
            (" a  b\n c ", "a b c"),
            ("=\"00123\"", "00123"),
            ("'=1+1", "=1+1"),
            ("'quoted'", "'quoted'"),
            ("so\u{ad}ft\u{a0}ly", "soft ly"),
        ] {
            assert_eq!(text(cell), expected, "{cell}");
        }
        assert_eq!(code("'00123"), Ok(Some("00123".into())));
        assert_eq!(code(" "), Ok(None));
        assert_eq!(code("E+1"), Ok(Some("E+1".into())));
        assert!(code("4.00638E+12").is_err());
    }

    #[test]
    fn lists_and_paths_are_split() {
        assert_eq!(list("a, b\\, c ,,d", ','), ["a", "b, c", "d"]);
        assert_eq!(list("a\\b", ','), ["a\\b"]);
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (main_category, others) = main_category(vec![path("A"), path("A/B"), path("C/D"), path("E")]);
        assert_eq!((main_category, others), (Some(path("A/B")), 2));
        assert_eq!(super::main_category(vec![path("Uncategorized"), path("A")]), (Some(path("A")), 0));
        assert_eq!(super::main_category(vec![path("uncategorised"), Vec::new()]), (None, 0));
    }

    #[test]
    fn derived_keys_are_plain_or_hashed() {
        assert_eq!(derive_key(&["blue-mug", "M"], 100), "blue-mug-m");
        let (plus, minus) = (derive_key(&["mug", "M+"], 100), derive_key(&["mug", "M-"], 100));
        assert!(plus.starts_with("mug-m-") && plus != minus, "{plus} {minus}");
        assert_eq!(derive_key(&[&"x".repeat(300)], 100).len(), 100);
    }

    #[test]
    fn ambiguous_dates_are_rejected_only_if_the_result_differs() {
        let today = NaiveDate::from_ymd_opt(2025, 3, 2).unwrap();
        for (from, to, expected) in [
            ("", "", Some(true)),
            ("2025-03-01", "2025-03-02", Some(true)),
            ("2025-03-03T00:00:00+00:00", "", Some(false)),
            ("", "2025-03-01 23:59:59", Some(false)),
            ("1/15/25", "12/31/2025", Some(true)),
            ("2/3/25", "", Some(true)),
            ("3/2/25, 12:00 AM", "", Some(true)),
            ("4/2/25", "", None),
            ("31.01.2026", "", Some(false)),
            ("soon", "", None),
        ] {
            assert_eq!(is_date_in_range(from, to, today).ok(), expected, "{from} {to}");
        }
    }
}

//! The report of a sales import, as a table and as JSON. Unlike the report of other imports it has a section per
//! resource, since a line adds to an order, a product and a customer at once, and counts rejected lines by reason.
//! Rule: lines read = created + unchanged + rejected.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

use super::{
    super::super::{ignored_columns::IgnoredColumn, model::Counts},
    line::RejectReason,
};

/// Counts of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SalesReport {
    /// The website.
    pub website: WebsiteReport,
    /// Lines of the file, except for the header and blank lines.
    #[serde(serialize_with = "without_updated")]
    pub lines: Counts,
    /// Orders of the accepted lines.
    pub orders: OrderReport,
    /// Products of the accepted lines.
    pub products: ProductReport,
    /// Customers of the accepted lines.
    pub customers: CustomerReport,
    /// Accepted lines that were adjusted or need attention.
    pub notes: NoteReport,
    /// Rejected lines by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// Columns of the file that are not imported, those with the most lines first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_columns: Vec<IgnoredColumn>,
}

/// Outcome for the website.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WebsiteReport {
    /// Code of the website.
    pub code: String,
    /// Created by this run: 0 or 1.
    pub created: u64,
    /// Name or URL updated by this run: 0 or 1.
    pub updated: u64,
}

/// Order counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OrderReport {
    /// Created by this run.
    pub created: u64,
    /// Existing orders that got another customer, country or date.
    pub updated: u64,
    /// Existing orders that did not change.
    pub unchanged: u64,
    /// Orders that are cancellations.
    pub cancellations: u64,
    /// Orders without a customer.
    pub guests: u64,
    /// Orders whose lines have several dates; the earliest one is kept.
    pub several_dates: u64,
    /// Orders whose lines have several customers; the first one is kept.
    pub several_customers: u64,
    /// Orders whose lines have several countries; the first one is kept.
    pub several_countries: u64,
}

/// Product counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProductReport {
    /// Created by this run.
    pub created: u64,
    /// Existing products that got another name or price.
    pub updated: u64,
    /// Existing products that did not change.
    pub unchanged: u64,
    /// Codes that are not products.
    pub non_products: u64,
    /// Products with several descriptions; the most frequent one becomes the name.
    pub several_descriptions: u64,
}

/// Customer counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CustomerReport {
    /// Created by this run.
    pub created: u64,
    /// Existing customers.
    pub unchanged: u64,
}

/// Accepted lines that were adjusted or need attention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NoteReport {
    /// Lines with price 0, including rounded ones.
    pub zero_prices: u64,
    /// Lines whose price was rounded to two decimals.
    pub rounded_prices: u64,
    /// Lines of codes that are not products.
    pub non_product_lines: u64,
    /// Lines with a blank description, which got the SKU instead.
    pub blank_descriptions: u64,
    /// Lines whose description was truncated to 255 characters.
    pub cut_descriptions: u64,
    /// Lines that repeat an earlier line of their invoice; each counts.
    pub repeated_lines: u64,
}

impl SalesReport {
    /// Counts a rejected line by reason.
    pub fn count_reason(&mut self, reason: RejectReason) {
        *self.rejected.entry(reason).or_default() += 1;
    }
}

/// Serializes line counts without `updated`: a line is identified by its whole content and never updated.
fn without_updated<S: Serializer>(lines: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut counts = serializer.serialize_struct("Counts", 4)?;
    counts.serialize_field("read", &lines.read)?;
    counts.serialize_field("created", &lines.created)?;
    counts.serialize_field("unchanged", &lines.unchanged)?;
    counts.serialize_field("rejected", &lines.rejected)?;
    counts.end()
}

impl fmt::Display for SalesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(Value::Object(sections)) = serde_json::to_value(self) else { return Err(fmt::Error) };
        for (section, counts) in sections {
            // The columns that are not imported are printed after the table.
            let Value::Object(counts) = counts else { continue };
            for (row, (name, count)) in counts.into_iter().enumerate() {
                let section = if row == 0 { section.as_str() } else { "" };
                let count = count.as_u64().map_or_else(|| count.as_str().unwrap_or_default().to_owned(), grouped);
                writeln!(f, "{section:<10} {:<24} {count:>13}", name.replace('_', " "))?;
            }
        }
        Ok(())
    }
}

/// Formats a number with thousands separators.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_matches_the_json() {
        let mut report = SalesReport::default();
        report.website.code = "uk".into();
        report.lines.read = 541_909;
        report.count_reason(RejectReason::NegativePrice);
        let table = report.to_string();
        let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["website", "code", "uk"]);
        assert!(rows.contains(&vec!["lines", "read", "541,909"]), "{table}");
        assert_eq!(rows[rows.len() - 1], ["rejected", "negative", "price", "1"]);
        assert!(table.lines().all(|row| row.len() == 49), "{table}");
        assert_eq!(serde_json::to_value(&report).unwrap()["rejected"]["negative_price"], 1);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}

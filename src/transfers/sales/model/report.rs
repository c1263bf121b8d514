//! The report of a sales import: for people as a table, for machines as JSON. It has sections that the report of other
//! imports has not, since a line adds to an order, a product and a customer at once, and counts rejected lines by reason.
//! Rule: lines read = created + unchanged + rejected.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

use super::{super::super::model::Counts, line::RejectReason};

/// The counts of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SalesReport {
    /// The website.
    pub website: WebsiteReport,
    /// The lines of the file, the header and blank ones aside.
    #[serde(serialize_with = "without_updated")]
    pub lines: Counts,
    /// The invoices of the accepted lines.
    pub orders: OrderReport,
    /// The products of the accepted lines.
    pub products: ProductReport,
    /// The customers of the accepted lines.
    pub customers: CustomerReport,
    /// What was taken over, but not as it stood there.
    pub notes: NoteReport,
    /// Rejected lines by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
}

/// What became of the website.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WebsiteReport {
    /// Its code.
    pub code: String,
    /// Made by this run: 0 or 1.
    pub created: u64,
    /// Given another name or URL by this run: 0 or 1.
    pub updated: u64,
}

/// What became of the orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OrderReport {
    /// Made by this run.
    pub created: u64,
    /// There before, and given another customer, country or date.
    pub updated: u64,
    /// There before, and left.
    pub unchanged: u64,
    /// Of all these: cancellations.
    pub cancellations: u64,
    /// Of all these: without a customer.
    pub guests: u64,
    /// Of all these: lines named several dates; the first is kept.
    pub several_dates: u64,
    /// Of all these: lines named several customers; the first line's is kept.
    pub several_customers: u64,
    /// Of all these: lines named several countries; the first line's is kept.
    pub several_countries: u64,
}

/// What became of the products.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProductReport {
    /// Made by this run.
    pub created: u64,
    /// There before, and given another name or price.
    pub updated: u64,
    /// There before, and left.
    pub unchanged: u64,
    /// Of all these: codes that stand for no product.
    pub non_products: u64,
    /// Of all these: products with several descriptions; the most frequent one names them.
    pub several_descriptions: u64,
}

/// What became of the customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CustomerReport {
    /// Made by this run.
    pub created: u64,
    /// There before.
    pub unchanged: u64,
}

/// Accepted lines that stand out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NoteReport {
    /// Lines at price 0, rounded ones included.
    pub zero_prices: u64,
    /// Lines whose price had more than two decimals.
    pub rounded_prices: u64,
    /// Lines of codes that stand for no product.
    pub non_product_lines: u64,
    /// Lines without a text, which carry the SKU instead.
    pub blank_descriptions: u64,
    /// Lines whose text was cut to 255 characters.
    pub cut_descriptions: u64,
    /// Lines that equal an earlier one of their invoice; each counts.
    pub repeated_lines: u64,
}

impl SalesReport {
    /// Counts the reason of a rejected line.
    pub fn count_reason(&mut self, reason: RejectReason) {
        *self.rejected.entry(reason).or_default() += 1;
    }
}

/// A line is never updated: it is known by all that it says, so the report has no such count.
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
            let Value::Object(counts) = counts else { return Err(fmt::Error) };
            for (row, (name, count)) in counts.into_iter().enumerate() {
                let section = if row == 0 { section.as_str() } else { "" };
                let count = count.as_u64().map_or_else(|| count.as_str().unwrap_or_default().to_owned(), grouped);
                writeln!(f, "{section:<10} {:<24} {count:>13}", name.replace('_', " "))?;
            }
        }
        Ok(())
    }
}

/// A number with commas between its thousands.
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

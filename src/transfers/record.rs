//! Parsed rows of a file, independent of its format.
//! Rule: `None` means that the file does not contain the field and keeps the existing value; `Some(None)` clears it.

use std::{collections::HashMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    orders::model::OrderAddress,
    products::model::{Backorders, InventoryPolicy, attributes::Weight},
};

/// The file's own names of the columns, by the names in Souk's format.
pub type Columns = HashMap<&'static str, String>;

/// A row of a file. `E` is the reason of a rejection.
#[derive(Debug)]
pub struct Row<T, E = Rejection> {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// The raw fields; written to the rejects file.
    pub fields: csv::ByteRecord,
    /// Other lines of the file that determine how the row is read; written to the rejects file with the row.
    pub context: Context,
    /// The parsed record, or the reason of the rejection.
    pub record: Result<T, E>,
}

/// A rejected row.
#[derive(Debug)]
pub struct RejectedRow {
    /// Line of the file on which the row begins.
    pub line: u64,
    /// Fields of the row.
    pub fields: csv::ByteRecord,
    /// Other lines of the file that the row depends on.
    pub context: Context,
    /// Reason of the rejection.
    pub reason: Rejection,
}

/// Lines of the file that rows depend on: those of the same product, in the order of the file.
pub type Context = Arc<[FileLine]>;

/// A line of the file.
#[derive(Debug, Clone)]
pub struct FileLine {
    /// Line number, from 1.
    pub line: u64,
    /// The raw fields.
    pub fields: csv::ByteRecord,
}

/// Reason of a rejection, as a message for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Name of the column in the file; none if the row as a whole is invalid.
    pub column: Option<String>,
    /// The rule that the row violates.
    pub message: String,
}

impl Rejection {
    /// Creates a rejection of one column.
    pub fn at(column: &str, message: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), message: message.into() }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(formatter, "{column}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// Takes the first of the user errors, with the field name converted to the column name.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        let Error::User(rules) = error else { return Self { column: None, message: error.to_string() } };
        let Some(rule) = rules.into_iter().next() else { return Self { column: None, message: "invalid row".into() } };
        let snake = |field: &str| {
            field.chars().fold(String::new(), |mut name, c| {
                if c.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(c.to_ascii_lowercase());
                name
            })
        };
        let field = rule.field.filter(|field| !field.is_empty());
        // The column is named before the message, which begins with the name that the API has for it.
        let named = field.as_deref().and_then(|field| rule.message.strip_prefix(field)?.strip_prefix(' '));
        let message = named.unwrap_or(&rule.message).to_owned();
        Self { column: field.map(|field| snake(&field)), message }
    }
}

/// A product.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProductRecord {
    /// The product's ID in the source shop.
    pub external_id: Option<String>,
    /// SKU; required.
    pub sku: String,
    /// Name; required for a new product.
    pub name: Option<String>,
    /// Slug; derived from the name of a new product if absent.
    pub slug: Option<String>,
    /// GTIN or another barcode.
    pub barcode: Option<Option<String>>,
    /// Description of the variant, such as size and color.
    pub variant: Option<Option<String>>,
    /// Description as plain text, with HTML removed.
    pub description: Option<String>,
    /// Price; required for a new product.
    pub price: Option<Decimal>,
    /// Compare-at price.
    pub compare_at_price: Option<Option<Decimal>>,
    /// Cost of one unit to the shop.
    pub cost_price: Option<Option<Decimal>>,
    /// Category names from the root down; missing categories are created.
    pub category: Option<Option<Vec<String>>>,
    /// Brand name; a missing brand is created.
    pub brand: Option<Option<String>>,
    /// Supplier name; a missing supplier is created.
    pub supplier: Option<Option<String>>,
    /// The supplier's own product number.
    pub supplier_sku: Option<Option<String>>,
    /// Product group and option values.
    pub group: Option<Option<GroupRecord>>,
    /// Quantity at which the stock counts as low.
    pub low_stock_threshold: Option<i32>,
    /// Number of units in stock; a negative number is 0 for a product without backorders.
    pub stock: Option<i32>,
    /// Whether the stock is tracked.
    pub inventory_policy: Option<InventoryPolicy>,
    /// Whether the product can be sold when it is out of stock.
    pub backorders: Option<Backorders>,
    /// Whether the product is for sale.
    pub is_active: Option<bool>,
    /// Images in display order; they replace the existing ones.
    pub images: Option<Vec<ImageRecord>>,
    /// Tags; they replace the existing ones.
    pub tags: Option<Vec<String>>,
    /// Weight of one unit.
    pub weight: Option<Option<Weight>>,
    /// Title for search engines.
    pub seo_title: Option<Option<String>>,
    /// Description for search engines.
    pub seo_description: Option<Option<String>>,
}

/// A product's group and option values. The group is found by its slug at the website; a missing group is created.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecord {
    /// The group's slug, such as Shopify's handle.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Option names and values in display order, 1 to 5.
    pub options: Vec<(String, String)>,
}

/// An image by URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRecord {
    /// URL of the image.
    pub url: String,
    /// Alternative text; none if the file has no such texts.
    pub alt: Option<String>,
}

/// A parsed row of any resource.
#[derive(Debug)]
pub enum Record {
    /// A product, or only its stock.
    Product(Box<ProductRecord>),
    /// A category.
    Category(CategoryRecord),
    /// A customer.
    Customer(CustomerRecord),
    /// An order.
    Order(Box<OrderRecord>),
}

impl<T> Row<T> {
    /// Parses the record further.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, Rejection>) -> Row<U> {
        Row { line: self.line, fields: self.fields, context: self.context, record: self.record.and_then(read) }
    }
}

/// A category.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CategoryRecord {
    /// The category's ID in the source shop.
    pub external_id: Option<String>,
    /// Names from the root to the category itself; missing ancestors are created.
    pub path: Vec<String>,
    /// Slug; derived from the name of a new category if absent.
    pub slug: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Position among its siblings.
    pub position: Option<i32>,
}

/// A customer, identified by their ID in the source shop or by email address.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerRecord {
    /// The customer's ID in the source shop.
    pub external_id: Option<String>,
    /// Email address.
    pub email: Option<String>,
    /// Name; required for a new customer.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<Option<String>>,
    /// Whether the customer can log in.
    pub is_active: Option<bool>,
    /// Addresses to add if they do not exist; none is removed.
    pub addresses: Option<Vec<AddressRecord>>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRecord {
    /// Name of the recipient.
    #[serde(default)]
    pub recipient_name: Option<String>,
    /// Company of the recipient.
    #[serde(default)]
    pub company: Option<String>,
    /// Phone number for questions about the delivery.
    #[serde(default)]
    pub phone: Option<String>,
    /// Country: an ISO 3166-1 code or an English name; its alpha-2 code once the row is checked.
    pub country: String,
    /// Subdivision: an ISO 3166-2 code or a name; its full code once the row is checked.
    #[serde(default)]
    pub subdivision: Option<String>,
    /// City or town.
    pub city: String,
    /// District or county.
    #[serde(default)]
    pub district: Option<String>,
    /// Street and house number.
    pub address: String,
    /// Postal code.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// Whether this is the default shipping address.
    #[serde(default)]
    pub is_default: bool,
}

/// The billing address of an order as a cell has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillingAddressRecord {
    #[serde(default)]
    recipient_name: Option<String>,
    #[serde(default)]
    company: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    country: String,
    #[serde(default)]
    subdivision: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    district: Option<String>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    postal_code: Option<String>,
}

impl From<BillingAddressRecord> for OrderAddress {
    fn from(record: BillingAddressRecord) -> Self {
        Self {
            recipient_name: record.recipient_name,
            company: record.company,
            phone: record.phone,
            country: Some(record.country),
            subdivision: record.subdivision,
            city: record.city,
            district: record.district,
            address: record.address,
            postal_code: record.postal_code,
        }
    }
}

/// A past order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRecord {
    /// Order number, unique per website.
    pub number: String,
    /// Order status; an import never changes the status of an existing order.
    pub status: String,
    /// The customer's ID in the source shop.
    pub customer_id: Option<String>,
    /// The customer's email address.
    pub customer_email: Option<String>,
    /// When the order was placed.
    pub placed_at: DateTime<Utc>,
    /// Shipping address.
    pub shipping_address: OrderAddress,
    /// Billing address; none if it is the shipping address.
    pub billing_address: Option<OrderAddress>,
    /// Total amount in the file; the order's own is the sum of its lines.
    pub total: Option<Decimal>,
    /// The order lines.
    pub lines: Vec<OrderLineRecord>,
}

impl OrderRecord {
    /// Returns whether the file has another total than the sum of the lines.
    pub fn has_other_total(&self) -> bool {
        let sum = || self.lines.iter().map(|line| line.unit_price * Decimal::from(line.quantity)).sum::<Decimal>();
        self.total.is_some_and(|total| total != sum())
    }
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLineRecord {
    /// SKU of the product at the website.
    pub sku: String,
    /// Product name at the time of sale.
    pub name: String,
    /// Number of units.
    pub quantity: i32,
    /// Price of one unit.
    pub unit_price: Decimal,
    /// Key that identifies the line within its order; its position if absent.
    #[serde(default)]
    pub external_key: Option<String>,
}

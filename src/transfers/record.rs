//! What a file says of one thing, whatever its format.
//! Rule: `None` is "the file does not say" and leaves what is there; `Some(None)` clears.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A thing of a file, and where it stands there. `E` is why it is refused.
#[derive(Debug)]
pub struct Row<T, E = Rejection> {
    /// The line of the file on which it begins, 1 for the first.
    pub line: u64,
    /// Its fields as the file has them, one list for each line of the file that it is made of: what goes to the file of rejects.
    pub fields: Vec<csv::ByteRecord>,
    /// What it says, or why it is refused.
    pub record: Result<T, E>,
}

/// Why a row is refused, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The column as the file calls it; none where the row as a whole is wrong.
    pub column: Option<String>,
    /// The rule that it breaks.
    pub message: String,
}

impl Rejection {
    /// For one column.
    pub fn at(column: &str, message: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), message: message.into() }
    }
}

/// The first broken rule of a user error, with the name of the column instead of the field's.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        let Error::User(rules) = error else { return Self { column: None, message: error.to_string() } };
        let Some(rule) = rules.into_iter().next() else { return Self { column: None, message: "not valid".into() } };
        let snake = |field: &str| {
            field.chars().fold(String::new(), |mut name, c| {
                if c.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(c.to_ascii_lowercase());
                name
            })
        };
        let column = rule.field.filter(|field| !field.is_empty()).map(|field| snake(&field));
        Self { column, message: rule.message.into_owned() }
    }
}

/// A product.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProductRecord {
    /// The shop's own id of it.
    pub external_id: Option<String>,
    /// SKU, which a row always has.
    pub sku: String,
    /// Name; a new product needs one.
    pub name: Option<String>,
    /// Name in URLs; a new product gets one from its name.
    pub slug: Option<String>,
    /// GTIN or another code on the pack.
    pub barcode: Option<Option<String>>,
    /// Size, colour and the like, in words.
    pub variant: Option<Option<String>>,
    /// Plain text: HTML is already taken out.
    pub description: Option<String>,
    /// A new product needs one.
    pub price: Option<Decimal>,
    /// What it cost before.
    pub compare_at_price: Option<Option<Decimal>>,
    /// What one costs the shop.
    pub cost_price: Option<Option<Decimal>>,
    /// Names from the root down; made where they are missing.
    pub category: Option<Option<Vec<String>>>,
    /// Name; made where it is missing.
    pub brand: Option<Option<String>>,
    /// Name; made where it is missing.
    pub supplier: Option<Option<String>>,
    /// The supplier's own number of it.
    pub supplier_sku: Option<Option<String>>,
    /// Its place in a group.
    pub group: Option<Option<GroupRecord>>,
    /// From how many pieces down the stock is low.
    pub low_stock_threshold: Option<i32>,
    /// Pieces that are there.
    pub stock: Option<i32>,
    /// Whether it is for sale.
    pub is_active: Option<bool>,
    /// In their order; what is there and not named stays.
    pub images: Option<Vec<ImageRecord>>,
}

/// A product's place in a group. A group is found by its slug at the website, and made where it is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecord {
    /// The group's slug, such as Shopify's handle.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Names and values of the options in their order, 1 to 5.
    pub options: Vec<(String, String)>,
}

/// A picture by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRecord {
    /// Where it is.
    pub url: String,
    /// What it shows, in words.
    pub alt: String,
}

/// What a row of any resource says.
#[derive(Debug)]
pub enum Record {
    /// A product, or only its pieces.
    Product(Box<ProductRecord>),
    /// A category.
    Category(CategoryRecord),
    /// A customer.
    Customer(CustomerRecord),
    /// An order.
    Order(OrderRecord),
}

impl<T> Row<T> {
    /// The row with its record read further.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, Rejection>) -> Row<U> {
        Row { line: self.line, fields: self.fields, record: self.record.and_then(read) }
    }
}

/// A category.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CategoryRecord {
    /// The shop's own id of it.
    pub external_id: Option<String>,
    /// Names from the root down to its own; what is above is made where it is missing.
    pub path: Vec<String>,
    /// Name in URLs; a new category gets one from its name.
    pub slug: Option<String>,
    /// Text for people.
    pub description: Option<String>,
    /// Place among its siblings.
    pub position: Option<i32>,
}

/// A customer, known by the shop's own id or by the e-mail address.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerRecord {
    /// The shop's own id of them.
    pub external_id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Name; a new customer needs one.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<Option<String>>,
    /// Whether they can log in.
    pub is_active: Option<bool>,
    /// Those that are not there yet are added; none is taken away.
    pub addresses: Option<Vec<AddressRecord>>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRecord {
    /// Country, as a name or an ISO 3166 code.
    pub country: String,
    /// City or town.
    pub city: String,
    /// District, county or state.
    #[serde(default)]
    pub district: Option<String>,
    /// Street, number and what else leads to the door.
    pub address: String,
    /// Postal code.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// Whether orders go there unless told otherwise.
    #[serde(default)]
    pub is_default: bool,
}

/// A past order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRecord {
    /// Its number, unique at the website.
    pub number: String,
    /// Its status, which an import never changes.
    pub status: String,
    /// The shop's own id of the customer.
    pub customer_id: Option<String>,
    /// The customer's e-mail address.
    pub customer_email: Option<String>,
    /// When.
    pub placed_at: DateTime<Utc>,
    /// Where it went: country, city, district, address, postal code.
    pub shipping_address: [Option<String>; 5],
    /// What was ordered.
    pub lines: Vec<OrderLineRecord>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLineRecord {
    /// The product's SKU at the website.
    pub sku: String,
    /// What it was called.
    pub name: String,
    /// Pieces.
    pub quantity: i32,
    /// Price of one.
    pub unit_price: Decimal,
    /// Tells the line apart within its order; its place where there is none.
    #[serde(default)]
    pub external_key: Option<String>,
}

//! The demo data, read from the files in `data/`.
//! Rule: a row refers to another by slug, SKU, email address or name; times are hours before the insertion, or hours after the
//! order was placed.

use rust_decimal::Decimal;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    error::{Error, Result},
    products::model::{Backorders, InventoryPolicy},
    users::model::AddressFields,
};

/// All demo data.
pub(super) struct DemoData {
    pub(super) catalog: Catalog,
    pub(super) assortment: Assortment,
    pub(super) people: People,
    pub(super) orders: Vec<Order>,
}

impl DemoData {
    /// Parses the files, which are embedded in the program.
    pub(super) fn load() -> Result<Self> {
        Ok(Self {
            catalog: parse("catalog.json", include_str!("data/catalog.json"))?,
            assortment: parse("products.json", include_str!("data/products.json"))?,
            people: parse("people.json", include_str!("data/people.json"))?,
            orders: parse::<Orders>("orders.json", include_str!("data/orders.json"))?.orders,
        })
    }
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Internal(format!("demo data: {file}: {error}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Catalog {
    pub(super) websites: Vec<Website>,
    pub(super) categories: Vec<Category>,
    pub(super) brands: Vec<Brand>,
    pub(super) suppliers: Vec<Supplier>,
    pub(super) search_rules: Vec<SearchRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Website {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) base_url: String,
    pub(super) currency: String,
    pub(super) language: String,
}

#[derive(Deserialize)]
pub(super) struct Category {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) parent: Option<String>,
    pub(super) image: String,
}

#[derive(Deserialize)]
pub(super) struct Brand {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) logo: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Supplier {
    pub(super) name: String,
    pub(super) contact_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) lead_time_days: Option<i32>,
}

/// Synonyms, or queries that redirect to one of the targets.
#[derive(Deserialize)]
pub(super) struct SearchRule {
    pub(super) website: String,
    pub(super) words: Vec<String>,
    pub(super) category: Option<String>,
    pub(super) brand: Option<String>,
    pub(super) product: Option<String>,
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Assortment {
    pub(super) groups: Vec<Group>,
    pub(super) products: Vec<Product>,
    /// Products to link because they have no barcode in common.
    pub(super) links: Vec<Vec<ProductName>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) website: String,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) varies_by: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct ProductName {
    pub(super) website: String,
    pub(super) sku: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    pub(super) website: String,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) variant: Option<String>,
    pub(super) description: String,
    pub(super) price: Decimal,
    pub(super) compare_at_price: Option<Decimal>,
    pub(super) cost_price: Option<Decimal>,
    pub(super) category: String,
    pub(super) brand: String,
    pub(super) supplier: String,
    pub(super) supplier_sku: String,
    pub(super) seller: Option<String>,
    pub(super) barcode: Option<String>,
    pub(super) group: Option<String>,
    /// Option values in the order of the group's options.
    #[serde(default)]
    pub(super) options: Vec<String>,
    /// Opening stock.
    pub(super) stock: i32,
    pub(super) low_stock_threshold: Option<i32>,
    pub(super) inventory_policy: Option<InventoryPolicy>,
    pub(super) backorders: Option<Backorders>,
    pub(super) is_active: Option<bool>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) weight_grams: Option<Decimal>,
    pub(super) image: String,
    pub(super) image_alt: String,
}

#[derive(Deserialize)]
pub(super) struct People {
    pub(super) users: Vec<User>,
    pub(super) wishlists: Vec<Wishlist>,
    pub(super) reviews: Vec<Review>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) password: String,
    pub(super) phone: String,
    pub(super) website: String,
    #[serde(default)]
    pub(super) addresses: Vec<Address>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    pub(super) recipient_name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) country_code: String,
    pub(super) subdivision_code: Option<String>,
    pub(super) city: String,
    pub(super) district: Option<String>,
    pub(super) address: String,
    pub(super) postal_code: Option<String>,
    #[serde(default)]
    pub(super) is_default: bool,
}

impl Address {
    /// Returns the fields as an input would store them.
    pub(super) fn checked(self) -> Result<AddressFields> {
        let fields = AddressFields {
            recipient_name: self.recipient_name,
            company: self.company,
            phone: self.phone,
            country: self.country_code,
            subdivision: self.subdivision_code,
            city: self.city,
            district: self.district,
            address: self.address,
            postal_code: self.postal_code,
        };
        fields.checked()
    }
}

#[derive(Deserialize)]
pub(super) struct Wishlist {
    pub(super) customer: String,
    pub(super) name: String,
    pub(super) items: Vec<WishlistItem>,
}

#[derive(Deserialize)]
pub(super) struct WishlistItem {
    pub(super) website: String,
    pub(super) sku: String,
    pub(super) quantity: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Review {
    pub(super) website: String,
    pub(super) sku: String,
    pub(super) customer: String,
    pub(super) rating: i32,
    pub(super) title: Option<String>,
    pub(super) text: String,
    pub(super) status: String,
    pub(super) hours_ago: i64,
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<Order>,
}

/// An order. Its status follows from its confirmation, cancellation and shipments.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub(super) website: String,
    /// Email address of the customer; none for a guest.
    pub(super) customer: Option<String>,
    pub(super) guest: Option<Guest>,
    /// Billing address; the shipping address if absent.
    pub(super) billing_address: Option<Address>,
    pub(super) placed_hours_ago: i64,
    pub(super) customer_note: Option<String>,
    pub(super) lines: Vec<OrderLine>,
    #[serde(default)]
    pub(super) payments: Vec<Payment>,
    pub(super) confirmed: Option<i64>,
    pub(super) cancelled: Option<Cancellation>,
    #[serde(default)]
    pub(super) shipments: Vec<Shipment>,
    #[serde(default)]
    pub(super) returns: Vec<Return>,
    #[serde(default)]
    pub(super) notes: Vec<Note>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Guest {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) address: Address,
}

#[derive(Deserialize)]
pub(super) struct OrderLine {
    pub(super) sku: String,
    pub(super) quantity: i32,
}

#[derive(Deserialize)]
pub(super) struct Payment {
    pub(super) provider: String,
    pub(super) method: String,
    pub(super) operations: Vec<Operation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) after: i64,
    /// Defaults to the order's total.
    pub(super) amount: Option<Decimal>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) failure: Option<String>,
    /// Whether the provider has not reported an outcome yet.
    #[serde(default)]
    pub(super) is_pending: bool,
}

#[derive(Deserialize)]
pub(super) struct Cancellation {
    pub(super) after: i64,
    pub(super) by: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shipment {
    pub(super) carrier: String,
    pub(super) tracking_number: String,
    pub(super) tracking_url: String,
    pub(super) shipped: i64,
    pub(super) delivered: Option<i64>,
    /// Defaults to everything that is not shipped yet.
    pub(super) lines: Option<Vec<OrderLine>>,
}

#[derive(Deserialize)]
pub(super) struct Return {
    pub(super) requested: i64,
    pub(super) note: Option<String>,
    pub(super) status: String,
    pub(super) settled: Option<i64>,
    pub(super) rejection: Option<String>,
    pub(super) lines: Vec<ReturnedLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReturnedLine {
    pub(super) sku: String,
    pub(super) quantity: i32,
    pub(super) reason: String,
    pub(super) is_restocked: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    pub(super) after: i64,
    pub(super) by: String,
    pub(super) text: String,
    pub(super) is_internal: bool,
}

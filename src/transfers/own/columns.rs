//! The columns of each noun, in the order of the file.

use super::super::model::Noun;

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

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in both formats.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
}

macro_rules! columns {
    ($($name:ident: $kind:ident,)*) => {
        &[$(Column { name: stringify!($name), kind: Kind::$kind },)*]
    };
}

const PRODUCTS: &[Column] = columns! {
    external_id: Text,
    sku: Text,
    name: Text,
    slug: Text,
    barcode: Text,
    variant: Text,
    description: Text,
    price: Decimal,
    compare_at_price: Decimal,
    cost_price: Decimal,
    category: Path,
    brand: Text,
    supplier: Text,
    supplier_sku: Text,
    group: Text,
    group_name: Text,
    options: Pairs,
    low_stock_at: Integer,
    stock: Integer,
    is_active: Bool,
    images: Images,
};

const STOCK: &[Column] = columns! {
    sku: Text,
    stock: Integer,
    low_stock_at: Integer,
};

const CATEGORIES: &[Column] = columns! {
    external_id: Text,
    path: Path,
    slug: Text,
    description: Text,
    position: Integer,
};

const BRANDS: &[Column] = columns! {
    name: Text,
    slug: Text,
    description: Text,
};

const SUPPLIERS: &[Column] = columns! {
    name: Text,
    contact_name: Text,
    email: Text,
    phone: Text,
    lead_time_days: Integer,
};

const CUSTOMERS: &[Column] = columns! {
    external_id: Text,
    email: Text,
    name: Text,
    phone: Text,
    is_active: Bool,
    addresses: Json,
};

const ORDERS: &[Column] = columns! {
    number: Text,
    status: Text,
    customer_id: Text,
    customer_email: Text,
    placed_at: Text,
    total: Decimal,
    ship_country: Text,
    ship_city: Text,
    ship_district: Text,
    ship_address: Text,
    ship_postal_code: Text,
    lines: Json,
};

const STOCK_MOVEMENTS: &[Column] = columns! {
    sku: Text,
    created_at: Text,
    reason: Text,
    delta: Integer,
    balance: Integer,
    order: Text,
    user: Text,
    note: Text,
};

const REVIEWS: &[Column] = columns! {
    sku: Text,
    customer_id: Text,
    customer_email: Text,
    customer_name: Text,
    rating: Integer,
    title: Text,
    text: Text,
    status: Text,
    is_buyer: Bool,
    created_at: Text,
};

const WEBSITES: &[Column] = columns! {
    code: Text,
    name: Text,
    base_url: Text,
    currency: Text,
};

impl Noun {
    /// Its columns.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Products => PRODUCTS,
            Self::Categories => CATEGORIES,
            Self::Brands => BRANDS,
            Self::Suppliers => SUPPLIERS,
            Self::Customers => CUSTOMERS,
            Self::Orders => ORDERS,
            Self::Stock => STOCK,
            Self::StockMovements => STOCK_MOVEMENTS,
            Self::Reviews => REVIEWS,
            Self::Websites => WEBSITES,
        }
    }
}

//! Parses the rows of Souk's own formats to records.
//! Rule: an absent value is different from an empty one, which clears.

use super::{
    super::record::{
        BillingAddressRecord, CategoryRecord, CustomerRecord, GroupRecord, OrderRecord, ProductRecord, Rejection,
    },
    fields::Fields,
};
use crate::{
    orders::model::OrderAddress,
    products::model::{
        Backorders, InventoryPolicy,
        attributes::{Weight, WeightUnit},
    },
    text::parse_time,
};

const WEIGHT_UNITS: &str = "must be g, kg, oz or lb where weight has a value";

/// Parses a product.
/// # Errors
/// The reason why the row is rejected.
pub fn product(mut fields: Fields) -> Result<ProductRecord, Rejection> {
    let fields = &mut fields;
    Ok(ProductRecord {
        external_id: fields.text("external_id")?.flatten(),
        sku: required(fields, "sku")?,
        name: fields.text("name")?.flatten(),
        slug: fields.text("slug")?.flatten(),
        barcode: fields.text("barcode")?,
        variant: fields.text("variant")?,
        description: fields.text("description")?.map(Option::unwrap_or_default),
        price: fields.decimal("price")?.flatten(),
        compare_at_price: fields.decimal("compare_at_price")?,
        cost_price: fields.decimal("cost_price")?,
        category: fields.path("category")?,
        brand: fields.text("brand")?,
        supplier: fields.text("supplier")?,
        supplier_sku: fields.text("supplier_sku")?,
        group: group(fields)?,
        low_stock_threshold: fields.integer("low_stock_threshold")?.flatten(),
        stock: fields.integer("stock")?.flatten(),
        inventory_policy: choice(fields, "inventory_policy", InventoryPolicy::ALL, InventoryPolicy::as_str)?,
        backorders: choice(fields, "backorders", Backorders::ALL, Backorders::as_str)?,
        is_active: fields.boolean("is_active")?.flatten(),
        images: fields.images("images")?.map(Option::unwrap_or_default),
        tags: fields.list("tags")?.map(Option::unwrap_or_default),
        weight: weight(fields)?,
        seo_title: fields.text("seo_title")?,
        seo_description: fields.text("seo_description")?,
    })
}

/// Parses the stock of a product.
/// # Errors
/// The reason why the row is rejected.
pub fn stock(mut fields: Fields) -> Result<ProductRecord, Rejection> {
    let fields = &mut fields;
    Ok(ProductRecord {
        sku: required(fields, "sku")?,
        stock: fields.integer("stock")?.flatten(),
        low_stock_threshold: fields.integer("low_stock_threshold")?.flatten(),
        inventory_policy: choice(fields, "inventory_policy", InventoryPolicy::ALL, InventoryPolicy::as_str)?,
        backorders: choice(fields, "backorders", Backorders::ALL, Backorders::as_str)?,
        ..ProductRecord::default()
    })
}

/// Parses a category.
/// # Errors
/// The reason why the row is rejected.
pub fn category(mut fields: Fields) -> Result<CategoryRecord, Rejection> {
    let fields = &mut fields;
    Ok(CategoryRecord {
        external_id: fields.text("external_id")?.flatten(),
        path: fields.path("path")?.flatten().ok_or_else(|| missing("path", "a path such as Home > Tea is required"))?,
        slug: fields.text("slug")?.flatten(),
        description: fields.text("description")?.map(Option::unwrap_or_default),
        position: fields.integer("position")?.flatten(),
    })
}

/// Parses a customer.
/// # Errors
/// The reason why the row is rejected.
pub fn customer(mut fields: Fields) -> Result<CustomerRecord, Rejection> {
    let fields = &mut fields;
    let (external_id, email) = (fields.text("external_id")?.flatten(), fields.text("email")?.flatten());
    if external_id.is_none() && email.is_none() {
        return Err(missing("email", "external_id or email is required"));
    }
    Ok(CustomerRecord {
        external_id,
        email,
        name: fields.text("name")?.flatten(),
        phone: fields.text("phone")?,
        is_active: fields.boolean("is_active")?.flatten(),
        addresses: fields.json("addresses")?.map(Option::unwrap_or_default),
    })
}

/// Parses an order.
/// # Errors
/// The reason why the row is rejected.
pub fn order(mut fields: Fields) -> Result<OrderRecord, Rejection> {
    let fields = &mut fields;
    let placed_at = required(fields, "placed_at")?;
    let placed_at = parse_time(&placed_at)
        .ok_or_else(|| missing("placed_at", "must be a date and time such as 2025-01-31T12:00:00Z"))?;
    let mut text = |name| Ok::<_, Rejection>(fields.text(name)?.flatten());
    let shipping_address = OrderAddress {
        recipient_name: text("ship_recipient_name")?,
        company: text("ship_company")?,
        phone: text("ship_phone")?,
        country: text("ship_country")?,
        subdivision: text("ship_subdivision")?,
        city: text("ship_city")?,
        district: text("ship_district")?,
        address: text("ship_address")?,
        postal_code: text("ship_postal_code")?,
    };
    let billing_address: Option<BillingAddressRecord> = fields.json("billing_address")?.flatten();
    Ok(OrderRecord {
        number: required(fields, "number")?,
        status: required(fields, "status")?,
        customer_id: fields.text("customer_id")?.flatten(),
        customer_email: fields.text("customer_email")?.flatten(),
        placed_at,
        shipping_address,
        billing_address: billing_address.map(OrderAddress::from),
        total: fields.decimal("total")?.flatten(),
        lines: fields.json("lines")?.flatten().unwrap_or_default(),
    })
}

fn group(fields: &mut Fields) -> Result<Option<Option<GroupRecord>>, Rejection> {
    let (slug, name, options) = (fields.text("group")?, fields.text("group_name")?, fields.pairs("options")?);
    let (is_given, slug, options) = (slug.is_some(), slug.flatten(), options.flatten());
    let Some(slug) = slug else {
        return match options {
            Some(_) => Err(missing("group", "a product with options must be in a group")),
            None => Ok(is_given.then_some(None)),
        };
    };
    let Some(options) = options else {
        return Err(missing("options", "a product in a group must have options such as Size=M; Color=Red"));
    };
    let name = name.flatten().unwrap_or_else(|| slug.clone());
    Ok(Some(Some(GroupRecord { slug, name, options })))
}

/// Returns the value of an enum; none for an empty cell, which changes nothing.
fn choice<T: Copy>(
    fields: &mut Fields,
    name: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<Option<T>, Rejection> {
    let Some(text) = fields.text(name)?.flatten() else { return Ok(None) };
    let found = all.iter().copied().find(|value| as_str(*value).eq_ignore_ascii_case(&text));
    let values = || all.iter().map(|value| as_str(*value)).collect::<Vec<_>>().join(" or ");
    found.map(Some).ok_or_else(|| missing(name, &format!("{text:?} is not {}", values())))
}

/// A weight and its unit are given together, and cleared by an empty weight.
fn weight(fields: &mut Fields) -> Result<Option<Option<Weight>>, Rejection> {
    let (value, unit) = (fields.decimal("weight")?, fields.text("weight_unit")?.flatten());
    match (value, unit) {
        (None, None) => Ok(None),
        (Some(None), _) => Ok(Some(None)),
        (Some(Some(value)), Some(unit)) => {
            let unit = WeightUnit::parse(&unit).ok_or_else(|| missing("weight_unit", WEIGHT_UNITS))?;
            Ok(Some(Some(Weight { value, unit })))
        }
        (Some(Some(_)), None) => Err(missing("weight_unit", WEIGHT_UNITS)),
        (None, Some(_)) => Err(missing("weight", "the file has units of weight but no weights")),
    }
}

fn required(fields: &mut Fields, name: &str) -> Result<String, Rejection> {
    fields.text(name)?.flatten().ok_or_else(|| missing(name, "a value is required"))
}

fn missing(column: &str, message: &str) -> Rejection {
    Rejection { column: Some(column.to_owned()), message: message.to_owned() }
}

//! What the values of a row of souk's own formats say of each noun.

use super::{
    super::record::{GroupRecord, ProductRecord, Refused},
    fields::Fields,
};

/// A product.
/// # Errors
/// Why the row is refused.
pub fn product(mut fields: Fields) -> Result<ProductRecord, Refused> {
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
        low_stock_at: fields.integer("low_stock_at")?.flatten(),
        stock: fields.integer("stock")?.flatten(),
        is_active: fields.boolean("is_active")?.flatten(),
        images: fields.images("images")?.map(Option::unwrap_or_default),
    })
}

/// The pieces of a product.
/// # Errors
/// Why the row is refused.
pub fn stock(mut fields: Fields) -> Result<ProductRecord, Refused> {
    let fields = &mut fields;
    Ok(ProductRecord {
        sku: required(fields, "sku")?,
        stock: fields.integer("stock")?.flatten(),
        low_stock_at: fields.integer("low_stock_at")?.flatten(),
        ..ProductRecord::default()
    })
}

fn group(fields: &mut Fields) -> Result<Option<Option<GroupRecord>>, Refused> {
    let (slug, name, options) = (fields.text("group")?, fields.text("group_name")?, fields.pairs("options")?);
    let Some(slug) = slug else { return Ok(None) };
    let Some(slug) = slug else { return Ok(Some(None)) };
    let Some(options) = options.flatten() else {
        return Err(missing("options", "a product of a group has options: Size=M; Colour=Red"));
    };
    let name = name.flatten().unwrap_or_else(|| slug.clone());
    Ok(Some(Some(GroupRecord { slug, name, options })))
}

fn required(fields: &mut Fields, name: &str) -> Result<String, Refused> {
    fields.text(name)?.flatten().ok_or_else(|| missing(name, "a row has one"))
}

fn missing(column: &str, message: &str) -> Refused {
    Refused { column: Some(column.to_owned()), message: message.to_owned() }
}

//! Rules for products in files.

mod apply;
pub mod plan;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Nullable, Text},
};

use super::super::{
    super::record::{ProductRecord, Rejection},
    model::Run,
};
use crate::{
    ids::ProductId,
    money::Currency,
    products::model::{Backorders, ProductPatch, attributes::check_tags, bulk::BulkProduct},
    stock::model::MAX_QUANTITY,
    text::{Validator, check_slug, trim_in_place},
};

/// An active product of an earlier import.
#[derive(Debug, QueryableByName)]
pub struct ActiveProduct {
    /// Primary key.
    #[diesel(sql_type = BigInt)]
    pub id: ProductId,
    /// SKU.
    #[diesel(sql_type = Text)]
    pub sku: String,
    /// External ID at the website, if any.
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
}

/// Trims the texts of a row and checks the parts that [`check_state`] does not cover.
/// # Errors
/// The first violated rule.
pub fn check(product: &mut ProductRecord) -> Result<(), Rejection> {
    let ProductRecord { external_id, sku, name, slug, barcode, variant, description, supplier_sku, .. } = &mut *product;
    let given = [external_id, name, slug, description].into_iter().flatten();
    let given = given.chain([barcode, variant, supplier_sku].into_iter().flatten().flatten());
    given.chain([sku]).for_each(trim_in_place);
    let texts = [&mut product.seo_title, &mut product.seo_description];
    texts.into_iter().flatten().flatten().for_each(trim_in_place);
    let mut validator = Validator::new();
    check_tags(&mut validator, product.tags.as_mut());
    for path in product.category.iter_mut().flatten() {
        validator.texts("category", path.iter_mut(), 255);
        if path.len() > 32 {
            return Err(Rejection::at("category", "the tree of categories is at most 32 deep"));
        }
    }
    validator.texts("brand", product.brand.iter_mut().flatten(), 255);
    validator.texts("supplier", product.supplier.iter_mut().flatten(), 255);
    for group in product.group.iter_mut().flatten() {
        check_slug(&mut validator, "group", Some(&mut group.slug));
        validator.text("group_name", &mut group.name, 255);
        for (name, value) in &mut group.options {
            validator.text("options", name, 255);
            validator.text("options", value, 255);
        }
        if !(1..=5).contains(&group.options.len()) {
            return Err(Rejection::at("options", "a product in a group must have between 1 and 5 options"));
        }
    }
    for image in product.images.iter_mut().flatten() {
        trim_in_place(&mut image.url);
        image.alt.iter_mut().for_each(trim_in_place);
    }
    let is_address =
        |url: &str| ["http://", "https://", "/"].iter().any(|begin| url.starts_with(begin)) && !url.starts_with("//");
    if product.images.iter().flatten().any(|image| !is_address(&image.url)) {
        return Err(Rejection::at(
            "images",
            "image URLs must start with https:// or http://, or with / for images of this server",
        ));
    }
    validator.finish().map_err(Rejection::from)
}

/// Names the column of a field that is part of another one in the API.
fn of_column(rejection: Rejection) -> Rejection {
    let column = match rejection.column.as_deref() {
        Some("weight.value") => "weight",
        Some("seo.title") => "seo_title",
        Some("seo.description") => "seo_description",
        _ => return rejection,
    };
    Rejection::at(column, rejection.message)
}

/// Checks the new state of a product by the same rules as the API, and gives its prices the currency's decimal places.
/// # Errors
/// The first violated rule.
pub fn check_state(state: &mut BulkProduct, currency: Currency) -> Result<(), Rejection> {
    let patch = ProductPatch {
        name: Some(state.name.clone()),
        slug: Some(state.slug.clone()),
        sku: Some(state.sku.clone()),
        barcode: Some(state.barcode.clone()),
        variant: Some(state.variant.clone()),
        description: Some(state.description.clone()),
        price: Some(state.price),
        compare_at_price: Some(state.compare_at_price),
        cost_price: Some(state.cost_price),
        supplier_sku: Some(state.supplier_sku.clone()),
        low_stock_threshold: Some(state.low_stock_threshold),
        tags: Some(state.tags.clone()),
        weight: Some(state.weight),
        seo_title: Some(state.seo_title.clone()),
        seo_description: Some(state.seo_description.clone()),
        ..ProductPatch::default()
    };
    let patch = patch.checked(currency).map_err(|error| of_column(error.into()))?;
    state.price = patch.price.unwrap_or_default();
    state.compare_at_price = patch.compare_at_price.flatten();
    state.cost_price = patch.cost_price.flatten();
    let check_quantity = |column: &str, number: i32, min: i32| match (min..=MAX_QUANTITY).contains(&number) {
        true => Ok(()),
        false => Err(Rejection::at(column, format!("must be between {min} and {MAX_QUANTITY}"))),
    };
    check_quantity("stock", state.stock, if state.backorders == Backorders::Allow { -MAX_QUANTITY } else { 0 })?;
    check_quantity("low_stock_threshold", state.low_stock_threshold, 0)?;
    if state.external_id.as_ref().is_some_and(|id| id.chars().count() > 255) {
        return Err(Rejection::at("external_id", "must be at most 255 characters long"));
    }
    Ok(())
}

/// Returns the slug that a row requires. A slug in another shop system's file is only a preference, since several shops
/// may use the same one.
fn requested_slug<'a>(run: &Run<'_>, record: &'a ProductRecord) -> Option<&'a String> {
    record.slug.as_ref().filter(|_| run.options.format.is_native())
}

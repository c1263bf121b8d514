//! Applies a row to the state of its product.
//! Rule: what the row does not contain keeps its value.

use rust_decimal::Decimal;

use super::{
    super::super::{
        super::record::{GroupRecord, ProductRecord, Rejection},
        model::Run,
        references::model::References,
    },
    requested_slug,
};
use crate::{
    money::{Currency, MAX_DIGITS},
    products::model::bulk::BulkProduct,
};

/// Returns the state of a new product before its row is applied.
/// # Errors
/// If the row has no name or no price.
pub(super) fn new_state(record: &ProductRecord) -> Result<BulkProduct, Rejection> {
    let name = record.name.clone().ok_or_else(|| Rejection::at("name", "a new product must have a name"))?;
    let price: Decimal = record.price.ok_or_else(|| Rejection::at("price", "a new product must have a price"))?;
    Ok(BulkProduct { name, price, low_stock_threshold: 5, is_active: true, ..BulkProduct::default() })
}

/// Rounds an amount with more decimal places than any currency has. Other shop systems write such amounts where they
/// calculated them, for example a price without tax. Any other amount that does not fit its currency is rejected.
fn round_calculated(amount: Decimal, currency: Currency) -> Decimal {
    if amount.normalize().scale() > MAX_DIGITS { currency.round(amount) } else { amount }
}

/// Applies a row to the state of a product.
/// # Errors
/// If the row refers to something that could not be created, or does not fit its group.
pub(super) fn apply(
    record: &ProductRecord,
    run: &Run<'_>,
    references: &References,
    state: &mut BulkProduct,
) -> Result<(), Rejection> {
    fn set<T: Clone>(into: &mut T, given: Option<&T>) {
        if let Some(given) = given {
            into.clone_from(given);
        }
    }
    state.sku.clone_from(&record.sku);
    if record.external_id.is_some() {
        state.external_id.clone_from(&record.external_id);
    }
    set(&mut state.name, record.name.as_ref());
    set(&mut state.slug, requested_slug(run, record));
    set(&mut state.barcode, record.barcode.as_ref());
    set(&mut state.variant, record.variant.as_ref());
    set(&mut state.description, record.description.as_ref());
    let amount = |given: Decimal| match run.options.format.is_native() {
        true => given,
        false => round_calculated(given, run.website.currency()),
    };
    set(&mut state.price, record.price.map(amount).as_ref());
    set(&mut state.compare_at_price, record.compare_at_price.map(|price| price.map(amount)).as_ref());
    set(&mut state.cost_price, record.cost_price.map(|price| price.map(amount)).as_ref());
    set(&mut state.supplier_sku, record.supplier_sku.as_ref());
    set(&mut state.low_stock_threshold, record.low_stock_threshold.as_ref());
    set(&mut state.inventory_policy, record.inventory_policy.as_ref());
    set(&mut state.backorders, record.backorders.as_ref());
    set(&mut state.stock, record.stock.as_ref());
    set(&mut state.is_active, record.is_active.as_ref());
    set(&mut state.tags, record.tags.as_ref());
    set(&mut state.weight, record.weight.map(|weight| weight.map(|weight| weight.value)).as_ref());
    set(&mut state.weight_unit, record.weight.map(|weight| weight.map(|weight| weight.unit)).as_ref());
    set(&mut state.seo_title, record.seo_title.as_ref());
    set(&mut state.seo_description, record.seo_description.as_ref());
    let unknown = |column| Rejection::at(column, "it could not be created");
    if let Some(path) = &record.category {
        let id = path.as_ref().map(|path| references.category(path).ok_or_else(|| unknown("category")));
        state.category_id = id.transpose()?;
    }
    if let Some(name) = &record.brand {
        state.brand_id =
            name.as_ref().map(|name| references.brand(name).ok_or_else(|| unknown("brand"))).transpose()?;
    }
    if let Some(name) = &record.supplier {
        let id = name.as_ref().map(|name| references.supplier(name).ok_or_else(|| unknown("supplier")));
        state.supplier_id = id.transpose()?;
    }
    match &record.group {
        None => {}
        Some(None) => (state.group_id, state.option_values) = (None, Vec::new()),
        Some(Some(group)) => set_group(group, run, references, state)?,
    }
    Ok(())
}

fn set_group(
    record: &GroupRecord,
    run: &Run<'_>,
    references: &References,
    state: &mut BulkProduct,
) -> Result<(), Rejection> {
    let group = references.group(&record.slug).ok_or_else(|| Rejection::at("group", "it could not be created"))?;
    if group.website != run.website.id.0 {
        return Err(Rejection::at("group", "a group of another website has this slug"));
    }
    let names: Vec<&str> = record.options.iter().map(|(name, _)| name.as_str()).collect();
    if names != group.varies_by {
        let rule =
            format!("the group has the options {}, the row has {}", group.varies_by.join(", "), names.join(", "));
        return Err(Rejection::at("options", rule));
    }
    state.group_id = Some(group.id);
    state.option_values = record.options.iter().map(|(_, value)| value.clone()).collect();
    Ok(())
}

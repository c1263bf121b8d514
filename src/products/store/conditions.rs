//! Conditions of product lists as SQL.

use diesel::{
    define_sql_function,
    dsl::{exists, not},
    prelude::*,
    sql_types::{Array, Text},
};

use super::writable;
use crate::{
    db::{
        filter::Condition,
        sql::{name_op, op, text_op},
        tables::{categories, images, products},
        user_op::user_op,
    },
    products::model::ProductCondition,
    websites::store::website_op,
};

define_sql_function! {
    /// Returns tags in lower case. The index `products_tags_idx` has them for each product.
    fn souk_tag_keys(tags: Array<Text>) -> Array<Text>;
}

/// Translates a condition of a list to SQL.
pub(super) fn condition(condition: &ProductCondition) -> Condition<'static, products::table> {
    use ProductCondition as C;
    match condition {
        C::Id(id) => op!(id, products::id),
        C::Name(name) => name_op!(name, products::name),
        C::Sku(sku) => text_op!(sku, products::sku),
        C::Barcode(barcode) => text_op!(barcode, products::barcode.assume_not_null(), products::barcode),
        C::Price(price) => op!(price, products::price),
        C::Stock(scope, stock) => {
            let stock: Condition<'static, products::table> = op!(stock, products::stock);
            Box::new(stock.and(writable(scope)))
        }
        C::Availability(availability) => op!(availability, products::availability),
        C::Category(category) => op!(category, products::category_id.assume_not_null(), products::category_id),
        C::Group(group) => op!(group, products::group_id.assume_not_null(), products::group_id),
        C::CategoryTree(roots) => {
            let below = categories::table.filter(categories::path.overlaps_with(roots.clone())).select(categories::id);
            Box::new(products::category_id.is_not_null().and(products::category_id.assume_not_null().eq_any(below)))
        }
        C::Brand(brand) => op!(brand, products::brand_id.assume_not_null(), products::brand_id),
        C::Supplier(supplier) => op!(supplier, products::supplier_id.assume_not_null(), products::supplier_id),
        C::SourceWebsite(website) => website_op!(website, products::source_website_id),
        C::Seller(scope, seller) => user_op!(scope, seller, products.seller_id),
        C::HasImages(has_images) => {
            let own = images::table
                .filter(images::product_id.assume_not_null().eq(products::id))
                .filter(images::media_id.is_not_null());
            if *has_images { Box::new(exists(own)) } else { Box::new(not(exists(own))) }
        }
        C::IsActive(active) => Box::new(products::is_active.eq(*active)),
        C::CreatedAt(at) => op!(at, products::created_at),
        C::AnyTag(tags) => Box::new(souk_tag_keys(products::tags).overlaps_with(souk_tag_keys(tags.clone()))),
        C::AllTags(tags) => Box::new(souk_tag_keys(products::tags).contains(souk_tag_keys(tags.clone()))),
    }
}

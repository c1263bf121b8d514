//! The columns of other shop systems that correspond to those of Souk, for messages about a value.
//! Rule: the readers of the formats find their columns by the same names.

use super::{Shop, csv_reader::Header};
use crate::transfers::record::Columns;

/// A column of Souk's format and the columns of another one, of which the first that a file has is shown.
type Names = (&'static str, &'static [&'static str]);

/// Columns of weights, with the unit or without it.
const WEIGHTS: &[&str] = &["weight (kg)", "weight (g)", "weight (lbs)", "weight (lb)", "weight (oz)", "weight"];

const SHOPIFY: &[Names] = &[
    ("external_id", &["option1 value", "handle", "url handle"]),
    ("sku", &["variant sku", "sku"]),
    ("name", &["title"]),
    ("slug", &["handle", "url handle"]),
    ("barcode", &["variant barcode", "barcode"]),
    ("variant", &["option1 value"]),
    ("description", &["body (html)", "body html", "description"]),
    ("price", &["variant price", "price"]),
    ("compare_at_price", &["variant compare at price", "compare-at price", "compare at price"]),
    ("cost_price", &["cost per item"]),
    ("category", &["product category", "standard product type", "standardized product type", "type"]),
    ("brand", &["vendor"]),
    ("group", &["handle", "url handle"]),
    ("group_name", &["title"]),
    ("options", &["option1 value"]),
    ("stock", &["variant inventory qty", "inventory quantity"]),
    ("inventory_policy", &["variant inventory tracker", "inventory tracker"]),
    ("backorders", &["variant inventory policy", "continue selling when out of stock"]),
    ("images", &["image src", "product image url"]),
    ("tags", &["tags"]),
    ("weight", &["variant grams", "weight value (grams)"]),
    ("seo_title", &["seo title"]),
    ("seo_description", &["seo description"]),
];

const WOOCOMMERCE: &[Names] = &[
    ("external_id", &["id"]),
    ("sku", &["sku"]),
    ("name", &["name"]),
    ("slug", &["name"]),
    ("barcode", &["gtin, upc, ean, or isbn"]),
    ("variant", &["attribute 1 value(s)"]),
    ("description", &["description", "short description"]),
    ("price", &["regular price"]),
    ("compare_at_price", &["regular price"]),
    ("cost_price", &["cost of goods"]),
    ("category", &["categories"]),
    ("brand", &["brands"]),
    ("group", &["parent"]),
    ("group_name", &["parent"]),
    ("options", &["attribute 1 value(s)"]),
    ("low_stock_threshold", &["low stock amount"]),
    ("stock", &["stock"]),
    ("inventory_policy", &["stock"]),
    ("backorders", &["backorders allowed?"]),
    ("images", &["images"]),
    ("tags", &["tags"]),
    ("weight", WEIGHTS),
    ("seo_title", &["meta: _yoast_wpseo_title", "meta: rank_math_title"]),
    ("seo_description", &["meta: _yoast_wpseo_metadesc", "meta: rank_math_description"]),
];

const MAGENTO: &[Names] = &[
    ("external_id", &["sku"]),
    ("sku", &["sku"]),
    ("name", &["name"]),
    ("slug", &["url_key"]),
    ("barcode", &["gtin", "ean", "ean13", "ean_code", "upc", "barcode", "isbn", "additional_attributes"]),
    ("variant", &["configurable_variations"]),
    ("description", &["description", "short_description"]),
    ("price", &["price"]),
    ("compare_at_price", &["price"]),
    ("cost_price", &["cost"]),
    ("category", &["categories"]),
    ("brand", &["brand", "manufacturer", "additional_attributes"]),
    ("group", &["configurable_variations"]),
    ("group_name", &["name"]),
    ("options", &["configurable_variations"]),
    ("low_stock_threshold", &["notify_on_stock_below"]),
    ("stock", &["qty"]),
    ("inventory_policy", &["manage_stock"]),
    ("backorders", &["allow_backorders"]),
    ("images", &["base_image", "additional_images"]),
    ("tags", &["tags", "additional_attributes"]),
    ("weight", WEIGHTS),
    ("seo_title", &["meta_title"]),
    ("seo_description", &["meta_description"]),
];

/// Returns the file's own names of the columns, by the names in Souk's format.
pub(super) fn own_names(shop: Shop, header: &Header) -> Columns {
    let names = match shop {
        Shop::Shopify => SHOPIFY,
        Shop::WooCommerce => WOOCOMMERCE,
        Shop::Magento => MAGENTO,
    };
    names.iter().filter_map(|(souk, own)| Some((*souk, header.find(own).name()?.to_owned()))).collect()
}

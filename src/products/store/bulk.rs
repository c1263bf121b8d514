//! Bulk writes of products: one statement for many rows, columns as arrays.
//! Rule: a constraint that one of the rows violates becomes a user error, so that the caller can find the row.

use std::collections::HashMap;

use diesel::{
    QueryableByName,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::super::model::{attributes::WeightUnit, bulk::BulkProduct};
use crate::{
    db::{Conn, tables::products},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{ProductId, WebsiteId},
};

/// A product of an imported list of sales.
#[derive(Debug, Clone, Copy)]
pub struct SoldProduct<'a> {
    /// SKU.
    pub sku: &'a str,
    /// Name.
    pub name: &'a str,
    /// URL slug.
    pub slug: &'a str,
    /// Price.
    pub price: Decimal,
    /// Whether the product is for sale.
    pub is_active: bool,
}

/// A product that was added.
#[derive(Debug, QueryableByName)]
pub struct InsertedProduct {
    /// Primary key.
    #[diesel(sql_type = BigInt)]
    pub id: ProductId,
    /// SKU.
    #[diesel(sql_type = Text)]
    pub sku: String,
    /// Whether the product is for sale.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}

/// Binds one array for each column, in the column order of `rows!`.
macro_rules! bind_rows {
    ($query:expr, $states:expr) => {{
        let states = $states;
        macro_rules! all {
            ($of:expr) => {
                states.iter().map($of).collect::<Vec<_>>()
            };
        }
        $query
            .bind::<Array<BigInt>, _>(all!(|s| s.id))
            .bind::<Array<Text>, _>(all!(|s| s.sku.as_str()))
            .bind::<Array<Text>, _>(all!(|s| s.name.as_str()))
            .bind::<Array<Text>, _>(all!(|s| s.slug.as_str()))
            .bind::<Array<Nullable<Text>>, _>(all!(|s| s.barcode.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(all!(|s| s.variant.as_deref()))
            .bind::<Array<Text>, _>(all!(|s| s.description.as_str()))
            .bind::<Array<Numeric>, _>(all!(|s| s.price))
            .bind::<Array<Nullable<Numeric>>, _>(all!(|s| s.compare_at_price))
            .bind::<Array<Nullable<Numeric>>, _>(all!(|s| s.cost_price))
            .bind::<Array<Nullable<BigInt>>, _>(all!(|s| s.category_id))
            .bind::<Array<Nullable<BigInt>>, _>(all!(|s| s.brand_id))
            .bind::<Array<Nullable<BigInt>>, _>(all!(|s| s.supplier_id))
            .bind::<Array<Nullable<Text>>, _>(all!(|s| s.supplier_sku.as_deref()))
            .bind::<Array<Nullable<BigInt>>, _>(all!(|s| s.group_id))
            // unnest flattens nested arrays, so the values are joined by a character that no stored text contains.
            .bind::<Array<Text>, _>(all!(|s| s.option_values.join("\u{1f}")))
            .bind::<Array<Integer>, _>(all!(|s| s.low_stock_threshold))
            .bind::<Array<Integer>, _>(all!(|s| s.stock))
            .bind::<Array<Bool>, _>(all!(|s| s.is_active))
            .bind::<Array<Text>, _>(all!(|s| s.tags.join("\u{1f}")))
            .bind::<Array<Nullable<Numeric>>, _>(all!(|s| s.weight))
            .bind::<Array<Nullable<Text>>, _>(all!(|s| s.weight_unit.map(WeightUnit::as_str)))
            .bind::<Array<Nullable<Text>>, _>(all!(|s| s.seo_title.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(all!(|s| s.seo_description.as_deref()))
            .bind::<Array<Text>, _>(all!(|s| s.inventory_policy))
            .bind::<Array<Text>, _>(all!(|s| s.backorders))
    }};
}

/// The rows bound by `bind_rows!`, as a table expression.
macro_rules! rows {
    () => {
        "unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
                $25, $26)
             WITH ORDINALITY AS r (id, sku, name, slug, barcode, variant, description, price, compare_at_price, cost_price,
                 category_id, brand_id, supplier_id, supplier_sku, group_id, options, low_stock_threshold, stock, is_active,
                 tags, weight, weight_unit, seo_title, seo_description, inventory_policy, backorders, place)"
    };
}

/// The option values as an array, split from the joined text.
macro_rules! options {
    () => {
        "CASE WHEN r.group_id IS NULL THEN '{}' ELSE string_to_array(r.options, chr(31)) END"
    };
}

/// The tags as an array, split from the joined text, and the columns after them.
macro_rules! attributes {
    () => {
        "string_to_array(r.tags, chr(31)), r.weight, r.weight_unit, r.seo_title, r.seo_description"
    };
}

/// Inserts products with their stock and returns their keys by SKU.
/// # Errors
/// Returns user errors of violated constraints.
pub async fn insert(mut conn: &Conn, website: WebsiteId, states: &[&BulkProduct]) -> Result<HashMap<String, i64>> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = Text)]
        sku: String,
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    if states.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sql_query(concat!(
        "INSERT INTO products (source_website_id, sku, name, slug, barcode, variant, description, price, compare_at_price,
                               cost_price, category_id, brand_id, supplier_id, supplier_sku, group_id, option_values,
                               low_stock_threshold, stock, is_active, inventory_policy, backorders, tags, weight, weight_unit,
                               seo_title, seo_description)
         SELECT $27, r.sku, r.name, r.slug, r.barcode, r.variant, r.description, r.price, r.compare_at_price, r.cost_price,
                r.category_id, r.brand_id, r.supplier_id, r.supplier_sku, r.group_id, ",
        options!(),
        ", r.low_stock_threshold, r.stock, r.is_active, r.inventory_policy, r.backorders, ",
        attributes!(),
        " FROM ",
        rows!(),
        " ORDER BY r.place RETURNING sku, id"
    ));
    let inserted: Vec<Inserted> =
        bind_rows!(query, states).bind::<BigInt, _>(website).load(&mut conn).await.map_err(constraint_error)?;
    Ok(inserted.into_iter().map(|inserted| (inserted.sku, inserted.id)).collect())
}

/// Updates all columns of products except the stock. The caller holds their locks.
/// # Errors
/// Returns those of [`insert`].
pub async fn update(mut conn: &Conn, states: &[&BulkProduct]) -> Result<()> {
    if states.is_empty() {
        return Ok(());
    }
    let query = sql_query(concat!(
        "UPDATE products p SET (sku, name, slug, barcode, variant, description, price, compare_at_price, cost_price,
                                category_id, brand_id, supplier_id, supplier_sku, group_id, option_values, low_stock_threshold, is_active,
                                inventory_policy, backorders, tags, weight, weight_unit, seo_title, seo_description)
         = (r.sku, r.name, r.slug, r.barcode, r.variant, r.description, r.price, r.compare_at_price, r.cost_price,
            r.category_id, r.brand_id, r.supplier_id, r.supplier_sku, r.group_id, ",
        options!(),
        ", r.low_stock_threshold, r.is_active, r.inventory_policy, r.backorders, ",
        attributes!(),
        ") FROM ",
        rows!(),
        " WHERE p.id = r.id"
    ));
    bind_rows!(query, states).execute(&mut conn).await.map_err(constraint_error)?;
    Ok(())
}

/// Deactivates products. The caller holds their locks.
pub async fn deactivate(mut conn: &Conn, ids: &[ProductId]) -> Result<()> {
    let query = diesel::update(products::table.filter(products::id.eq_any(ids)));
    query.set(products::is_active.eq(false)).execute(&mut conn).await?;
    Ok(())
}

fn constraint_error(error: diesel::result::Error) -> Error {
    let taken = |field, message| UserError::new(UserErrorCode::Taken, field, message);
    Error::from(error)
        .on_constraint("products_source_website_id_sku_key", || {
            taken("sku", "another product of this website has this SKU")
        })
        .on_constraint("products_slug_key", || taken("slug", "another product has this slug"))
        .on_constraint("products_group_id_option_values_key", || {
            taken("options", "another product of the group has these options")
        })
        .on_constraint("products_option_values_length", || {
            UserError::new(UserErrorCode::TooLong, "options", "each option value must have 1 to 100 characters")
        })
        .on_constraint("products_per_group", || {
            UserError::new(UserErrorCode::OutOfRange, "group", "a group has at most 1,000 products")
        })
}

/// Inserts the products that the website does not have yet, without stock.
pub async fn insert_missing(
    mut conn: &Conn,
    website: WebsiteId,
    products: &[SoldProduct<'_>],
) -> Result<Vec<InsertedProduct>> {
    let query = sql_query(
        "INSERT INTO products (source_website_id, sku, name, slug, price, is_active)
         SELECT $1, p.sku, p.name, p.slug, p.price, p.is_active
         FROM unnest($2, $3, $4, $5, $6) AS p (sku, name, slug, price, is_active) ORDER BY p.sku
         ON CONFLICT ON CONSTRAINT products_source_website_id_sku_key DO NOTHING
         RETURNING id, sku, is_active",
    );
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(products.iter().map(|p| p.sku).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(products.iter().map(|p| p.name).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(products.iter().map(|p| p.slug).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(products.iter().map(|p| p.price).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(products.iter().map(|p| p.is_active).collect::<Vec<_>>());
    Ok(query.load(&mut conn).await?)
}

/// Updates names and prices where they differ and returns the SKUs of the products that changed. The caller holds their
/// locks.
pub async fn update_names_and_prices(mut conn: &Conn, products: &[(ProductId, &str, Decimal)]) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Changed {
        #[diesel(sql_type = Text)]
        sku: String,
    }
    let query = sql_query(
        "UPDATE products p SET name = s.name, price = s.price
         FROM unnest($1, $2, $3) AS s (id, name, price)
         WHERE p.id = s.id AND (p.name, p.price) IS DISTINCT FROM (s.name, s.price)
         RETURNING p.sku",
    );
    let query = query
        .bind::<Array<BigInt>, _>(products.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(products.iter().map(|(_, name, _)| *name).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(products.iter().map(|(.., price)| *price).collect::<Vec<_>>());
    let rows: Vec<Changed> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| row.sku).collect())
}

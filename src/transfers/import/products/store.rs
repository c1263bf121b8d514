//! Every statement on the products of a batch: one each, rows as arrays.

use std::collections::HashMap;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text},
};
use diesel_async::RunQueryDsl;

use super::{super::super::record::ProductRecord, plan::Found, state::State};
use crate::{
    db::Conn,
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
};

/// Binds one array for each column, in the order of [`ROWS`].
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
            // An array of arrays cannot be taken apart by rows; no text that is stored holds this sign.
            .bind::<Array<Text>, _>(all!(|s| s.option_values.join("\u{1f}")))
            .bind::<Array<Integer>, _>(all!(|s| s.low_stock_at))
            .bind::<Array<Integer>, _>(all!(|s| s.stock))
            .bind::<Array<Bool>, _>(all!(|s| s.is_active))
    }};
}

/// The rows of [`bind_rows`], as a table.
macro_rules! rows {
    () => {
        "unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
             WITH ORDINALITY AS r (id, sku, name, slug, barcode, variant, description, price, compare_at_price, cost_price,
                 category_id, brand_id, supplier_id, supplier_sku, group_id, options, low_stock_at, stock, is_active, place)"
    };
}

/// The values of options out of the one text.
macro_rules! options {
    () => {
        "CASE WHEN r.group_id IS NULL THEN '{}' ELSE string_to_array(r.options, chr(31)) END"
    };
}

/// The products that these rows mean.
pub async fn find(mut conn: &Conn, website: WebsiteId, records: &[&ProductRecord]) -> Result<Found> {
    let query = sql_query(
        "SELECT p.id, s.external_id, p.sku, p.name, p.slug, p.barcode, p.variant, p.description, p.price, p.compare_at_price,
                p.cost_price, p.category_id, p.brand_id, p.supplier_id, p.supplier_sku, p.group_id, p.option_values,
                p.low_stock_at, p.stock, p.is_active
         FROM products p LEFT JOIN sources s ON s.noun = 'Product' AND s.noun_id = p.id AND s.website_id = $1
         WHERE p.id IN (SELECT id FROM products WHERE source_website_id = $1 AND sku = ANY ($2)
                        UNION SELECT noun_id FROM sources WHERE noun = 'Product' AND website_id = $1 AND external_id = ANY ($3))
           AND p.source_website_id = $1",
    );
    let skus: Vec<&str> = records.iter().map(|record| record.sku.as_str()).collect();
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let query = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(skus).bind::<Array<Text>, _>(ids);
    Ok(Found::new(query.load(&mut conn).await?))
}

/// Makes products, their stock with them; their keys by SKU.
/// # Errors
/// User errors of what only the database can find.
pub async fn insert(mut conn: &Conn, website: WebsiteId, states: &[&State]) -> Result<HashMap<String, i64>> {
    #[derive(QueryableByName)]
    struct Made {
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
                               low_stock_at, stock, is_active)
         SELECT $20, r.sku, r.name, r.slug, r.barcode, r.variant, r.description, r.price, r.compare_at_price, r.cost_price,
                r.category_id, r.brand_id, r.supplier_id, r.supplier_sku, r.group_id, ",
        options!(),
        ", r.low_stock_at, r.stock, r.is_active FROM ",
        rows!(),
        " ORDER BY r.place RETURNING sku, id"
    ));
    let made: Vec<Made> =
        bind_rows!(query, states).bind::<BigInt, _>(website).load(&mut conn).await.map_err(refused)?;
    Ok(made.into_iter().map(|made| (made.sku, made.id)).collect())
}

/// Changes products, all but their stock. The caller holds their locks.
/// # Errors
/// As [`insert`].
pub async fn update(mut conn: &Conn, states: &[&State]) -> Result<()> {
    if states.is_empty() {
        return Ok(());
    }
    let query = sql_query(concat!(
        "UPDATE products p SET (sku, name, slug, barcode, variant, description, price, compare_at_price, cost_price,
                                category_id, brand_id, supplier_id, supplier_sku, group_id, option_values, low_stock_at, is_active)
         = (r.sku, r.name, r.slug, r.barcode, r.variant, r.description, r.price, r.compare_at_price, r.cost_price,
            r.category_id, r.brand_id, r.supplier_id, r.supplier_sku, r.group_id, ",
        options!(),
        ", r.low_stock_at, r.is_active) FROM ",
        rows!(),
        " WHERE p.id = r.id"
    ));
    bind_rows!(query, states).execute(&mut conn).await.map_err(refused)?;
    Ok(())
}

fn refused(error: diesel::result::Error) -> Error {
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
            UserError::new(UserErrorCode::TooLong, "options", "a value has 1 to 100 characters")
        })
        .on_constraint("products_per_group", || {
            UserError::new(UserErrorCode::OutOfRange, "group", "a group has at most 1,000 products")
        })
}

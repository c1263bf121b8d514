//! SQL statements that find the products of a batch, and those of earlier imports.
//! Rule: the writes are in `products::store::bulk`.

use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{super::super::record::ProductRecord, model::ActiveProduct};
use crate::{
    db::Conn,
    error::Result,
    ids::{ProductId, WebsiteId},
    products::model::bulk::BulkProduct,
};

/// Returns up to `limit` active products of a website that were imported from it, in the order of their keys.
pub async fn active_imported(
    mut conn: &Conn,
    website: WebsiteId,
    after: ProductId,
    limit: i64,
) -> Result<Vec<ActiveProduct>> {
    let query = sql_query(
        "SELECT p.id, p.sku, s.external_id FROM products p
         JOIN sources s ON s.resource_type = 'Product' AND s.resource_id = p.id AND s.website_id = $1
         WHERE p.source_website_id = $1 AND p.is_active AND p.id > $2 ORDER BY p.id LIMIT $3",
    );
    let query = query.bind::<BigInt, _>(website).bind::<BigInt, _>(after).bind::<BigInt, _>(limit);
    Ok(query.load(&mut conn).await?)
}

/// Returns the products with the SKUs or external IDs of these rows.
pub async fn find(mut conn: &Conn, website: WebsiteId, records: &[&ProductRecord]) -> Result<Vec<BulkProduct>> {
    let query = sql_query(
        "SELECT p.id, s.external_id, p.sku, p.name, p.slug, p.barcode, p.variant, p.description, p.price, p.compare_at_price,
                p.cost_price, p.category_id, p.brand_id, p.supplier_id, p.supplier_sku, p.group_id, p.option_values,
                p.low_stock_threshold, p.inventory_policy, p.backorders, p.stock, p.is_active, p.tags, p.weight, p.weight_unit,
                p.seo_title, p.seo_description
         FROM products p LEFT JOIN sources s ON s.resource_type = 'Product' AND s.resource_id = p.id AND s.website_id = $1
         WHERE p.id IN (SELECT id FROM products WHERE source_website_id = $1 AND sku = ANY ($2)
                        UNION SELECT resource_id FROM sources WHERE resource_type = 'Product' AND website_id = $1 AND external_id = ANY ($3))
           AND p.source_website_id = $1",
    );
    let skus: Vec<&str> = records.iter().map(|record| record.sku.as_str()).collect();
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let query = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(skus).bind::<Array<Text>, _>(ids);
    Ok(query.load(&mut conn).await?)
}

//! SQL statement that finds the products of a batch.
//! Rule: the writes are in `products::store::bulk`.

use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::super::super::record::ProductRecord;
use crate::{db::Conn, error::Result, ids::WebsiteId, products::model::bulk::BulkProduct};

/// Returns the products with the SKUs or external IDs of these rows.
pub async fn find(mut conn: &Conn, website: WebsiteId, records: &[&ProductRecord]) -> Result<Vec<BulkProduct>> {
    let query = sql_query(
        "SELECT p.id, s.external_id, p.sku, p.name, p.slug, p.barcode, p.variant, p.description, p.price, p.compare_at_price,
                p.cost_price, p.category_id, p.brand_id, p.supplier_id, p.supplier_sku, p.group_id, p.option_values,
                p.low_stock_threshold, p.stock, p.is_active
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

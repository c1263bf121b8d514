//! SQL statement that finds the customers of a batch.
//! Rule: the writes are in `users::store`.

use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{super::super::record::CustomerRecord, model::CustomerState};
use crate::{db::Conn, error::Result, ids::WebsiteId};

/// Returns the customers with the external IDs or email addresses of these rows, sorted by ID; locks them on request.
pub async fn find(
    mut conn: &Conn,
    website: WebsiteId,
    records: &[&CustomerRecord],
    is_locking: bool,
) -> Result<Vec<CustomerState>> {
    let lock = if is_locking { "FOR NO KEY UPDATE OF u" } else { "" };
    let query = sql_query(format!(
        "SELECT u.id, s.external_id, u.email::text AS email, u.name, u.phone, u.is_active,
                u.role_id = (SELECT id FROM roles WHERE code = 'customer') AS is_customer,
                u.source_website_id IS NULL OR u.source_website_id = $1 AS is_source_website,
                s.resource_id IS NOT NULL OR u.source_website_id IS NOT DISTINCT FROM $1 AS is_known,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('recipient_name', a.recipient_name, 'company', a.company,
                    'phone', a.phone, 'country', a.country, 'subdivision', a.subdivision, 'city', a.city, 'district', a.district,
                    'address', a.address, 'postal_code', a.postal_code, 'is_default', a.is_default) ORDER BY a.id), '[]')
                 FROM addresses a WHERE a.user_id = u.id) AS addresses
         FROM users u LEFT JOIN sources s ON s.resource_type = 'User' AND s.resource_id = u.id AND s.website_id = $1
         WHERE u.id IN (SELECT resource_id FROM sources WHERE resource_type = 'User' AND website_id = $1 AND external_id = ANY ($2)
                        UNION SELECT id FROM users WHERE email = ANY ($3::citext[]))
         ORDER BY u.id {lock}"
    ));
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let emails: Vec<&str> = records.iter().filter_map(|record| record.email.as_deref()).collect();
    let query = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(ids).bind::<Array<Text>, _>(emails);
    Ok(query.load(&mut conn).await?)
}

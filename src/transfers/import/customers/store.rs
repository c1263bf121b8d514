//! SQL statement that finds the customers of a batch.
//! Rule: the writes are in `users::store`.

use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::{super::super::record::CustomerRecord, model::CustomerState};
use crate::{db::Conn, error::Result, ids::WebsiteId};

/// The condition under which a row finds the user `u` by an email address: its owner confirmed it, or an import of the same
/// website `$1` created the user, who has no password and confirms the address before the first login. An address proves
/// nothing otherwise: anybody can register with it, and staff of another website can enter it.
pub(in super::super) const MATCHES_EMAIL: &str = "(u.email_verified_at IS NOT NULL
    OR u.password_hash IS NULL AND coalesce(u.source_website_id = $1, false))";

/// Returns the users with the external IDs of these rows, and the visible ones with their email addresses, sorted by ID;
/// locks them on request.
pub async fn find(
    mut conn: &Conn,
    website: WebsiteId,
    visible: Option<&[WebsiteId]>,
    records: &[&CustomerRecord],
    is_locking: bool,
) -> Result<Vec<CustomerState>> {
    let lock = if is_locking { "FOR NO KEY UPDATE OF u" } else { "" };
    let query = sql_query(format!(
        "SELECT u.id, s.external_id, coalesce(u.email, u.imported_email)::text AS email,
                u.imported_email IS NOT NULL AS is_email_unconfirmed, u.name, u.phone, u.is_active,
                u.role_id = (SELECT id FROM roles WHERE code = 'customer') AS is_customer,
                $4 IS NULL OR coalesce(u.source_website_id = ANY ($4), false) AS is_visible,
                u.email_verified_at IS NOT NULL OR u.password_hash IS NULL AS can_be_changed,
                {MATCHES_EMAIL} AS can_be_found_by_email,
                u.source_website_id IS NULL OR u.source_website_id = $1 AS is_source_website,
                s.resource_id IS NOT NULL OR u.source_website_id IS NOT DISTINCT FROM $1 AS is_known,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('recipient_name', a.recipient_name, 'company', a.company,
                    'phone', a.phone, 'country', a.country, 'subdivision', a.subdivision, 'city', a.city, 'district', a.district,
                    'address', a.address, 'postal_code', a.postal_code, 'is_default', a.is_default) ORDER BY a.id), '[]')
                 FROM addresses a WHERE a.user_id = u.id) AS addresses
         FROM users u LEFT JOIN sources s ON s.resource_type = 'User' AND s.resource_id = u.id AND s.website_id = $1
         WHERE u.id IN (SELECT resource_id FROM sources WHERE resource_type = 'User' AND website_id = $1 AND external_id = ANY ($2)
                        UNION SELECT id FROM users WHERE email = ANY ($3::citext[]) AND ($4 IS NULL OR source_website_id = ANY ($4))
                        UNION SELECT id FROM users WHERE imported_email = ANY ($3::citext[]) AND source_website_id = $1)
         ORDER BY u.id {lock}"
    ));
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let emails: Vec<&str> = records.iter().filter_map(|record| record.email.as_deref()).collect();
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Text>, _>(emails)
        .bind::<Nullable<Array<BigInt>>, _>(visible.map(<[WebsiteId]>::to_vec));
    Ok(query.load(&mut conn).await?)
}

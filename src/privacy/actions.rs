//! Export and erasure of a user's personal data.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use serde_json::{Value, json};

use super::model;
use crate::{
    access::{
        self,
        actions::{cache::refresh_cache, login::end_other_sessions, passwords::verify_password, targets::lock_target},
    },
    audit,
    auth::{Passwords, Permission, PermissionCache, Scope, Viewer},
    config::AttemptSettings,
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{OrderId, RowId, UserId, WebsiteId},
    jobs,
    money::Currency,
    orders::{self, model::OrderRow},
    payments,
    registry::domains,
    sources::{self, model::SourceType},
    users::{self, model::UserRow},
    websites,
};

/// The sections of an export that its reader may see: users read everything about themselves, staff what their
/// permissions show them elsewhere, too.
struct Reader<'a> {
    viewer: &'a Viewer,
    is_own: bool,
}

impl Reader<'_> {
    /// Returns the rows of a section that the reader sees, where `permission` allows others to see it; none if the reader
    /// sees none.
    fn scope(&self, permission: Option<Permission>) -> Option<Scope> {
        if self.is_own {
            return Some(Scope::All);
        }
        let permission = permission.filter(|permission| self.viewer.can(*permission))?;
        Some(self.viewer.scope(permission))
    }

    /// Returns the rows of the payments that the reader sees.
    fn payment_scope(&self) -> Option<Scope> {
        let readers = [Permission::ManageOrders, Permission::ManagePayments];
        readers.into_iter().find_map(|permission| self.scope(Some(permission)))
    }

    fn sees_identity_at(&self, website: WebsiteId) -> bool {
        self.is_own || self.viewer.can_access_website(website)
    }
}

/// Returns the personal data of the viewer or, for staff, what they may see of another user's; none if the viewer may not
/// see the user. A section that the viewer may not see is null.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key that requests its owner's data, since keys have
/// limited permissions.
pub async fn export(db: &Db, viewer: &Viewer, id: UserId) -> Result<Option<Value>> {
    let is_own = id == viewer.require_user()?;
    if is_own {
        viewer.require_session()?;
    }
    let reader = Reader { viewer, is_own };
    let scope = viewer.scope(Permission::ManageUsers);
    // In a transaction, which has its own connection: a user may have many orders.
    db.transaction(async |conn| {
        let Some(user) = users::store::by_ids(conn, &scope, &[id]).await?.pop() else { return Ok(None) };
        let role = access::store::roles::by_ids(conn, &[user.role_id]).await?.pop();
        let role = role.ok_or_else(|| Error::Internal("the user has no role".into()))?;
        let addresses = users::store::addresses_by_user_ids(conn, &Scope::All, &[id]).await?;
        let identities = sources::store::by_resources(conn, &[(SourceType::User, id.key())]).await?;
        let identities = identities.iter().filter(|identity| reader.sees_identity_at(identity.website_id));
        let mut data = json!({
            "exportedAt": chrono::Utc::now(),
            "user": model::user(&user, &role.row.code),
            "addresses": addresses.iter().map(model::address).collect::<Vec<_>>(),
            "identities": identities.map(model::identity).collect::<Vec<_>>(),
            "sessions": null,
            "apiKeys": null,
            "orders": null,
            "payments": null,
        });
        if reader.is_own {
            let sessions = access::store::sessions::all_by_user(conn, id).await?;
            let keys = access::store::keys::all_by_user(conn, id).await?;
            data["sessions"] = sessions.iter().map(model::session).collect();
            data["apiKeys"] = keys.iter().map(model::api_key).collect();
        }
        if let Some(scope) = reader.scope(Some(Permission::ManageOrders)) {
            data["orders"] = export_orders(conn, &scope, id).await?;
        }
        if let Some(scope) = reader.payment_scope() {
            let payments = payments::store::all_by_user(conn, &scope, id).await?;
            data["payments"] = payments.iter().map(model::payment).collect();
        }
        export_from_domains(conn, &reader, id, &mut data).await?;
        data["auditLog"] = match reader.scope(Some(Permission::ViewAuditLog)) {
            Some(scope) => audit::store::all_of_user(conn, &scope, id).await?.iter().map(model::audit_entry).collect(),
            None => Value::Null,
        };
        Ok(Some(data))
    })
    .await
}

/// Returns the visible orders of a user with everything that belongs to them.
async fn export_orders(conn: &Conn, scope: &Scope, user: UserId) -> Result<Value> {
    let orders = orders::store::all_by_user(conn, scope, user).await?;
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let lines = group_by(orders::store::lines_by_order_ids(conn, &ids).await?, |line| line.order_id);
    let notes = group_by(orders::store::events::notes_by_order_ids(conn, &ids).await?, |note| note.order_id);
    let shipments = orders::store::shipments::by_order_ids(conn, &ids).await?;
    let shipment_ids: Vec<_> = shipments.iter().map(|shipment| shipment.id).collect();
    let shipment_lines = orders::store::shipments::lines_by_shipment_ids(conn, &shipment_ids).await?;
    let (shipments, shipment_lines) =
        (group_by(shipments, |shipment| shipment.order_id), group_by(shipment_lines, |line| line.shipment_id));
    let returns = orders::store::returns::by_order_ids(conn, &ids).await?;
    let return_ids: Vec<_> = returns.iter().map(|row| row.id).collect();
    let return_lines = orders::store::returns::lines_by_return_ids(conn, &return_ids).await?;
    let (returns, return_lines) =
        (group_by(returns, |row| row.order_id), group_by(return_lines, |line| line.return_id));
    let websites: BTreeSet<WebsiteId> = orders.iter().map(|order| order.source_website_id).collect();
    let websites = websites::store::by_ids(conn, &Vec::from_iter(websites)).await?;
    let currencies: HashMap<WebsiteId, Currency> =
        websites.into_iter().map(|website| (website.id, website.currency())).collect();
    let order = |row: &OrderRow| {
        let currency = currencies.get(&row.source_website_id).copied().unwrap_or(Currency::NONE);
        let mut order = model::order(row, rows_of(&lines, row.id), currency);
        let shipments =
            rows_of(&shipments, row.id).iter().map(|it| model::shipment(it, rows_of(&shipment_lines, it.id)));
        let returns = rows_of(&returns, row.id).iter().map(|it| model::order_return(it, rows_of(&return_lines, it.id)));
        order["shipments"] = shipments.collect();
        order["returns"] = returns.collect();
        order["notes"] = rows_of(&notes, row.id).iter().map(model::note).collect();
        order
    };
    Ok(orders.iter().map(order).collect())
}

macro_rules! personal {
    ($($domain:ident $key:literal $($permission:ident)?;)*) => {
        /// Adds the personal data of each domain under its key.
        async fn export_from_domains(conn: &Conn, reader: &Reader<'_>, id: UserId, data: &mut Value) -> Result<()> {
            $(
                let permission: Option<Permission> = [$(Permission::$permission)?].into_iter().next();
                data[$key] = match reader.scope(permission) {
                    Some(scope) => crate::$domain::actions::personal_data(conn, &scope, id).await?,
                    None => Value::Null,
                };
            )*
            Ok(())
        }

        /// Erases the personal data in each domain.
        async fn erase_from_domains(conn: &Conn, id: UserId) -> Result<()> {
            $(crate::$domain::actions::erase_personal_data(conn, id).await?;)*
            Ok(())
        }
    };
}

domains!(personal => personal);

/// Groups rows by key.
fn group_by<K: Hash + Eq, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

fn rows_of<K: Hash + Eq, R>(groups: &HashMap<K, Vec<R>>, key: K) -> &[R] {
    groups.get(&key).map_or(&[], Vec::as_slice)
}

/// Permanently erases the personal data of a user: name, addresses, contact data, reviews, sessions and keys, and the
/// addresses of orders except the country. The orders remain for accounting.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers, FORBIDDEN for API keys; NOT_FOUND for a user that the viewer may not see, or
/// that was erased; INVALID_CREDENTIALS if viewers erase their own account without its password;
/// PERMISSION_NOT_HELD for a user who holds more than the viewer; IN_USE while an order is open; PROTECTED for the
/// last admin.
pub async fn erase(
    db: &Db,
    attempts: &AttemptSettings,
    passwords: &Passwords,
    cache: &PermissionCache,
    viewer: &Viewer,
    id: UserId,
    password: Option<String>,
) -> Result<UserRow> {
    let (me, _) = viewer.require_session()?;
    if id == me {
        let hash = db.read(async |conn| users::store::find_password(conn, me).await).await?;
        // A session alone does not prove who uses the device.
        if hash.is_some() {
            verify_password(db, attempts, passwords, me, password.unwrap_or_default()).await?;
        }
    }
    let erased = db
        .transaction(async |conn| {
            let user = lock_target(conn, viewer, id, "id").await?;
            if user.erased_at.is_some() {
                return Err(Error::not_found("id", "user"));
            }
            if orders::store::has_open_orders(conn, id).await? {
                let rule = "the user has an open order; deliver or cancel it first";
                return Err(Error::user(UserErrorCode::InUse, "id", rule));
            }
            end_other_sessions(conn, id, None).await?;
            access::store::sessions::update_anonymized(conn, id).await?;
            access::store::keys::delete_by_user(conn, id).await?;
            orders::store::erase_personal_data(conn, id).await?;
            erase_from_domains(conn, id).await?;
            // Includes queued emails to the user.
            jobs::store::delete_of_user(conn, id).await?;
            users::store::delete_addresses(conn, id).await?;
            access::store::tokens::delete_by_user(conn, id).await?;
            // Last: this also removes the personal data from the audit entries of the steps above.
            users::store::update_erased(conn, id).await
        })
        .await?;
    refresh_cache(db, cache).await?;
    Ok(erased)
}

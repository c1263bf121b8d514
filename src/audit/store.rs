//! The SQL statements on the audit log, except those that the database runs itself.
//! Scope: `All` sees every entry, staff limited to some websites see the entries of those websites, all others see
//! none.

use chrono::{DateTime, Utc};
use diesel::{
    define_sql_function,
    prelude::*,
    sql_types::{BigInt, Jsonb, Nullable, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

use super::model::{AuditCondition, AuditOrderField, AuditRow, Change, ResourceType};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::{Void, op},
        tables::audit_log,
        user_op::user_op,
    },
    error::Result,
    ids::{AuditEntryId, UserId, WebsiteId},
    websites::store::website_op,
};

define_sql_function! {
    /// Adds an entry for the actor of the transaction; see the migration.
    fn audit_put(
        change: Text,
        resource_type: Text,
        resource_id: BigInt,
        website_id: Nullable<BigInt>,
        old_row: Nullable<Jsonb>,
        new_row: Nullable<Jsonb>,
    ) -> Void;
}

fn visible(scope: &Scope) -> Condition<'static, audit_log::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Websites(_, websites) => {
            let website = audit_log::website_id;
            Box::new(website.is_not_null().and(website.assume_not_null().eq_any(websites.to_vec())))
        }
        Scope::Public | Scope::Guest(_) | Scope::Own(_) | Scope::Seller { .. } => constant(false),
    }
}

/// Returns the visible changes that a user made and the changes of their account, oldest first.
pub async fn all_of_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<AuditRow>> {
    let account = audit_log::resource_type.eq(ResourceType::User).and(audit_log::resource_id.eq(user.0));
    let query = audit_log::table
        .filter(account.or(audit_log::user_id.is_not_null().and(audit_log::user_id.assume_not_null().eq(user))))
        .order(audit_log::id)
        .select(AuditRow::as_select())
        .into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

fn condition(condition: &AuditCondition) -> Condition<'static, audit_log::table> {
    use AuditCondition as C;
    match condition {
        C::User(scope, user) => user_op!(scope, user, audit_log.user_id),
        C::Via(via) => op!(via, audit_log::via),
        C::ResourceType(resource_type) => op!(resource_type, audit_log::resource_type),
        C::Resource(resource_type, key) => {
            Box::new(audit_log::resource_type.eq(*resource_type).and(audit_log::resource_id.eq(*key)))
        }
        C::Website(website) => website_op!(website, audit_log::website_id.assume_not_null(), audit_log::website_id),
        C::At(at) => op!(at, audit_log::at),
    }
}

list_statements! {
    /// A list of entries.
    AuditList of AuditRow in audit_log where AuditCondition by AuditOrderField { At => at: DateTime<Utc> }
    for scope by visible
}

/// Returns the visible entries with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[AuditEntryId]) -> Result<Vec<AuditRow>> {
    let query = audit_log::table.filter(audit_log::id.eq_any(ids)).select(AuditRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Suppresses audit entries for the rest of the transaction; used by imports, which add an entry of their own.
pub async fn suppress(mut conn: &Conn) -> Result<()> {
    Ok(SimpleAsyncConnection::batch_execute(&mut conn, "SET LOCAL souk.audit = 'off'").await?)
}

/// Adds one entry for an import to its website.
pub async fn insert_import(mut conn: &Conn, website: WebsiteId, report: &Value) -> Result<()> {
    let (imported, resource_type) = (Change::Imported.as_str(), ResourceType::Website.as_str());
    let put = audit_put(imported, resource_type, website.0, website.0, None::<Value>, report);
    diesel::select(put).execute(&mut conn).await?;
    Ok(())
}

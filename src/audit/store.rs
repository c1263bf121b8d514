//! Every statement on the audit log that the database does not run itself.
//! What a scope means here: `All` sees every entry, staff of some websites what belongs to these, everybody else none.

use chrono::{DateTime, Utc};
use diesel::{
    define_sql_function,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Jsonb, Nullable, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

use super::model::{AuditCondition, AuditOrderField, AuditRow, Change, Noun};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, always},
        sql::{CountUpTo, Void, op},
        tables::audit_log,
    },
    error::Result,
    ids::{AuditEntryId, UserId, WebsiteId},
    paged,
    paging::List,
};

/// A page of the log.
pub type AuditList = List<AuditCondition, AuditOrderField>;

type Rows =
    diesel::dsl::IntoBoxed<'static, diesel::dsl::Select<audit_log::table, diesel::dsl::AsSelect<AuditRow, Pg>>, Pg>;

define_sql_function! {
    /// Adds an entry by the transaction's actor; see the migration.
    fn audit_put(
        change: Text,
        noun: Text,
        noun_id: BigInt,
        website_id: Nullable<BigInt>,
        old_row: Nullable<Jsonb>,
        new_row: Nullable<Jsonb>,
    ) -> Void;
}

fn visible(scope: &Scope) -> Condition<'static, audit_log::table> {
    match scope {
        Scope::All => always(true),
        Scope::Websites(_, websites) => {
            let website = audit_log::website_id;
            Box::new(website.is_not_null().and(website.assume_not_null().eq_any(websites.to_vec())))
        }
        Scope::Public | Scope::Guest(_) | Scope::Own(_) | Scope::Seller(_) => always(false),
    }
}

/// What a user did, and what was done to their account; the oldest first.
pub async fn all_about(mut conn: &Conn, user: UserId) -> Result<Vec<AuditRow>> {
    let account = audit_log::noun.eq(Noun::User).and(audit_log::noun_id.eq(user.0));
    let query = audit_log::table
        .filter(account.or(audit_log::user_id.is_not_null().and(audit_log::user_id.assume_not_null().eq(user))))
        .order(audit_log::id)
        .select(AuditRow::as_select());
    Ok(query.load(&mut conn).await?)
}

fn condition(condition: &AuditCondition) -> Condition<'static, audit_log::table> {
    use AuditCondition as C;
    match condition {
        C::User(user) => op!(user, audit_log::user_id.assume_not_null(), audit_log::user_id),
        C::Via(via) => op!(via, audit_log::via),
        C::Noun(noun) => op!(noun, audit_log::noun),
        C::Thing(noun, key) => Box::new(audit_log::noun.eq(*noun).and(audit_log::noun_id.eq(*key))),
        C::Website(website) => op!(website, audit_log::website_id.assume_not_null(), audit_log::website_id),
        C::At(at) => op!(at, audit_log::at),
    }
}

fn rows(scope: &Scope, list: &AuditList) -> Rows {
    let rows = audit_log::table.select(AuditRow::as_select()).into_boxed();
    let rows = if *scope == Scope::All { rows } else { rows.filter(visible(scope)) };
    if list.filter.is_empty() { rows } else { rows.filter(list.filter.condition(&condition)) }
}

/// The visible entries with these ids, in no order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[AuditEntryId]) -> Result<Vec<AuditRow>> {
    let query = audit_log::table.filter(audit_log::id.eq_any(ids)).select(AuditRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// A page of the visible entries.
pub async fn page(mut conn: &Conn, scope: &Scope, list: &AuditList) -> Result<Vec<AuditRow>> {
    let (rows, page, direction) = (rows(scope, list), &list.page, list.direction);
    let query = match list.order {
        AuditOrderField::At => paged!(rows, page, direction, audit_log::at, DateTime<Utc>, audit_log::id),
    };
    Ok(query.load(&mut conn).await?)
}

/// How many visible entries match.
pub async fn count(mut conn: &Conn, scope: &Scope, list: &AuditList) -> Result<i64> {
    Ok(CountUpTo(rows(scope, list)).get_result(&mut conn).await?)
}

/// Keeps what the transaction writes from now on out of the log: for imports, which tell of themselves.
pub async fn silence(mut conn: &Conn) -> Result<()> {
    Ok(SimpleAsyncConnection::batch_execute(&mut conn, "SET LOCAL souk.audit = 'off'").await?)
}

/// Tells of an import, in one entry of its website.
pub async fn insert_import(mut conn: &Conn, website: WebsiteId, report: &Value) -> Result<()> {
    let (imported, noun) = (Change::Imported.as_str(), Noun::Website.as_str());
    let put = audit_put(imported, noun, website.0, website.0, None::<Value>, report);
    diesel::select(put).execute(&mut conn).await?;
    Ok(())
}

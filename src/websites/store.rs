//! SQL statements on websites.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::model::{NewWebsite, WebsiteCurrency, WebsiteOrderField, WebsitePatch, WebsiteRow};
use crate::{
    auth::Permission,
    db::{
        Conn,
        export::{Export, columns},
        sql::{CountUpTo, in_name_order},
        tables::{products, websites},
        write_statements::write_statements,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
    money::Currency,
    paged,
    paging::List,
};

/// Returns the rows with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[WebsiteId]) -> Result<Vec<WebsiteRow>> {
    Ok(websites::table.filter(websites::id.eq_any(ids)).select(WebsiteRow::as_select()).load(&mut conn).await?)
}

/// Returns the website with this code.
pub async fn find_by_code(mut conn: &Conn, code: &str) -> Result<Option<WebsiteRow>> {
    let query = websites::table.filter(websites::code.eq(code)).select(WebsiteRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Builds the condition for a [`WebsiteOp`](super::model::WebsiteOp) on a column, as [`op!`](crate::op) does. The ID of
/// a code is looked up once, before the rows are read, so that the indexes that start with the column are used in their
/// order. `exists` makes the condition false rather than unknown for a code that no website has.
macro_rules! website_op {
    ($op:expr, $column:expr $(, $nullable:expr)?) => {
        match $op {
            $crate::websites::model::WebsiteOp::Id(id) => $crate::op!(id, $column $(, $nullable)?),
            $crate::websites::model::WebsiteOp::Code(code) => {
                use $crate::db::tables::websites;
                let with_code = || websites::table.filter(websites::code.eq(code.clone())).select(websites::id);
                let id = with_code().single_value().assume_not_null();
                Box::new($column.eq(id).and(diesel::dsl::exists(with_code()))$(.and($nullable.is_not_null()))?)
            }
        }
    };
}
pub(crate) use website_op;

/// Returns the oldest website.
pub async fn first(mut conn: &Conn) -> Result<Option<WebsiteRow>> {
    let query = websites::table.order(websites::id).select(WebsiteRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns a page of websites.
pub async fn page(mut conn: &Conn, list: &List<(), WebsiteOrderField>) -> Result<Vec<WebsiteRow>> {
    let query = websites::table.select(WebsiteRow::as_select()).into_boxed();
    let query = match list.order {
        WebsiteOrderField::Code => paged!(query, &list.page, list.direction, websites::code, String, websites::id),
        WebsiteOrderField::Name => {
            paged!(query, &list.page, list.direction, in_name_order(websites::name), String, websites::id)
        }
    };
    Ok(query.load(&mut conn).await?)
}

/// Counts the websites.
pub async fn count(mut conn: &Conn) -> Result<i64> {
    Ok(CountUpTo(websites::table.select(websites::id)).get_result(&mut conn).await?)
}

write_statements! { WebsiteRow in websites by WebsiteId as NewWebsite, WebsitePatch, deletable }

/// Converts constraint violations: TAKEN if the code is in use, IN_USE if other rows refer to the website.
fn refused(error: diesel::result::Error) -> Error {
    let taken = || UserError::new(UserErrorCode::Taken, "code", "another website has this code");
    let error = Error::from(error).on_constraint("websites_code_key", taken);
    let references = [
        ("products_source_website_id_fkey", "the website has products"),
        ("product_groups_source_website_id_fkey", "the website has product groups"),
        ("orders_source_website_id_fkey", "the website has orders"),
        ("users_source_website_id_fkey", "users come from this website"),
        ("sources_website_id_fkey", "imported products, categories, users or orders come from this website"),
        ("transfers_website_id_fkey", "the website has imports or exports"),
        ("webhook_subscriptions_website_id_fkey", "a webhook subscription sends events of this website"),
        ("role_websites_website_id_fkey", "a role is limited to this website"),
        ("api_key_websites_website_id_fkey", "an API key is limited to this website"),
    ];
    references.into_iter().fold(error, |error, (constraint, rule)| {
        error.on_constraint(constraint, || UserError::new(UserErrorCode::InUse, "id", rule))
    })
}

/// Returns all websites, at most 10,000.
pub async fn all(mut conn: &Conn) -> Result<Vec<WebsiteRow>> {
    Ok(websites::table.select(WebsiteRow::as_select()).order(websites::id).limit(10_000).load(&mut conn).await?)
}

/// Returns the currency of each website that has products, and with them possibly orders; at most 10,000, in no particular
/// order.
pub async fn currencies(mut conn: &Conn) -> Result<Vec<WebsiteCurrency>> {
    // A scalar subquery, because a semi-join may read all products, and the latest product, because PostgreSQL may look for
    // any product without an index.
    let product = products::table
        .filter(products::source_website_id.eq(websites::id))
        .order((products::created_at.desc(), products::id.desc()))
        .select(products::id)
        .limit(1);
    let query = websites::table
        .filter(product.single_value().is_not_null())
        .select((websites::id, websites::code, websites::currency))
        .limit(10_000);
    let rows: Vec<(WebsiteId, String, String)> = query.load(&mut conn).await?;
    let website = |(id, code, currency): (WebsiteId, String, String)| {
        let currency = Currency::from_stored(&currency).unwrap_or(Currency::NONE);
        WebsiteCurrency { id, code: Some(code), currency }
    };
    Ok(rows.into_iter().map(website).collect())
}

/// Locks the table against inserts and updates by other transactions until this one ends.
pub async fn lock_all(mut conn: &Conn) -> Result<()> {
    diesel::sql_query("LOCK TABLE websites IN SHARE ROW EXCLUSIVE MODE").execute(&mut conn).await?;
    Ok(())
}

/// The export of websites.
pub const WEBSITES: Export = Export {
    permission: Permission::ManageWebsites,
    has_website: false,
    is_importable: false,
    with: "",
    table: "websites w",
    joins: "",
    filter: "($1 IS NULL OR w.id = ANY ($1))",
    order: "w.id",
    columns: columns! {
        code: Text = "w.code",
        name: Text = "w.name",
        base_url: Text = "w.base_url",
        currency: Text = "w.currency",
    },
};

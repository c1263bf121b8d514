//! Indexes of product names in the order of a language, for the lists of a website by name.
//! Rule: there is one for each language of a website whose order is its own. Most shops have none, and statements on
//! products are not planned for the indexes of all languages.

use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
    websites::name_order::{NameOrder, by_name_order},
};

/// Differences between the indexes that exist and those that the websites need.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NameIndexChanges {
    /// Orders without a valid index.
    pub missing: Vec<NameOrder>,
    /// Orders with an index that no website needs, or that was not completed.
    pub unused: Vec<NameOrder>,
}

/// Returns the differences between the indexes that exist and those that the websites need.
/// # Errors
/// Database errors.
pub async fn changes(mut conn: &Conn) -> Result<NameIndexChanges> {
    let mut statement = DynamicQuery::<(Text, Bool, Bool)>::default();
    statement.sql("SELECT o.index, EXISTS (SELECT FROM websites w WHERE w.language = o.language), i.indisvalid IS TRUE FROM unnest(");
    let orders = NameOrder::OF_LANGUAGES;
    statement.bind(Value::Texts(orders.iter().map(|order| index(*order).to_owned()).collect())).sql("::text[], ");
    let languages = orders.iter().filter_map(|order| order.language());
    statement.bind(Value::Texts(languages.map(|language| language.as_str().to_owned()).collect()));
    statement.sql(
        "::text[]) AS o (index, language) LEFT JOIN (pg_index i JOIN pg_class c ON c.oid = i.indexrelid)
             ON i.indrelid = 'products'::regclass AND c.relname = o.index
         WHERE i.indexrelid IS NOT NULL OR EXISTS (SELECT FROM websites w WHERE w.language = o.language)",
    );
    let rows: Vec<(String, bool, bool)> = statement.load(&mut conn).await?;
    let mut changes = NameIndexChanges::default();
    for (name, is_needed, is_valid) in rows {
        let Some(order) = orders.iter().copied().find(|order| index(*order) == name) else { continue };
        if is_needed && !is_valid {
            changes.missing.push(order);
        } else if !is_needed {
            changes.unused.push(order);
        }
    }
    Ok(changes)
}

/// Creates the index of an order while products are read and written. It may take minutes, so the statement has no
/// timeout.
/// # Errors
/// Database errors.
pub async fn create(connection: &mut AsyncPgConnection, order: NameOrder) -> Result<()> {
    // An index that was not completed is in the way.
    drop(connection, order).await?;
    let (index, collation) = (index(order), order.collation());
    let statement =
        format!("CREATE INDEX CONCURRENTLY {index} ON products (source_website_id, name COLLATE {collation}, id)");
    Ok(connection.batch_execute(&statement).await?)
}

/// Drops the index of an order while products are read and written.
/// # Errors
/// Database errors.
pub async fn drop(connection: &mut AsyncPgConnection, order: NameOrder) -> Result<()> {
    connection.batch_execute("SET statement_timeout = 0").await?;
    Ok(connection.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index(order))).await?)
}

/// Returns the name of the index of an order.
fn index(order: NameOrder) -> &'static str {
    by_name_order!(order, "products_name_idx")
}

//! SQL statements of exports. A row is a list of texts, in the order of the resource's columns.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use futures_util::{Stream, TryStreamExt};

use super::{super::model::Resource, Limits};
use crate::{
    db::Conn,
    error::{Error, Result},
};

/// The texts of a row; none for null.
pub type Cells = Vec<Option<String>>;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Array<Nullable<Text>>)]
    cells: Cells,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Returns the number of rows.
pub async fn count(mut conn: &Conn, resource: Resource, limits: &Limits) -> Result<u64> {
    let query = sql_query(resource.export().count())
        .bind::<Nullable<Array<BigInt>>, _>(limits.websites.clone())
        .bind::<Nullable<Array<BigInt>>, _>(limits.customer_websites.clone());
    let row: Count = query.get_result(&mut conn).await?;
    Ok(row.count.unsigned_abs())
}

/// Returns all rows as a stream with backpressure.
pub async fn stream<'c>(
    mut conn: &'c Conn,
    resource: Resource,
    limits: &Limits,
) -> Result<impl Stream<Item = Result<Cells>> + Send + Unpin + use<'c>> {
    let query = sql_query(resource.export().select())
        .bind::<Nullable<Array<BigInt>>, _>(limits.websites.clone())
        .bind::<Nullable<Array<BigInt>>, _>(limits.customer_websites.clone());
    let rows = query.load_stream::<Row>(&mut conn).await?;
    Ok(rows.map_ok(|row| row.cells).map_err(Error::from))
}

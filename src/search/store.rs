//! Every statement of the search.

use diesel::{pg::Pg, prelude::*};
use diesel_async::RunQueryDsl;

use super::model::{DocumentRow, Kind, Search};
use crate::{
    db::{
        Conn,
        sql::{CountUpTo, Matches, SoukConfig, ts_rank, websearch_to_tsquery},
        tables::search_documents as documents,
    },
    error::{Error, Result},
    paged,
    paging::Direction,
};

/// A page of hits with their ranks, best first.
/// # Errors
/// INVALID for more minus signs in a row than PostgreSQL takes.
pub async fn page(mut conn: &Conn, search: &Search) -> Result<Vec<(DocumentRow, f32)>> {
    let rank = || ts_rank(documents::document, websearch_to_tsquery(SoukConfig, search.query.clone()));
    let query = documents::table
        .filter(Matches::new(documents::document, websearch_to_tsquery(SoukConfig, search.query.clone())))
        .filter(documents::kind.eq_any(kinds(search)))
        .filter(documents::is_public.or(documents::kind.eq(Kind::Supplier.as_str())))
        .select((DocumentRow::as_select(), rank()))
        .into_boxed::<Pg>();
    let query = paged!(query, &search.page, Direction::Desc, rank(), f32, documents::id);
    query.load(&mut conn).await.map_err(refused)
}

/// How many hits there are.
/// # Errors
/// As [`page`].
pub async fn count(mut conn: &Conn, search: &Search) -> Result<i64> {
    let query = documents::table
        .filter(Matches::new(documents::document, websearch_to_tsquery(SoukConfig, search.query.clone())))
        .filter(documents::kind.eq_any(kinds(search)))
        .filter(documents::is_public.or(documents::kind.eq(Kind::Supplier.as_str())))
        .select(documents::id);
    CountUpTo(query).get_result(&mut conn).await.map_err(refused)
}

/// Only staff finds suppliers, and suppliers are the only documents that are not public by kind: the rest of those that
/// are not public are products that nobody should find.
fn kinds(search: &Search) -> Vec<&'static str> {
    search.kinds.iter().filter(|kind| search.staff || **kind != Kind::Supplier).map(|kind| kind.as_str()).collect()
}

fn refused(error: diesel::result::Error) -> Error {
    match &error {
        // PostgreSQL's parser of queries keeps at most 32 signs without a word.
        diesel::result::Error::DatabaseError(_, info) if info.message() == "tsquery stack too small" => {
            Error::bad_input("query", "a query has at most 32 minus signs in a row")
        }
        _ => error.into(),
    }
}

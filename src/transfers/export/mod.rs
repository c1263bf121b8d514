//! Taking everything of a noun out: pieces of the table by key, in one snapshot, each written before the next is read.
//! Rule: memory depends on a piece, not on the table; no secret is among the columns.

mod queries;

use std::io::Write;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::{AnsiTransactionManager, RunQueryDsl, TransactionManager};

use super::{
    model::{Format, Noun},
    own::write::RowWriter,
};
use crate::{
    db::Db,
    error::{Error, Result, UserErrorCode},
    websites,
};

/// Rows in one piece.
const PIECE: i64 = 5_000;

/// What an export is told.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// What goes out.
    pub noun: Noun,
    /// How it is written.
    pub format: Format,
    /// The code of the website whose it is; all where there is none.
    pub website: Option<String>,
}

#[derive(QueryableByName)]
struct Piece {
    #[diesel(sql_type = BigInt)]
    key: i64,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    cells: Vec<Option<String>>,
}

/// Writes everything of a noun; how many rows. `progress` hears of the number after each piece.
/// # Errors
/// User errors for an unknown website and a format that souk does not write; those of the file and the database.
pub async fn export<W: Write + Send>(
    db: &Db,
    options: &ExportOptions,
    out: W,
    progress: impl Fn(u64) + Send,
) -> Result<(u64, W)> {
    if !options.format.is_own() {
        return Err(Error::bad_input("format", "exports are souk-csv or souk-jsonl"));
    }
    let website = match &options.website {
        None => None,
        Some(code) => {
            let found = db.read(async |conn| websites::store::find_by_code(conn, code).await).await?;
            let unknown = || Error::user(UserErrorCode::NotFound, "website", format!("there is no website {code:?}"));
            Some(found.ok_or_else(unknown)?.id)
        }
    };
    let mut writer = RowWriter::new(out, options.noun, options.format)?;
    let query = queries::of(options.noun);
    let mut connection = db.checkout().await?;
    let connection = &mut *connection;
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let (mut last, mut count) = (0, 0);
    loop {
        let query =
            sql_query(query).bind::<Nullable<BigInt>, _>(website).bind::<BigInt, _>(last).bind::<BigInt, _>(PIECE);
        let rows: Vec<Piece> = query.load(connection).await?;
        for row in &rows {
            writer.write(&row.cells)?;
            last = row.key;
        }
        count += rows.len() as u64;
        progress(count);
        if rows.len() < PIECE.unsigned_abs() as usize {
            break;
        }
    }
    AnsiTransactionManager::commit_transaction(connection).await?;
    Ok((count, writer.finish()?))
}

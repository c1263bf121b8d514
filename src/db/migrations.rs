//! The migrations, inside the binary.
//! Rule: they run under a lock, so any number of servers may start at once.

use diesel::{
    ExpressionMethods, QueryDsl,
    migration::MigrationSource,
    pg::Pg,
    sql_types::{BigInt, Text},
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Conn;
use crate::error::{Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
/// Names the advisory lock; the number is arbitrary and must never change.
const ADVISORY_LOCK: i64 = 0x50_55_4b_01;

/// What [`migrate`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Migrations that were run now, by version.
    pub applied: Vec<String>,
}

/// Brings the database to this binary's tables.
/// # Errors
/// [`Error::Unavailable`] without a connection, [`Error::Internal`] where a migration fails; that one is undone.
pub async fn migrate(url: &str) -> Result<MigrationReport> {
    run(url, |harness| {
        harness.run_pending_migrations(MIGRATIONS).map(|all| all.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Undoes every migration: for tests of the way back.
/// # Errors
/// As [`migrate`].
pub async fn revert_all(url: &str) -> Result<MigrationReport> {
    run(url, |harness| {
        harness.revert_all_migrations(MIGRATIONS).map(|all| all.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Whether the database has the newest migration of this binary; not where it is empty.
/// # Errors
/// [`Error::Unavailable`] without a connection.
pub async fn is_current(mut conn: &Conn) -> Result<bool> {
    let has_migrations_table = to_regclass("__diesel_schema_migrations").is_not_null();
    if !diesel::select(has_migrations_table).get_result::<bool>(&mut conn).await? {
        return Ok(false);
    }
    let done = __diesel_schema_migrations::table.find(newest_version()?);
    Ok(diesel::select(diesel::dsl::exists(done)).get_result(&mut conn).await?)
}

diesel::define_sql_function! {
    /// The table of that name, if there is one.
    fn to_regclass(name: Text) -> Nullable<Oid>;
}

diesel::table! {
    /// Where the harness notes what it ran.
    __diesel_schema_migrations (version) {
        /// The migration's number.
        version -> Text,
    }
}

fn newest_version() -> Result<String> {
    let all = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|error| Error::Internal(error.to_string()))?;
    let newest = all.iter().map(|migration| migration.name().version().to_string()).max();
    newest.ok_or_else(|| Error::Internal("no migrations".into()))
}

type MigrationResult = diesel::migration::Result<Vec<String>>;

async fn run(
    url: &str,
    steps: impl FnOnce(&mut AsyncMigrationHarness<AsyncPgConnection>) -> MigrationResult,
) -> Result<MigrationReport> {
    // The connection would only say that it cannot be made.
    if let Err(error) = url.parse::<tokio_postgres::Config>() {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        return Err(Error::Internal(format!("DATABASE_URL is not a connection string: {why}")));
    }
    let mut connection = AsyncPgConnection::establish(url).await?;
    // Released with the connection, however this ends.
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(ADVISORY_LOCK).execute(&mut connection).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let applied = steps(&mut harness).map_err(|error| Error::Internal(format!("migrations: {error}")))?;
    Ok(MigrationReport { applied })
}

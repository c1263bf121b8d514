//! The database migrations, embedded in the binary.
//! Rule: they run under an advisory lock, so any number of servers may start at once.

use diesel::{
    ExpressionMethods, QueryDsl,
    migration::MigrationSource,
    pg::Pg,
    sql_types::{BigInt, Text},
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, changes};
use crate::error::{Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
/// Number of the advisory lock. It is arbitrary and must never change.
const ADVISORY_LOCK: i64 = 0x50_55_4b_01;

/// The result of [`migrate`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Versions of the migrations that were applied or reverted.
    pub applied: Vec<String>,
}

/// Applies all pending migrations.
/// # Errors
/// Returns [`Error::Unavailable`] if the database cannot be reached, or [`Error::Internal`] if a migration fails; that
/// migration is rolled back.
pub async fn migrate(url: &str) -> Result<MigrationReport> {
    let report = run(url, |harness| {
        harness.run_pending_migrations(MIGRATIONS).map(|all| all.iter().map(ToString::to_string).collect())
    })
    .await?;
    if !report.applied.is_empty() {
        // Migrations turn triggers off, and other servers may be running.
        changes::add_all(&AsyncPgConnection::establish(url).await?).await?;
    }
    Ok(report)
}

/// Reverts all migrations; used to test the down migrations.
/// # Errors
/// Returns the same errors as [`migrate`].
pub async fn revert_all(url: &str) -> Result<MigrationReport> {
    run(url, |harness| {
        harness.revert_all_migrations(MIGRATIONS).map(|all| all.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Returns whether the newest migration of this binary has been applied; false for an empty database.
/// # Errors
/// Returns [`Error::Unavailable`] if the database cannot be reached.
pub async fn is_current(mut conn: &Conn) -> Result<bool> {
    let has_migrations_table = to_regclass("__diesel_schema_migrations").is_not_null();
    if !diesel::select(has_migrations_table).get_result::<bool>(&mut conn).await? {
        return Ok(false);
    }
    let done = __diesel_schema_migrations::table.find(newest_version()?);
    Ok(diesel::select(diesel::dsl::exists(done)).get_result(&mut conn).await?)
}

diesel::define_sql_function! {
    /// Returns the table of that name, if it exists.
    fn to_regclass(name: Text) -> Nullable<Oid>;
}

diesel::table! {
    /// The applied migrations, as recorded by diesel.
    __diesel_schema_migrations (version) {
        /// Version of the migration.
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
    // Checked first, because the connection error does not include the reason.
    if let Err(error) = url.parse::<tokio_postgres::Config>() {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        return Err(Error::Internal(format!("DATABASE_URL is not a valid connection string: {why}")));
    }
    let mut connection = AsyncPgConnection::establish(url).await?;
    // The lock is released when the connection closes, whatever the outcome.
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(ADVISORY_LOCK).execute(&mut connection).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let applied = steps(&mut harness).map_err(|error| Error::Internal(format!("migrations: {error}")))?;
    Ok(MigrationReport { applied })
}

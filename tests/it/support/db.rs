//! A fresh, migrated database for each test, cloned from a template that is created once.
//! The server is `DATABASE_URL`, or Souk's embedded PostgreSQL, started by the first test and stopped with the process.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{OnceLock, mpsc},
    thread,
};

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use souk::db::{
    Db, DbSettings,
    embedded::{Embedded, EmbeddedOptions},
    migrations,
};
use tokio::{runtime::Runtime, sync::OnceCell};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// Number of shared read connections of each test's server.
pub const READ_CONNECTIONS: usize = 2;

/// A database of its own, dropped at the end of the test.
pub struct TestDb {
    /// Connections to the database.
    pub db: Db,
    /// Connection string.
    pub url: String,
    /// Database name; empty if this handle does not own the database.
    name: String,
}

impl TestDb {
    /// Creates a migrated database.
    pub async fn new() -> Self {
        Self::with_settings(&DbSettings { read_connections: READ_CONNECTIONS, pool_size: 8, ..DbSettings::default() })
            .await
    }

    /// Creates a migrated database and returns it with its connections.
    pub async fn with_handle() -> (Self, Db) {
        let database = Self::new().await;
        let db = database.db.clone();
        (database, db)
    }

    /// Creates a migrated database with these connection settings.
    pub async fn with_settings(settings: &DbSettings) -> Self {
        let (url, name) = create_database(&format!("TEMPLATE \"{}\"", template_database().await)).await;
        let db = Db::connect(&url, settings).await.expect("a connection to the new database");
        Self { db, url, name }
    }

    /// Creates a database without tables.
    pub async fn empty() -> Self {
        let (url, name) = create_database("TEMPLATE template0").await;
        let settings = DbSettings { read_connections: 1, pool_size: 2, ..DbSettings::default() };
        let db = Db::connect(&url, &settings).await.expect("a connection to the new database");
        Self { db, url, name }
    }

    /// Creates a database without tables and returns its URL.
    pub async fn empty_url() -> String {
        create_database("TEMPLATE template0").await.0
    }

    /// Creates a copy of a database that nobody uses and returns its URL.
    pub async fn copy_url(url: &str) -> String {
        let path = url.split('?').next().unwrap_or_default();
        let name = path.rsplit('/').next().expect("the URL names a database");
        create_database(&format!("TEMPLATE \"{name}\"")).await.0
    }

    /// Opens new connections to the same database; it is not dropped with this handle.
    pub async fn second_handle(&self) -> Self {
        Self::open(&self.url).await
    }

    /// Opens connections to any database; it is not dropped with this handle.
    pub async fn open(url: &str) -> Self {
        let settings = DbSettings { read_connections: 1, pool_size: 2, ..DbSettings::default() };
        let db = Db::connect(url, &settings).await.expect("a database connection");
        Self { db, url: url.to_owned(), name: String::new() }
    }

    /// Opens a connection outside the pool, for statements that the program never runs.
    pub async fn raw_connection(&self) -> AsyncPgConnection {
        AsyncPgConnection::establish(&self.url).await.expect("a database connection")
    }

    /// Runs SQL that the program never runs.
    pub async fn sql(&self, sql: &str) {
        self.raw_connection().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Returns the first value of a query as text, empty if there is none; for SQL that the program never runs.
    pub async fn scalar(&self, sql: &str) -> String {
        query_scalar(&self.url, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// Returns the first value of a query in any database as text, empty if there is none.
pub async fn query_scalar(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let messages = client.simple_query(sql).await?;
    let value = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(value.unwrap_or_default().to_owned())
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        let drop = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        // On a separate thread, because the test's runtime is about to end and may be single-threaded.
        let _ = thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime");
            runtime.block_on(async { admin_connection().await.batch_execute(&drop).await })
        })
        .join();
    }
}

/// Returns the URL of a server where databases can be created.
fn server_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var("DATABASE_URL").unwrap_or_else(|_| start_own_server()))
}

/// Starts Souk's embedded server; a thread holds it until the process ends.
fn start_own_server() -> String {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        Runtime::new().expect("a runtime").block_on(async {
            let options = EmbeddedOptions {
                data_dir: data_directory(),
                programs: std::env::var_os("SOUK_POSTGRES_BIN").map(Into::into),
                search_path: std::env::var_os("PATH"),
                throwaway: true,
            };
            let embedded = Embedded::start(options).await.unwrap_or_else(|error| panic!("{error}"));
            stop_autovacuum(embedded.url()).await;
            let _ = send.send(embedded.url().to_owned());
            std::future::pending::<()>().await;
        });
    });
    receive.recv().expect("the embedded PostgreSQL starts; see the message above")
}

/// Returns the directory of the embedded server: in memory where there is room for it, else in the target directory.
/// A database has 1,400 files, and creating one for each test is most of the work on some file systems.
fn data_directory() -> PathBuf {
    const MIN_FREE_BYTES: u64 = 8 << 30;
    let in_target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("souk");
    let memory = Path::new("/dev/shm");
    let is_roomy = rustix::fs::statvfs(memory).is_ok_and(|stat| stat.f_bavail * stat.f_frsize >= MIN_FREE_BYTES);
    if !is_roomy {
        return in_target;
    }
    // One for each target directory, because two checkouts may be tested at once.
    let mut hasher = DefaultHasher::new();
    in_target.hash(&mut hasher);
    memory.join(format!("souk-tests-{:016x}", hasher.finish()))
}

/// Turns autovacuum off. Tests that depend on statistics vacuum by themselves; an autovacuum at the same time holds a
/// snapshot, so that their vacuum cannot mark pages as all-visible, and the expected plans change.
async fn stop_autovacuum(url: &str) {
    let mut conn = AsyncPgConnection::establish(url).await.expect("a connection to the embedded PostgreSQL");
    for sql in ["ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"] {
        conn.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

async fn admin_connection() -> AsyncPgConnection {
    AsyncPgConnection::establish(server_url()).await.expect("a connection to the tests' PostgreSQL")
}

/// Returns the connection string of another database on the server.
fn database_url(name: &str) -> String {
    let url = server_url();
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let slash = base.rfind('/').expect("the URL names a database");
    format!("{}/{name}{query}", &base[..slash])
}

async fn create_database(how: &str) -> (String, String) {
    let name = format!("souk_test_{}", uuid::Uuid::new_v4().simple());
    let sql = format!("CREATE DATABASE \"{name}\" {how}");
    admin_connection().await.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    (database_url(&name), name)
}

/// Creates, once per state of the migrations, the migrated database that the test databases are cloned from.
async fn template_database() -> &'static str {
    static NAME: OnceCell<String> = OnceCell::const_new();
    NAME.get_or_init(|| async {
        let mut hasher = DefaultHasher::new();
        for file in ["up.sql", "down.sql"] {
            for entry in migration_files(file) {
                entry.hash(&mut hasher);
            }
        }
        let name = format!("souk_template_{:016x}", hasher.finish());
        // Several test processes may get here at once.
        let config: Config = server_url().parse().expect("a connection string");
        let (client, connection) = config.connect(NoTls).await.expect("a connection to the tests' PostgreSQL");
        tokio::spawn(connection);
        client.batch_execute("SELECT pg_advisory_lock(773311)").await.expect("a lock");
        let known = client
            .query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            .await
            .expect("the pg_database catalog");
        if known.is_empty() {
            let making = format!("{name}_new");
            client.batch_execute(&format!("DROP DATABASE IF EXISTS \"{making}\" WITH (FORCE)")).await.expect("a drop");
            client
                .batch_execute(&format!("CREATE DATABASE \"{making}\" TEMPLATE template0"))
                .await
                .expect("a new database");
            migrate(database_url(&making));
            let rename = format!("ALTER DATABASE \"{making}\" RENAME TO \"{name}\"");
            client.batch_execute(&rename).await.expect("a rename");
        }
        name
    })
    .await
}

/// Runs the migrations on a thread of its own, because diesel's harness needs a multi-threaded runtime.
fn migrate(url: String) {
    let run = move || Runtime::new().expect("a runtime").block_on(migrations::migrate(&url)).map(drop);
    thread::spawn(run).join().expect("no panic").unwrap_or_else(|error| panic!("{error}"));
}

fn migration_files(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut dirs: Vec<_> =
        std::fs::read_dir(dir).expect("migrations").map(|entry| entry.expect("entry").path()).collect();
    dirs.sort();
    dirs.iter().map(|dir| std::fs::read(dir.join(name)).expect("a migration")).collect()
}

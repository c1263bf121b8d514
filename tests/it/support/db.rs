//! A fresh, migrated database for each test, cloned from a template that is made once.
//! The server is the one of `DATABASE_URL`, or souk's own, started by the first test and gone with the process.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
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

/// Shared read connections of each test's server.
pub const READ_CONNECTIONS: usize = 2;

/// A database of its own, dropped at the end of the test.
pub struct TestDb {
    /// The way to it.
    pub db: Db,
    /// How to connect.
    pub url: String,
    /// Empty where it is another's.
    name: String,
}

impl TestDb {
    /// A fresh, migrated database.
    pub async fn new() -> Self {
        Self::with_settings(&DbSettings { read_connections: READ_CONNECTIONS, pool_size: 8, ..DbSettings::default() }).await
    }

    /// A fresh, migrated database, and a handle of the way to it.
    pub async fn with_handle() -> (Self, Db) {
        let database = Self::new().await;
        let db = database.db.clone();
        (database, db)
    }

    /// A fresh, migrated database behind connections of these settings.
    pub async fn with_settings(settings: &DbSettings) -> Self {
        let (url, name) = create_database(&format!("TEMPLATE \"{}\"", template_database().await)).await;
        let db = Db::connect(&url, settings).await.expect("the new database answers");
        Self { db, url, name }
    }

    /// A fresh database without tables.
    pub async fn empty() -> Self {
        let (url, name) = create_database("TEMPLATE template0").await;
        let settings = DbSettings { read_connections: 1, pool_size: 2, ..DbSettings::default() };
        let db = Db::connect(&url, &settings).await.expect("the new database answers");
        Self { db, url, name }
    }

    /// The URL of a fresh database without tables.
    pub async fn empty_url() -> String {
        create_database("TEMPLATE template0").await.0
    }

    /// Another way to the same database, which stays when this one is dropped.
    pub async fn second_handle(&self) -> Self {
        Self::open(&self.url).await
    }

    /// The way to any database, which stays when this one is dropped.
    pub async fn open(url: &str) -> Self {
        let settings = DbSettings { read_connections: 1, pool_size: 2, ..DbSettings::default() };
        let db = Db::connect(url, &settings).await.expect("the database answers");
        Self { db, url: url.to_owned(), name: String::new() }
    }

    /// A connection of its own, past the pool, for what the program never does.
    pub async fn raw_connection(&self) -> AsyncPgConnection {
        AsyncPgConnection::establish(&self.url).await.expect("the database answers")
    }

    /// Runs SQL that the program never runs.
    pub async fn sql(&self, sql: &str) {
        self.raw_connection().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The first value of the answer to SQL that the program never runs, as text; empty where there is none.
    pub async fn scalar(&self, sql: &str) -> String {
        query_scalar(&self.url, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// The first value of the answer of any database, as text; empty where there is none.
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
        // A thread of its own: the test's runtime is about to end, and may be single-threaded.
        let _ = thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime");
            runtime.block_on(async { admin_connection().await.batch_execute(&drop).await })
        })
        .join();
    }
}

/// The URL of a server where databases can be made.
fn server_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var("DATABASE_URL").unwrap_or_else(|_| start_own_server()))
}

/// Souk's own server, in the target directory, held by a thread until the process ends.
fn start_own_server() -> String {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        Runtime::new().expect("a runtime").block_on(async {
            let options = EmbeddedOptions {
                data_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("souk"),
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
    receive.recv().expect("the tests' own PostgreSQL starts; the message above says what is missing")
}

/// Tests that depend on statistics vacuum by themselves. An autovacuum at the same time holds a snapshot, so that theirs
/// cannot mark pages as visible to all, and the plans that are expected change.
async fn stop_autovacuum(url: &str) {
    let mut conn = AsyncPgConnection::establish(url).await.expect("the tests' own PostgreSQL answers");
    for sql in ["ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"] {
        conn.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

async fn admin_connection() -> AsyncPgConnection {
    AsyncPgConnection::establish(server_url()).await.expect("the tests' PostgreSQL answers")
}

/// The connection string of another database of the server.
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

/// The migrated database that the others are copies of; a new one for each state of the migrations.
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
        // Several test processes may come here at once.
        let config: Config = server_url().parse().expect("a connection string");
        let (client, connection) = config.connect(NoTls).await.expect("the tests' PostgreSQL answers");
        tokio::spawn(connection);
        client.batch_execute("SELECT pg_advisory_lock(773311)").await.expect("a lock");
        let known = client.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await.expect("a catalogue");
        if known.is_empty() {
            let making = format!("{name}_new");
            client.batch_execute(&format!("DROP DATABASE IF EXISTS \"{making}\" WITH (FORCE)")).await.expect("dropped");
            client.batch_execute(&format!("CREATE DATABASE \"{making}\" TEMPLATE template0")).await.expect("made");
            migrate(database_url(&making));
            let rename = format!("ALTER DATABASE \"{making}\" RENAME TO \"{name}\"");
            client.batch_execute(&rename).await.expect("renamed");
        }
        name
    })
    .await
}

/// Runs the migrations on a thread of its own: diesel's harness needs a multi-threaded runtime.
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

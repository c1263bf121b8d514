//! The binary as a user runs it: in an empty directory, with a PostgreSQL of its own.

use std::{
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::Stdio,
    thread,
};

use serde_json::json;
use souk::config::{ServeSettings, Settings};
use tokio::runtime::Runtime;

use crate::support::{
    process::{DataDir, ServerProcess, is_unlocked, post, wait_until},
    query_scalar,
};

const ME: &str = "{ me { email role { code } } }";
const REGISTER: &str = r#"mutation { register(input: {
    name: "Eve", email: "eve@souk.example", password: "a long enough password" }) { user { id } } }"#;
/// Arguments of `souk serve`.
const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

fn serve(dir: &DataDir) -> ServerProcess {
    ServerProcess::start(dir.command(&SERVE))
}

fn serve_demo(dir: &DataDir) -> ServerProcess {
    let mut command = dir.command(&SERVE);
    command.arg("--demo");
    ServerProcess::start(command)
}

/// Returns role, email address and password of each printed login.
fn logins(server: &ServerProcess, is_filled: bool) -> Vec<[String; 3]> {
    assert_eq!(server.printed_line(), "");
    if is_filled {
        assert_eq!(server.printed_line(), "The database already contains the demo data. Nothing was changed.");
    }
    assert_eq!(server.printed_line(), "Demo logins: role, email, password");
    let login = |line: String| {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        words.try_into().unwrap_or_else(|words| panic!("{words:?} is not a login"))
    };
    (0..4).map(|_| login(server.printed_line())).collect()
}

/// Runs SQL directly; returns the first value.
fn sql(url: &str, sql: &str) -> String {
    Runtime::new().unwrap().block_on(query_scalar(url, sql)).unwrap()
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn first_start_creates_a_shop_that_later_starts_reuse() {
    let dir = DataDir::new();
    let first = serve_demo(&dir);
    let base = format!("http://{}", first.address);
    for page in
        ["GraphQL     {}/graphql", "GraphiQL    {}/graphiql", "Playground  {}/playground", "Health      {}/readyz"]
    {
        assert!(first.startup_output.contains(&page.replace("{}", &base)), "{:?}", first.startup_output);
    }
    assert_eq!((first.get("/readyz").0, first.get("/graphiql").0), (200, 200));
    let demo = logins(&first, false);
    let roles: Vec<_> = demo.iter().map(|[role, ..]| role.as_str()).collect();
    assert_eq!(roles, ["admin", "manager", "seller", "customer"]);
    let mut token = String::new();
    for [role, email, password] in &demo {
        token = first.log_in(email, password);
        let (status, response) = first.run(Some(&token), ME);
        assert_eq!((status, &response["data"]["me"]), (200, &json!({"email": email, "role": {"code": role}})));
        assert!(response["extensions"]["sql"]["statements"].is_number());
    }
    let stock = r#"{ products(first: 1, where: { availability: { eq: IN_STOCK } }) { nodes { id } } }"#;
    let product = first.run(None, stock).1["data"]["products"]["nodes"][0]["id"].clone();
    let order = format!(
        r#"mutation {{ orderCreate(input: {{ idempotencyKey: "one", lines: [{{ productId: {product}, quantity: 1 }}] }}) {{
            order {{ orderNumber }} userErrors {{ code }} }} }}"#
    );
    let order = first.run(Some(&token), &order).1["data"]["orderCreate"]["order"]["orderNumber"].clone();
    assert!(order.is_string());
    assert_eq!(first.stop(), Some(0));
    assert!(is_unlocked(&dir.0) && !dir.has_postgres());

    // The secret and the data are kept, and no second shop is created.
    let second = serve_demo(&dir);
    assert_eq!(logins(&second, true), demo);
    let orders = "{ orders(first: 1) { nodes { orderNumber } } websites { nodes { code } } }";
    let (_, response) = second.run(Some(&token), orders);
    assert_eq!(response["data"]["orders"]["nodes"][0]["orderNumber"], order);
    let websites = response["data"]["websites"]["nodes"].as_array().unwrap().len();
    let url = dir.stdout_of(&["db", "url"]);
    assert_eq!(sql(url.trim(), "SELECT count(*) FROM websites"), websites.to_string());
    // Another command uses the running database.
    let again = dir.stdout_of(&["demo"]);
    assert_eq!(again.lines().next(), Some("The database already contains the demo data. Nothing was changed."));
    assert_eq!(again.lines().count(), 5);
    assert_eq!(dir.stdout_of(&["migrate"]), "the database is up to date\n");
    assert_eq!(second.run(Some(&token), ME).0, 200);
    let secret = dir.0.join("jwt-secret").metadata().unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
}

#[test]
fn servers_share_a_data_directory_and_either_can_stop_first() {
    let dir = DataDir::new();
    // Both at once, in an empty directory.
    let (one, two) = thread::scope(|scope| {
        let other = scope.spawn(|| serve(&dir));
        (serve(&dir), other.join().unwrap())
    });
    assert_ne!(one.address, two.address);
    assert!(one.run(None, REGISTER).1["errors"].is_null());
    let token = two.log_in("eve@souk.example", "a long enough password");
    for server in [&one, &two] {
        assert_eq!(server.run(Some(&token), ME).1["data"]["me"]["role"]["code"], "customer");
    }
    assert!(dir.run(&["health", "--url", &format!("http://{}/readyz", one.address)]).status.success());
    // Without a URL it asks the server of SOUK_LISTEN; a server that listens everywhere is asked on loopback.
    for listen in [one.address.to_string(), format!("0.0.0.0:{}", one.address.port())] {
        let health = dir.command(&["health"]).env("SOUK_LISTEN", &listen).output().expect("the binary runs");
        assert!(health.status.success(), "{listen}: {health:?}");
    }
    let address = one.address;
    assert_eq!(one.stop(), Some(0));
    let url = format!("http://{address}/readyz");
    let stopped = dir.run(&["health", "--url", &url]);
    assert_eq!(stopped.status.code(), Some(1));
    let message = stderr(&stopped);
    assert!(message.contains(&format!("{url} cannot be reached")) && message.contains("refused"), "{message}");
    // Whichever server started PostgreSQL: the remaining one keeps it running, or starts it again.
    wait_until("the remaining server is ready", || two.get("/readyz").0 == 200);
    assert_eq!(two.run(Some(&token), ME).1["data"]["me"]["role"]["code"], "customer");
    assert_eq!(two.stop(), Some(0));
    assert!(is_unlocked(&dir.0) && !dir.has_postgres());
}

/// A request that waits for a lock held by another session.
struct BlockedRequest {
    runtime: Runtime,
    holder: tokio_postgres::Client,
    request: thread::JoinHandle<(u16, String)>,
}

impl BlockedRequest {
    fn start(server: &ServerProcess, url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let (holder, connection) = runtime.block_on(tokio_postgres::connect(url, tokio_postgres::NoTls)).unwrap();
        runtime.spawn(connection);
        runtime.block_on(holder.batch_execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")).unwrap();
        let address = server.address;
        let request = thread::spawn(move || post(address, None, REGISTER));
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        while sql(url, waits) == "0" {}
        Self { runtime, holder, request }
    }

    fn finish(self) -> (u16, String) {
        self.runtime.block_on(self.holder.batch_execute("COMMIT")).unwrap();
        self.request.join().unwrap()
    }
}

#[test]
fn shutdown_finishes_requests_in_progress() {
    let dir = DataDir::new();
    let drain = |millis: &str| {
        let mut command = dir.command(&SERVE);
        command.env("SOUK_DRAIN_MS", millis);
        ServerProcess::start(command)
    };
    let server = drain("600000");
    let url = dir.stdout_of(&["db", "url"]).trim().to_owned();
    let under_way = BlockedRequest::start(&server, &url);
    server.signal("-TERM");
    server.wait_for_log("shutting down");
    wait_until("new connections are refused", || TcpStream::connect(server.address).is_err());
    let (status, response) = under_way.finish();
    assert!(status == 200 && response.contains("\"user\":{\"id\""), "{status} {response}");
    assert_eq!(server.wait(), Some(0));
    assert!(is_unlocked(&dir.0) && !dir.has_postgres());

    // A killed server takes PostgreSQL down; the next one has the data.
    let killed = serve(&dir);
    killed.log_in("eve@souk.example", "a long enough password");
    killed.signal("-KILL");
    assert_eq!(killed.wait(), None);
    let next = drain("100");
    next.log_in("eve@souk.example", "a long enough password");
    // Stopping waits for open requests, but not forever.
    let _under_way = BlockedRequest::start(&next, &url);
    assert_eq!(next.stop(), Some(0));
    assert!(is_unlocked(&dir.0) && !dir.has_postgres());
}

#[test]
fn production_server_exposes_only_graphql() {
    let dir = DataDir::new();
    let production = |secret: Option<&str>| {
        let mut command = dir.command(&SERVE);
        command.env("SOUK_ENV", "production").envs(secret.map(|secret| ("SOUK_JWT_SECRET", secret)));
        command
    };
    for (secret, why) in [(None, "SOUK_JWT_SECRET is required in production"), (Some("short"), "too short")] {
        let output = production(secret).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
        assert_eq!(output.stdout, b"");
    }
    assert!(!dir.0.join("postgres").exists(), "nothing was started");

    let server = ServerProcess::start(production(Some("a secret of the shop, long enough to sign with")));
    for page in ["/graphiql", "/playground", "/ide/page.css", "/ide/graphiql.js"] {
        assert_eq!(server.get(page).0, 404, "{page}");
        assert!(!server.startup_output.iter().any(|line| line.contains(page)));
    }
    let (status, response) = server.run(None, "{ products { nodes { id } } }");
    assert_eq!((status, response), (200, json!({"data": {"products": {"nodes": []}}})));
    assert!(!dir.0.join("jwt-secret").exists());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn commands_work_without_a_running_server() {
    let dir = DataDir::new();
    assert_eq!(dir.stdout_of(&["schema"]), souk::graphql::sdl());
    assert!(!dir.0.join("postgres").exists(), "the schema needs no database");
    let applied = dir.stdout_of(&["migrate"]);
    assert!(applied.lines().count() > 5 && applied.lines().all(|line| line.starts_with("applied ")), "{applied}");
    assert_eq!(dir.stdout_of(&["migrate"]), "the database is up to date\n");
    assert!(is_unlocked(&dir.0) && !dir.has_postgres());
    let url = dir.run(&["db", "url"]);
    assert!(String::from_utf8_lossy(&url.stdout).starts_with("postgres://"));
    assert!(stderr(&url).contains("is not running"), "{}", stderr(&url));
    let mut named = dir.command(&["db", "url"]);
    let named = named.env("DATABASE_URL", "postgres://somebody@somewhere/souk").output().unwrap();
    assert_eq!(named.stdout, b"postgres://somebody@somewhere/souk\n");
}

#[test]
fn errors_are_reported_in_one_line() {
    let dir = DataDir::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let nowhere = "postgres://souk@127.0.0.1:1/souk";
    for (arguments, code, words) in [
        (vec!["serve", "--listen", &taken], 1, vec!["cannot listen on", &taken, "in use"]),
        (vec!["serve", "--listen", "127.0.0.1:0", "--database-url", nowhere], 1, vec!["database cannot be reached"]),
        (vec!["migrate", "--database-url", nowhere], 1, vec!["database cannot be reached"]),
        (vec!["migrate", "--database-url", "somewhere"], 1, vec!["DATABASE_URL"]),
        (vec!["health", "--url", "https://souk.example"], 1, vec!["http://"]),
        (vec!["serve", "--listen", "everywhere"], 2, vec!["--listen"]),
        (vec!["serve", "--env", "staging"], 2, vec!["development", "production"]),
        (vec!["sell"], 2, vec!["sell", "--help"]),
    ] {
        let output = dir.run(&arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
        assert!(code == 2 || said.lines().count() == 1, "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }
    assert!(!dir.0.join("postgres").exists(), "nothing was started");
}

#[test]
fn closed_stdout_is_not_an_error() {
    let dir = DataDir::new();
    let mut child = dir.command(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn servers_started_together_share_the_secret() {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        serve: ServeSettings,
    }
    for _ in 0..20 {
        let dir = DataDir::new();
        let arguments = ["souk", "--env", "development", "--data-dir", dir.0.to_str().unwrap()];
        let mut command = <Command as clap::Parser>::parse_from(arguments);
        command.serve.tokens.jwt_secret = None;
        let start = std::sync::Barrier::new(8);
        let secret = || {
            start.wait();
            command.serve.tokens.secret(&command.settings).unwrap().unwrap()
        };
        let secrets: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(secret)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0] && secret.len() >= 32), "{secrets:?}");
        let files: Vec<_> = dir.0.read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["jwt-secret"]);
    }
}

//! The binary as a user runs it: on a fresh folder, with a PostgreSQL of its own.

use std::{
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use souk::config::{ServeSettings, Settings};
use tokio::runtime::Runtime;

use crate::support::{
    ask,
    process::{DataDir, Served, is_free, post},
};

const ME: &str = "{ me { email role { code } } }";
const REGISTER: &str = r#"mutation { register(input: {
    name: "Eve", email: "eve@souk.example", password: "a long enough password" }) { user { id } } }"#;
/// What `souk serve` is started with, beside the port.
const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

fn serve(folder: &DataDir) -> Served {
    Served::start(folder.command(&SERVE))
}

fn serve_demo(folder: &DataDir) -> Served {
    let mut command = folder.command(&SERVE);
    command.arg("--demo");
    Served::start(command)
}

/// Role, e-mail address and password of each login that is printed.
fn logins(server: &Served) -> Vec<[String; 3]> {
    assert_eq!(server.printed_line(), "");
    assert_eq!(server.printed_line(), "Demo logins: role, e-mail, password");
    let login = |line: String| {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        words.try_into().unwrap_or_else(|words| panic!("{words:?} is no login"))
    };
    (0..4).map(|_| login(server.printed_line())).collect()
}

/// Runs SQL past the server; the first value of the answer.
fn sql(url: &str, sql: &str) -> String {
    Runtime::new().unwrap().block_on(ask(url, sql)).unwrap()
}

/// Waits for what nobody tells.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_first_start_opens_a_market_and_the_next_one_finds_it_again() {
    let folder = DataDir::new();
    let first = serve_demo(&folder);
    let base = format!("http://{}", first.address);
    for page in
        ["GraphQL     {}/graphql", "GraphiQL    {}/graphiql", "Playground  {}/playground", "Health      {}/readyz"]
    {
        assert!(first.welcome.contains(&page.replace("{}", &base)), "{:?}", first.welcome);
    }
    assert_eq!((first.get("/readyz").0, first.get("/graphiql").0), (200, 200));
    let demo = logins(&first);
    let roles: Vec<_> = demo.iter().map(|[role, ..]| role.as_str()).collect();
    assert_eq!(roles, ["admin", "manager", "seller", "customer"]);
    let mut token = String::new();
    for [role, email, password] in &demo {
        token = first.log_in(email, password);
        let (status, answer) = first.run(Some(&token), ME);
        assert_eq!((status, &answer["data"]["me"]), (200, &json!({"email": email, "role": {"code": role}})));
        assert!(answer["extensions"]["sql"]["statements"].is_number());
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
    assert!(is_free(&folder.0) && !folder.has_postgres());

    // The same secret, the same data, and no second market.
    let second = serve_demo(&folder);
    assert_eq!(logins(&second), demo);
    let orders = "{ orders(first: 1) { nodes { orderNumber } } websites { nodes { code } } }";
    let (_, answer) = second.run(Some(&token), orders);
    assert_eq!(answer["data"]["orders"]["nodes"][0]["orderNumber"], order);
    let websites = answer["data"]["websites"]["nodes"].as_array().unwrap().len();
    let url = folder.print(&["db", "url"]);
    assert_eq!(sql(url.trim(), "SELECT count(*) FROM websites"), websites.to_string());
    // Another command joins the database that runs.
    assert_eq!(folder.print(&["demo"]).lines().count(), 4);
    assert_eq!(folder.print(&["migrate"]), "the tables are up to date\n");
    assert_eq!(second.run(Some(&token), ME).0, 200);
    let secret = folder.0.join("jwt-secret").metadata().unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
}

#[test]
fn two_servers_share_a_folder_and_one_outlives_the_other() {
    let folder = DataDir::new();
    // Both at once, on an empty folder.
    let (one, two) = thread::scope(|scope| {
        let other = scope.spawn(|| serve(&folder));
        (serve(&folder), other.join().unwrap())
    });
    assert_ne!(one.address, two.address);
    assert!(one.run(None, REGISTER).1["errors"].is_null());
    let token = two.log_in("eve@souk.example", "a long enough password");
    for server in [&one, &two] {
        assert_eq!(server.run(Some(&token), ME).1["data"]["me"]["role"]["code"], "customer");
    }
    assert!(folder.run(&["health", "--url", &format!("http://{}/readyz", one.address)]).status.success());
    let address = one.address;
    assert_eq!(one.stop(), Some(0));
    let gone = folder.run(&["health", "--url", &format!("http://{address}/readyz")]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("refused"), "{}", stderr(&gone));
    // Whoever had started PostgreSQL: the one that is left keeps it, or starts it again.
    eventually("the one that is left gets ready", || two.get("/readyz").0 == 200);
    assert_eq!(two.run(Some(&token), ME).1["data"]["me"]["role"]["code"], "customer");
    assert_eq!(two.stop(), Some(0));
    assert!(is_free(&folder.0) && !folder.has_postgres());
}

/// A request that waits for a lock which another session holds.
struct UnderWay {
    runtime: Runtime,
    holder: tokio_postgres::Client,
    request: thread::JoinHandle<(u16, String)>,
}

impl UnderWay {
    fn at(server: &Served, url: &str) -> Self {
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
fn a_server_that_is_told_to_stop_answers_what_is_under_way() {
    let folder = DataDir::new();
    let drain = |millis: &str| {
        let mut command = folder.command(&SERVE);
        command.env("SOUK_DRAIN_MS", millis);
        Served::start(command)
    };
    let server = drain("600000");
    let url = folder.print(&["db", "url"]).trim().to_owned();
    let under_way = UnderWay::at(&server, &url);
    server.signal("-TERM");
    server.wait_for_log("stopping");
    eventually("nobody else is let in", || TcpStream::connect(server.address).is_err());
    let (status, answer) = under_way.finish();
    assert!(status == 200 && answer.contains("\"user\":{\"id\""), "{status} {answer}");
    assert_eq!(server.wait(), Some(0));
    assert!(is_free(&folder.0) && !folder.has_postgres());

    // One that is killed takes PostgreSQL along; the next one has the data.
    let killed = serve(&folder);
    killed.log_in("eve@souk.example", "a long enough password");
    killed.signal("-KILL");
    assert_eq!(killed.wait(), None);
    let next = drain("100");
    next.log_in("eve@souk.example", "a long enough password");
    // It waits for what is under way, but not for ever.
    let _under_way = UnderWay::at(&next, &url);
    assert_eq!(next.stop(), Some(0));
    assert!(is_free(&folder.0) && !folder.has_postgres());
}

#[test]
fn a_production_server_shows_no_more_than_the_graph() {
    let folder = DataDir::new();
    let production = |secret: Option<&str>| {
        let mut command = folder.command(&SERVE);
        command.env("SOUK_ENV", "production").envs(secret.map(|secret| ("SOUK_JWT_SECRET", secret)));
        command
    };
    for (secret, why) in [(None, "SOUK_JWT_SECRET is required in production"), (Some("short"), "too short")] {
        let output = production(secret).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
        assert_eq!(output.stdout, b"");
    }
    assert!(!folder.0.join("postgres").exists(), "nothing was started");

    let server = Served::start(production(Some("a secret of the shop, long enough to sign with")));
    for page in ["/graphiql", "/playground", "/ide/page.css", "/ide/graphiql.js"] {
        assert_eq!(server.get(page).0, 404, "{page}");
        assert!(!server.welcome.iter().any(|line| line.contains(page)));
    }
    let (status, answer) = server.run(None, "{ products { nodes { id } } }");
    assert_eq!((status, answer), (200, json!({"data": {"products": {"nodes": []}}})));
    assert!(!folder.0.join("jwt-secret").exists());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn commands_do_their_work_without_a_server() {
    let folder = DataDir::new();
    assert_eq!(folder.print(&["schema"]), souk::graphql::sdl());
    assert!(!folder.0.join("postgres").exists(), "the schema needs no database");
    let applied = folder.print(&["migrate"]);
    assert!(applied.lines().count() > 5 && applied.lines().all(|line| line.starts_with("applied ")), "{applied}");
    assert_eq!(folder.print(&["migrate"]), "the tables are up to date\n");
    assert!(is_free(&folder.0) && !folder.has_postgres());
    let url = folder.run(&["db", "url"]);
    assert!(String::from_utf8_lossy(&url.stdout).starts_with("postgres://"));
    assert!(stderr(&url).contains("does not run now"), "{}", stderr(&url));
    let mut named = folder.command(&["db", "url"]);
    let named = named.env("DATABASE_URL", "postgres://somebody@somewhere/souk").output().unwrap();
    assert_eq!(named.stdout, b"postgres://somebody@somewhere/souk\n");
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let folder = DataDir::new();
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
        let output = folder.run(&arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
        assert!(code == 2 || said.lines().count() == 1, "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }
    assert!(!folder.0.join("postgres").exists(), "nothing was started");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = DataDir::new();
    let mut child = folder.command(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn servers_that_start_at_once_agree_on_the_secret() {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        serve: ServeSettings,
    }
    for _ in 0..20 {
        let folder = DataDir::new();
        let arguments = ["souk", "--env", "development", "--data-dir", folder.0.to_str().unwrap()];
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
        let files: Vec<_> = folder.0.read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["jwt-secret"]);
    }
}

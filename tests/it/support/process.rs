//! The binary, run as a user runs it, and a minimal HTTP client to talk to it.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Timeout for every wait in these tests.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A data directory of its own, readable by the account under which root runs PostgreSQL; removed at the end.
pub struct DataDir(pub PathBuf);

impl DataDir {
    /// Creates an empty directory.
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("souk-cli-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir_all(&path).expect("a directory");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("directory permissions");
        Self(path)
    }

    /// Returns the command to run in this directory; of the test's environment it gets only the path to programs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        // The load scripts in bench/ set this to the release build.
        let souk = std::env::var_os("SOUK_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_souk").into());
        let mut command = Command::new(souk);
        command.args(arguments).env_clear().env("SOUK_DATA_DIR", &self.0).current_dir(&self.0);
        // All requests come from one address, which stands for many clients.
        command.env("SOUK_UNPAID_SHARE", "100").env("SOUK_UNPAID_ORDERS", "0");
        for name in ["PATH", "SOUK_POSTGRES_BIN"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs a command that must succeed and returns its output.
    #[track_caller]
    pub fn stdout_of(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Returns whether PostgreSQL's pid file exists here.
    pub fn has_postgres(&self) -> bool {
        self.0.join("postgres/postmaster.pid").exists()
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running `souk serve`; killed at the end of the test.
pub struct ServerProcess {
    child: Child,
    /// Lines printed at startup, up to the health URL.
    pub startup_output: Vec<String>,
    /// Address of the HTTP server.
    pub address: SocketAddr,
    printed: mpsc::Receiver<String>,
    log: mpsc::Receiver<String>,
}

impl ServerProcess {
    /// Starts a server on a free port and waits until it is ready.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = lines(child.stderr.take().expect("a pipe"));
        let printed = lines(child.stdout.take().expect("a pipe"));
        let mut startup_output: Vec<String> = Vec::new();
        while !startup_output.last().is_some_and(|line| line.starts_with("Health"))
            && let Ok(line) = printed.recv_timeout(TIMEOUT)
        {
            startup_output.push(line);
        }
        let url = startup_output.iter().find_map(|line| line.strip_prefix("GraphQL")?.trim().strip_prefix("http://"));
        let address = url.and_then(|url| url.strip_suffix("/graphql")?.parse().ok());
        let address = address.unwrap_or_else(|| {
            let log: Vec<_> = log.try_iter().collect();
            panic!("no address in {startup_output:?}; the log: {log:#?}")
        });
        Self { child, startup_output, address, printed, log }
    }

    /// Waits for the next line of its output.
    pub fn printed_line(&self) -> String {
        self.printed.recv_timeout(TIMEOUT).expect("another line of output")
    }

    /// Waits for the next log line that contains this text.
    pub fn wait_for_log(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(TIMEOUT).unwrap_or_else(|_| panic!("no line with `{text}` in the log"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the process to end; returns its exit code, `None` if a signal ended it.
    pub fn wait(mut self) -> Option<i32> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the process did not end in time");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends SIGTERM, as an init system does, and waits; returns the exit code.
    pub fn stop(self) -> Option<i32> {
        self.signal("-TERM");
        self.wait()
    }

    /// Sends a GET request; returns the status and the body of the response.
    pub fn get(&self, path: &str) -> (u16, String) {
        send_raw(self.address, &format!("GET {path} HTTP/1.0\r\nHost: souk\r\n\r\n"))
    }

    /// Runs an operation, with a token if there is one.
    pub fn run(&self, token: Option<&str>, document: &str) -> (u16, Value) {
        let (status, body) = post(self.address, token, document);
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }

    /// Logs in; returns the access token.
    pub fn log_in(&self, email: &str, password: &str) -> String {
        let input = format!("email: {}, password: {}", json!(email), json!(password));
        let login = format!("mutation {{ login(input: {{ {input} }}) {{ accessToken userErrors {{ code }} }} }}");
        let (_, response) = self.run(None, &login);
        let token = response["data"]["login"]["accessToken"].as_str();
        token.unwrap_or_else(|| panic!("{email} cannot log in: {response}")).to_owned()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts an operation; returns the status and the body of the response.
pub fn post(address: SocketAddr, token: Option<&str>, document: &str) -> (u16, String) {
    post_body(address, token, &json!({ "query": document }).to_string())
}

/// Posts a request body and reads the whole response: its status and its body.
pub fn post_body(address: SocketAddr, token: Option<&str>, body: &str) -> (u16, String) {
    let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    send_raw(
        address,
        &format!(
            "POST /graphql HTTP/1.0\r\nHost: souk\r\nContent-Type: application/json\r\n{authorization}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

fn send_raw(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("a connection to the server");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("a complete response");
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not an HTTP response: {response:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// Polls until a condition holds.
#[track_caller]
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Reads the lines of a pipe until its end, so that the writer never blocks.
fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    receive
}

/// Returns whether a data directory's PostgreSQL is stopped, tested by taking its lock.
pub fn is_unlocked(data_dir: &Path) -> bool {
    fs::File::options().append(true).open(data_dir.join("postgres.lock")).is_ok_and(|file| file.try_lock().is_ok())
}

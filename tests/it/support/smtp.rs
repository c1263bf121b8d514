//! A mail server on loopback that stores what it receives, and can be told to reject it.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::email::Email;

/// What the server does with a received email.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SmtpBehavior {
    /// Accepts it.
    Accept,
    /// Sends this reply instead; `%` stands for the line of the email's text that has the token.
    Reject(&'static str),
    /// Accepts it, and closes the connection before it replies.
    AcceptThenDisconnect,
    /// Rejects every login.
    RejectLogins,
}

struct State {
    behavior: Mutex<SmtpBehavior>,
    emails: watch::Sender<Vec<Email>>,
    logins: Mutex<Vec<String>>,
}

/// The mail server.
pub struct SmtpSink {
    /// Address of the server.
    pub address: std::net::SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl SmtpSink {
    /// Starts a server that accepts every email.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            behavior: Mutex::new(SmtpBehavior::Accept),
            emails: watch::Sender::new(Vec::new()),
            logins: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { handle_connection(stream, &state).await });
            }
        });
        Self { address, state, task }
    }

    /// Returns the server's URL, without TLS.
    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// Sets the behavior from now on.
    pub fn set_behavior(&self, behavior: SmtpBehavior) {
        *self.state.behavior.lock().expect("no panic") = behavior;
    }

    /// Returns the emails received since the last call.
    pub fn take(&self) -> Vec<Email> {
        self.state.emails.send_replace(Vec::new())
    }

    /// Waits for an email and returns all received since the last call.
    pub async fn wait(&self) -> Vec<Email> {
        self.state.emails.subscribe().wait_for(|emails| !emails.is_empty()).await.expect("the server runs");
        self.take()
    }

    /// Returns the credentials of each login, as sent by AUTH PLAIN.
    pub fn logins(&self) -> Vec<String> {
        self.state.logins.lock().expect("no panic").clone()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Handles one connection until it closes.
async fn handle_connection(stream: TcpStream, state: &State) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to) = (String::new(), Vec::new());
    write_line(&mut stream, "220 sink.example ESMTP").await?;
    loop {
        let line = read_line(&mut stream).await?;
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let response = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-sink.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => {
                let credentials = rest.strip_prefix("PLAIN ").unwrap_or(rest);
                state.logins.lock().expect("no panic").push(super::email::base64_text(credentials));
                let refused = *state.behavior.lock().expect("no panic") == SmtpBehavior::RejectLogins;
                if refused { "535 5.7.8 wrong password" } else { "235 welcome" }.to_owned()
            }
            "MAIL" => {
                (from, to) = (address(rest), Vec::new());
                "250 ok".to_owned()
            }
            "RCPT" => {
                to.push(address(rest));
                "250 ok".to_owned()
            }
            "DATA" => {
                write_line(&mut stream, "354 go on").await?;
                let mail = Email::parse(&from, &to, &data(&mut stream).await?);
                let behavior = *state.behavior.lock().expect("no panic");
                match behavior {
                    SmtpBehavior::Reject(response) => {
                        let link = mail.text.lines().find(|line| line.contains("?token=")).unwrap_or_default();
                        response.replace('%', link)
                    }
                    _ => {
                        state.emails.send_modify(|emails| emails.push(mail));
                        if behavior == SmtpBehavior::AcceptThenDisconnect {
                            return None;
                        }
                        "250 taken".to_owned()
                    }
                }
            }
            "QUIT" => {
                write_line(&mut stream, "221 bye").await?;
                return None;
            }
            "NOOP" | "RSET" => "250 ok".to_owned(),
            _ => "502 no such command".to_owned(),
        };
        write_line(&mut stream, &response).await?;
    }
}

async fn write_line(stream: &mut BufReader<TcpStream>, line: &str) -> Option<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads the lines of an email up to the terminating dot.
async fn data(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = read_line(stream).await?;
        if line == "." {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push_str("\r\n");
    }
}

/// Returns the address in `FROM:<name@example.com> SMTPUTF8`.
fn address(rest: &str) -> String {
    let inner = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.unwrap_or_else(|| panic!("{rest} has no address")).0.to_owned()
}

//! An HTTP client that keeps its connection, as browsers and apps do: for load tests and for servers that crash.
//! Rule: a broken connection is an error, not a panic; the next operation opens a new connection.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

use super::TestResponse;

/// Client that runs operations over HTTP.
pub struct Client {
    address: SocketAddr,
    headers: Vec<(&'static str, String)>,
    stream: Option<BufStream<TcpStream>>,
}

impl Client {
    /// Creates a client for the server at this address.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new(), stream: None }
    }

    /// Returns the same client on a connection of its own.
    pub fn with_new_connection(&self) -> Self {
        self.at_server(self.address)
    }

    /// Returns the same client for another server.
    pub fn at_server(&self, address: SocketAddr) -> Self {
        Self { address, headers: self.headers.clone(), stream: None }
    }

    /// Adds a header that is sent with every request.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.set_header(name, value);
        self
    }

    /// Sets a header that is sent with every request, replacing its earlier value.
    pub fn set_header(&mut self, name: &'static str, value: impl Into<String>) {
        self.remove_header(name);
        self.headers.push((name, value.into()));
    }

    /// Stops sending this header.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(other, _)| *other != name);
    }

    /// Runs an operation.
    /// # Errors
    /// If no complete response arrives; the operation may or may not have been executed.
    pub async fn run(&mut self, document: &str, variables: Value) -> io::Result<TestResponse> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                BufStream::new(stream)
            }
        };
        let body = json!({ "query": document, "variables": variables }).to_string();
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: souk\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await?;
        stream.flush().await?;
        let text = read_response(&mut stream).await?;
        self.stream = Some(stream);
        Ok(TestResponse::new(document, text, Vec::new()))
    }

    /// Runs a mutation with this input and selects these fields of its payload, and the user errors.
    /// # Errors
    /// As [`Client::run`].
    pub async fn mutate(&mut self, mutation: &str, fields: &str, input: Value) -> io::Result<TestResponse> {
        let mut name = mutation.to_owned();
        name[..1].make_ascii_uppercase();
        let document = format!(
            "mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message field }} }} }}"
        );
        self.run(&document, json!({ "input": input })).await
    }
}

/// Reads the body of the next response, whose length is in its header.
async fn read_response(stream: &mut BufStream<TcpStream>) -> io::Result<String> {
    let mut length = None;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if line == "\r\n" {
            break;
        }
        let header = line.to_ascii_lowercase();
        let found = header.strip_prefix("content-length:").and_then(|value| value.trim().parse::<usize>().ok());
        length = length.or(found);
    }
    let mut body = vec![0; length.expect("a content-length header")];
    stream.read_exact(&mut body).await?;
    String::from_utf8(body).map_err(io::Error::other)
}

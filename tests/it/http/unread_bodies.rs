//! Rejected requests whose body was not read: a client that is still sending it can read the response.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

use crate::support::TestApp;

/// More than the buffers of both sockets hold.
const BODY_BYTES: usize = 16 * 1024 * 1024;

/// Sends a request whose body is large, all of it, and only then reads the response. Returns its status and body.
async fn send_then_read(address: SocketAddr, request_line: &str, headers: &str, start: &str) -> (String, String) {
    let mut stream = BufStream::new(TcpStream::connect(address).await.expect("a connection"));
    let head = format!("{request_line} HTTP/1.1\r\nhost: souk\r\n{headers}content-length: {BODY_BYTES}\r\n\r\n{start}");
    stream.write_all(head.as_bytes()).await.expect("a request");
    let chunk = vec![b'x'; 64 * 1024];
    let mut left = BODY_BYTES - start.len();
    while left > 0 {
        let length = left.min(chunk.len());
        stream.write_all(&chunk[..length]).await.expect("a connection that takes the whole body");
        left -= length;
    }
    stream.flush().await.expect("a connection that takes the whole body");
    let (mut status, mut length, mut line) = (String::new(), 0, String::new());
    while stream.read_line(&mut line).await.expect("a response") > 2 {
        match line.strip_prefix("content-length: ") {
            Some(text) => length = text.trim().parse().expect("a length"),
            None if status.is_empty() => status = line.trim().to_owned(),
            None => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a body");
    (status, String::from_utf8(body).expect("UTF-8"))
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_sends_a_large_body_reads_why_it_was_rejected() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let manager = app.manager().await;
    let form = "content-type: multipart/form-data; boundary=b\r\n";
    let preflight = "graphql-require-preflight: 1\r\n";
    let token = format!("authorization: Bearer {}\r\n", manager.token().expect("a token"));
    let with_file = "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n\
        {\"query\": \"query ($file: Upload) { me { id } }\", \"variables\": {\"file\": null}}\r\n\
        --b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"0\": [\"variables.file\"]}\r\n\
        --b\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a.png\"\r\n\r\n";
    let json = "content-type: application/json\r\n";
    for (line, headers, start, status, code) in [
        ("POST /graphql", form.to_owned(), with_file, "400", "BAD_USER_INPUT"),
        ("POST /graphql", format!("{form}{preflight}"), with_file, "401", "UNAUTHENTICATED"),
        (
            "POST /graphql",
            format!("{form}{preflight}authorization: Bearer dead\r\n"),
            with_file,
            "401",
            "UNAUTHENTICATED",
        ),
        ("POST /graphql", format!("{form}{preflight}{token}"), with_file, "413", "LIMIT_EXCEEDED"),
        ("POST /graphql", format!("{form}{preflight}{token}"), "--b\r\nbad", "400", "BAD_USER_INPUT"),
        ("POST /graphql", json.to_owned(), "{", "413", "LIMIT_EXCEEDED"),
        ("POST /graphql", "content-type: text/plain\r\n".to_owned(), "", "415", "BAD_USER_INPUT"),
        ("PUT /files/unknown", String::new(), "", "404", "NOT_FOUND"),
        ("POST /nothing", String::new(), "", "404", "NOT_FOUND"),
    ] {
        let (found, body) = send_then_read(address, line, &headers, start).await;
        assert!(found.contains(status) && body.contains(code), "{line} {headers}: {found} {body}");
    }
}

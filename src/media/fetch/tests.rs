//! Attacks on downloads by URL.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::outbound::client_of;

const POLICY: FetchPolicy = FetchPolicy { max_bytes: 10, addresses: Addresses::Public };

#[tokio::test]
async fn no_spelling_of_a_private_address_is_fetched() {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "①②⑦.⓪.⓪.①",
        "localhost",
        "169.254.169.254",
    ] {
        let failed = fetch(&format!("http://{host}/latest/meta-data"), POLICY).await;
        assert!(
            matches!(&failed, Err(OutboundError::Permanent(why)) if why.contains("not public")),
            "{host}: {failed:?}"
        );
    }
}

/// Starts a server that serves each connection with this function; returns its address and the number of connections.
async fn server<S, F>(serve: S) -> (SocketAddr, Arc<AtomicUsize>)
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    (address, count)
}

/// Reads the head of a request.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

/// Starts a server that sends these bytes, and then these again and again.
async fn stream_server(first: String, again: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    server(move |mut stream| {
        let first = first.clone();
        async move {
            read_head(&mut stream).await?;
            stream.write_all(first.as_bytes()).await?;
            while !again.is_empty() {
                stream.write_all(again.as_bytes()).await?;
            }
            pending().await
        }
    })
    .await
}

/// Downloads from a server as if its address were the only public one.
async fn fetch_from(server: SocketAddr, max_time: Duration) -> Result<Vec<u8>, OutboundError> {
    let check = |address: SocketAddr| if address == server { Ok(()) } else { check_address(address, POLICY.addresses) };
    follow(parse_parts(&format!("http://{server}/a.jpg")).unwrap(), POLICY.max_bytes, max_time, &check).await
}

#[tokio::test]
async fn redirects_to_what_is_not_public_are_not_followed() {
    let (private, connections) = stream_server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".to_owned(), "").await;
    for (target, why) in [
        (format!("http://{private}/"), "the port must be"),
        ("http://127.0.0.1/".to_owned(), "not public"),
        ("http://localhost/".to_owned(), "not public"),
        ("//169.254.169.254/latest/meta-data".to_owned(), "not public"),
        ("http://168.63.129.16/machine".to_owned(), "not public"),
        ("http://10.0.0.1/".to_owned(), "not public"),
        ("http://192.168.0.1:80/".to_owned(), "not public"),
        ("https://172.16.0.1/".to_owned(), "not public"),
        ("http://2130706433/".to_owned(), "not public"),
        ("http://[::1]/".to_owned(), "not public"),
        ("http://[::ffff:127.0.0.1]/".to_owned(), "not public"),
        ("http://[::ffff:a9fe:a9fe]/".to_owned(), "not public"),
        ("http://[64:ff9b::a9fe:a9fe]/".to_owned(), "not public"),
        ("http://[fd00:ec2::254]/".to_owned(), "not public"),
        ("file:///etc/passwd".to_owned(), "must start with http"),
        ("ftp://127.0.0.1/".to_owned(), "must start with http"),
        ("http://user@127.0.0.1/".to_owned(), "user name"),
        ("http://".to_owned(), "not a URL"),
    ] {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let (public, _) = stream_server(head, "").await;
        let failed = fetch_from(public, MAX_TIME).await;
        assert!(matches!(&failed, Err(OutboundError::Permanent(found)) if found.contains(why)), "{target}: {failed:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_connection_goes_to_the_checked_address_whatever_the_name_resolves_to_later() {
    let (checked, connections) = stream_server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".to_owned(), "").await;
    // Names that have no or another address in DNS.
    for host in ["rebound.invalid", "rebound.invalid.", "localhost"] {
        let url = parse_parts(&format!("http://{}:{}/", host.to_uppercase(), checked.port())).unwrap();
        let client = client_of(url.host_str().unwrap(), &[checked]).unwrap();
        let response = client.get(url).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "x", "{host}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn endless_and_slow_responses_are_ended() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let soon = Duration::from_millis(500);
    for (name, first, again, max_time, why) in [
        ("endless", format!("{ok}\r\n"), "xxxx", MAX_TIME, "larger than 10 bytes"),
        ("chunks", format!("{ok}Transfer-Encoding: chunked\r\n\r\n"), "1\r\nx\r\n", MAX_TIME, "larger than 10 bytes"),
        ("declared", format!("{ok}Content-Length: 11\r\n\r\n"), "", MAX_TIME, "larger than 10 bytes"),
        ("wrong length", format!("{ok}Content-Length: 9\r\nConnection: close\r\n\r\nx"), "", soon, "longer than"),
        ("headers", ok.to_owned(), "A: b\r\n", MAX_TIME, "request failed"),
        ("one header", format!("{ok}A: "), "xxxx", MAX_TIME, "request failed"),
        ("informational", String::new(), "HTTP/1.1 103 Early Hints\r\n\r\n", soon, "longer than"),
        ("no response", String::new(), "", soon, "longer than"),
        ("half a head", "HTTP/1.1 2".to_owned(), "", soon, "longer than"),
    ] {
        let (server, _) = stream_server(first, again).await;
        let failed = fetch_from(server, max_time).await.map(|bytes| bytes.len());
        let is_expected = failed.as_ref().is_err_and(|error| error.to_string().contains(why));
        assert!(is_expected, "{name}: {failed:?}");
    }
}

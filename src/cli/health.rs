//! `souk health`: a readiness probe for containers without curl.
//! Rule: the exit code is 0 only if the server is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use super::CommandResult;

/// Time limit of the request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The readiness of the server that listens on an address, or of a URL.
pub(super) async fn run(url: Option<String>, listen: SocketAddr) -> CommandResult {
    let url = url.unwrap_or_else(|| format!("http://{}/readyz", local(listen)));
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url} must start with http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let response = timeout(TIMEOUT, http_get(host, path)).await;
    let response = response.map_err(|_| format!("{url} did not respond within {} s", TIMEOUT.as_secs()))?;
    let response = response.map_err(|error| format!("{url} cannot be reached: {error}"))?;
    let status = response.lines().next().unwrap_or("empty response");
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(format!("{url} is not ready: {status}").into()) }
}

/// How a server that listens on all addresses is reached from its own machine.
fn local(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listen.port()),
        _ => listen,
    }
}

async fn http_get(host: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

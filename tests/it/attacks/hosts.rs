//! Requests without a host, or with several of which proxies and servers could each choose another.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::TestApp;

#[tokio::test]
async fn request_names_exactly_one_host() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    for (headers, status) in [
        ("host: souk\r\n", 200),
        ("", 400),
        ("host: souk\r\nhost: souk\r\n", 400),
        ("host: souk\r\nhost: evil.example\r\n", 400),
        ("host:\r\n", 400),
        ("host: evil.example/path\r\n", 400),
    ] {
        for path in ["/livez", "/readyz", "/graphql?query=%7B__typename%7D"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {headers}: {response}");
            assert!(response.contains("x-request-id: "), "{response}");
            assert!(status == 200 || response.contains("BAD_USER_INPUT"), "{response}");
        }
    }
}

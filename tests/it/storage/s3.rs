//! File storage over the S3 protocol, against a server that implements it and verifies signatures.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use souk::{
    error::{Error, ErrorCode},
    storage::{Bucket, Storage, StorageLocation, signed_url::UrlUsage},
};
use tokio::net::TcpListener;

/// Starts a server with an empty bucket in this directory; returns its address.
async fn server(directory: &tempfile::TempDir) -> String {
    std::fs::create_dir(directory.path().join("shop")).expect("a bucket");
    let mut builder = S3ServiceBuilder::new(FileSystem::new(directory.path()).expect("a server"));
    builder.set_auth(SimpleAuth::from_single("key", "secret"));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

fn store(endpoint: &str, secret: &str) -> Storage {
    let bucket = Bucket {
        name: "shop".to_owned(),
        prefix: "souk/files".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        credentials: Some(("key".to_owned(), secret.to_owned())),
        is_path_style: true,
    };
    Storage::open(&StorageLocation::S3(bucket)).expect("a store")
}

async fn keys(store: &Storage, directory: &str) -> Vec<String> {
    let mut keys: Vec<_> = store.list(directory).unwrap().map_ok(|entry| entry.key).try_collect().await.unwrap();
    keys.sort();
    keys
}

#[tokio::test]
async fn files_are_written_read_listed_and_deleted_in_a_bucket() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&server(&directory).await, "secret");
    store.put("media/ab/160.jpg", Bytes::from_static(b"0123456789")).await.unwrap();
    assert!(directory.path().join("shop/souk/files/media/ab/160.jpg").exists(), "below the prefix");
    assert_eq!(store.get_bytes("media/ab/160.jpg", 10).await.unwrap().unwrap(), "0123456789");
    let part = store.get_range("media/ab/160.jpg", 2..5).await.unwrap().unwrap();
    assert_eq!((part.size, part.range.clone()), (10, 2..5));
    assert_eq!(part.stream.map_ok(Vec::from).try_concat().await.unwrap(), b"234");
    // Uploaded in parts; an upload that is too long leaves nothing.
    let long = vec![7_u8; 20 * 1024 * 1024];
    let size = long.len() as u64;
    assert_eq!(store.put_stream("uploads/1/a", &long[..], size).await.unwrap(), size);
    assert!(store.put_stream("uploads/1/b", &long[..], size - 1).await.is_err());
    assert_eq!(store.get_bytes("uploads/1/a", size).await.unwrap().unwrap(), long);
    assert_eq!(keys(&store, "uploads").await, ["uploads/1/a"]);
    assert_eq!(keys(&store, "media").await, ["media/ab/160.jpg"]);
    for _ in 0..2 {
        store.delete("media/ab/160.jpg").await.unwrap();
    }
    assert_eq!(store.size("media/ab/160.jpg").await.unwrap(), None);
    assert!(store.get("media/ab/160.jpg").await.unwrap().is_none());
}

#[tokio::test]
async fn bucket_urls_are_presigned() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&server(&directory).await, "secret");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let hour = Duration::from_secs(3600);
    let put = store.signed_put("uploads/1/a", 5, hour).await.unwrap();
    let sent = client.put(&put.url).body("12345").send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.status());
    assert_eq!(store.get_bytes("uploads/1/a", 5).await.unwrap().unwrap(), "12345");
    let get = store.signed_get("uploads/1/a", "prices.csv", hour).await.unwrap();
    assert_eq!(client.get(&get.url).send().await.unwrap().bytes().await.unwrap(), "12345");
    let forged = get.url.replace("uploads/1/a", "uploads/2/a");
    assert_eq!(client.get(&forged).send().await.unwrap().status().as_u16(), 403);
    assert!(store.verify_url_token("x.y", UrlUsage::Get).is_none(), "Souk's own URLs are disabled");
}

#[tokio::test]
async fn images_that_are_not_public_are_presigned() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&server(&directory).await, "secret");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    store.put("media/ab/160.jpg", Bytes::from_static(b"0123456789")).await.unwrap();
    let hour = chrono::Utc::now() + chrono::Duration::hours(1);
    let url = store.signed_media_url("media/ab/160.jpg", hour).await.unwrap();
    let found = client.get(&url).send().await.unwrap();
    assert!(found.status().is_success(), "{}", found.status());
    assert_eq!(found.headers()["cache-control"], "private, no-store", "not the header of public files");
    assert_eq!(found.bytes().await.unwrap(), "0123456789");
    let forged = url.replace("160.jpg", "320.jpg");
    assert_eq!(client.get(&forged).send().await.unwrap().status().as_u16(), 403);
    assert!(!store.is_media_signature("media/ab/160.jpg", hour.timestamp(), ""), "Souk's own URLs are disabled");
}

#[tokio::test]
async fn rejected_store_request_returns_unavailable() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&server(&directory).await, "another secret");
    let refused = store.put("media/ab/160.jpg", Bytes::new()).await;
    assert!(matches!(refused, Err(Error::Coded(ErrorCode::Unavailable, _))), "{refused:?}");
}

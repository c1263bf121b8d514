//! File storage: a directory and memory behave the same.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use souk::{
    error::{Error, ErrorCode},
    storage::{Storage, StorageLocation, signed_url::UrlUsage},
};

/// Returns a store in a directory and one in memory, and the directory.
fn stores() -> (tempfile::TempDir, [Storage; 2]) {
    let dir = tempfile::tempdir().expect("a directory");
    let place = StorageLocation::Directory { directory: dir.path().join("files"), secret: "s".repeat(32) };
    let stores = [&place, &StorageLocation::Memory].map(|place| Storage::open(place).expect("a store"));
    (dir, stores)
}

async fn keys(store: &Storage, dir: &str) -> Vec<String> {
    let mut keys: Vec<_> = store.list(dir).unwrap().map_ok(|entry| entry.key).try_collect().await.unwrap();
    keys.sort();
    keys
}

#[tokio::test]
async fn files_are_written_read_listed_and_deleted() {
    let (_directory, stores) = stores();
    for store in stores {
        store.put("media/ab/160.jpg", Bytes::from_static(b"0123456789")).await.unwrap();
        assert_eq!(store.get_bytes("media/ab/160.jpg", 10).await.unwrap().unwrap(), "0123456789");
        let part = store.get_range("media/ab/160.jpg", 2..5).await.unwrap().unwrap();
        assert_eq!((part.size, part.range.clone()), (10, 2..5));
        assert_eq!(part.stream.map_ok(Vec::from).try_concat().await.unwrap(), b"234");
        store.put("media/ab/160.jpg", Bytes::from_static(b"new")).await.unwrap();
        assert_eq!(store.size("media/ab/160.jpg").await.unwrap(), Some(3));
        store.put("transfers/1/out.csv", Bytes::new()).await.unwrap();
        assert_eq!(keys(&store, "media").await, ["media/ab/160.jpg"]);
        for _ in 0..2 {
            store.delete("media/ab/160.jpg").await.unwrap();
        }
        assert!(store.get("media/ab/160.jpg").await.unwrap().is_none());
        assert!(keys(&store, "media").await.is_empty());
    }
}

#[tokio::test]
async fn long_stream_is_written_in_parts_and_too_long_one_leaves_nothing() {
    let (_directory, stores) = stores();
    let long = vec![7_u8; 9 * 1024 * 1024];
    let size = long.len() as u64;
    for store in stores {
        assert_eq!(store.put_stream("uploads/1/a", &long[..], size).await.unwrap(), size);
        let refused = store.put_stream("uploads/1/b", &long[..], size - 1).await;
        assert!(matches!(refused, Err(Error::Coded(ErrorCode::LimitExceeded, _))), "{refused:?}");
        assert_eq!(keys(&store, "uploads").await, ["uploads/1/a"]);
        assert_eq!(store.get_bytes("uploads/1/a", size).await.unwrap().unwrap(), long);
        assert!(store.get_bytes("uploads/1/a", size - 1).await.is_err());
    }
}

#[tokio::test]
async fn put_once_writes_only_once() {
    let (_directory, stores) = stores();
    for store in stores {
        let (one, two) = tokio::join!(
            store.put_if_absent("uploads/1/a", &b"one"[..], 9),
            store.put_if_absent("uploads/1/a", &b"two"[..], 9)
        );
        assert_eq!(u8::from(one.unwrap()) + u8::from(two.unwrap()), 1, "exactly one of both");
        assert!(!store.put_if_absent("uploads/1/a", &b"three"[..], 9).await.unwrap());
        assert_ne!(store.get_bytes("uploads/1/a", 9).await.unwrap().unwrap(), "three");
        assert_eq!(keys(&store, "uploads").await, ["uploads/1/a"]);
    }
}

#[tokio::test]
async fn keys_cannot_escape_the_store() {
    let (_directory, stores) = stores();
    for store in stores {
        for key in ["../secret", "media/../../secret", "media//x", "media/./x"] {
            assert!(store.put(key, Bytes::new()).await.is_err(), "{key}");
            assert!(store.get(key).await.is_err(), "{key}");
        }
    }
}

#[tokio::test]
async fn signed_url_of_an_image_is_a_path_of_the_server() {
    let (_directory, stores) = stores();
    for store in stores {
        let hour = chrono::Utc::now() + chrono::Duration::hours(1);
        let url = store.signed_media_url("media/ab/160.jpg", hour).await.unwrap();
        let (path, query) = url.split_once('?').expect("parameters");
        let expires = format!("expires={}&signature=", hour.timestamp());
        let signature = query.strip_prefix(&expires).expect("a signature");
        assert_eq!(path, "/media/ab/160.jpg");
        assert!(store.is_media_signature("media/ab/160.jpg", hour.timestamp(), signature));
        assert!(!store.is_media_signature("media/ab/320.jpg", hour.timestamp(), signature));
    }
}

#[tokio::test]
async fn signed_url_is_valid_for_one_operation_on_one_file() {
    let (_directory, stores) = stores();
    for store in stores {
        let day = Duration::from_secs(86_400);
        let get = store.signed_get("transfers/1/out.csv", "out.csv", day).await.unwrap();
        let token = get.url.strip_prefix("/files/").expect("a /files/ URL");
        assert_eq!(store.verify_url_token(token, UrlUsage::Get).expect("a valid token").key, "transfers/1/out.csv");
        assert!(store.verify_url_token(token, UrlUsage::Put).is_none());
        let put = store.signed_put("uploads/1/a", 5, day).await.unwrap();
        let ticket =
            store.verify_url_token(put.url.strip_prefix("/files/").unwrap(), UrlUsage::Put).expect("a valid token");
        assert_eq!((ticket.key.as_str(), ticket.max_bytes), ("uploads/1/a", 5));
    }
}

//! Query plans of image lists and of the download job.

use souk::media::store::downloads::{claim_due, waiting};

use super::{
    Case,
    Sorts::{Few, Never},
    check,
};
use crate::support::TestApp;

const IMAGES: &[Case] = &[
    Case("{ images { totalCount { value } nodes { id } } }", "images_created_at_idx", Never),
    Case("{ images(where: {failed: true}) { nodes { id } } }", "images_failed_idx", Never),
    Case("{ images(where: {product: {eq: PRODUCT}}) { nodes { id } } }", "images_product_id", Few),
];

#[tokio::test]
async fn image_lists_and_downloads_use_an_index() {
    let app = TestApp::new().await;
    app.seed_catalog().await;
    app.bulk_insert(
        "INSERT INTO images (product_id, source_url, position, failure, attempts, created_at)
            SELECT id, 'https://shop.example/' || id % 3000, 1,
                   CASE WHEN id % 100 = 0 THEN 'the server responded with status 404' END,
                   CASE WHEN id % 100 = 0 THEN 3 ELSE 0 END, now() - id * interval '1 second' FROM products",
    )
    .await;
    check(&app.admin().await, IMAGES).await;
    // Eight URLs, each of three or four products.
    let db = &app.database.db;
    let claimed = db.transaction(async |conn| claim_due(conn, 8).await).await.expect("a claim");
    assert_eq!(claimed.len(), 8);
    let first = &claimed[0].url;
    let found = db.read(async |conn| waiting(conn, first, true, souk::ids::ImageId(0), 500).await).await;
    assert!((3..=4).contains(&found.expect("images").len()));
}

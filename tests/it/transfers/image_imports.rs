//! Images of products in imports and exports: downloaded, or linked to content that is on the server.

use std::io::Cursor;

use souk::transfers::model::{Format, ImportOptions, Resource};

use crate::transfers::imports::{Shop, counts, options};

#[tokio::test]
async fn image_changes_count_as_updates_and_local_images_are_not_fetched() {
    let shop = Shop::new().await;
    shop.import_csv(Resource::Products, "sku,name,price\nA,Lantern,1\n").await;
    let with_images = "sku,images\nA,https://shop.example/a.jpg Front\n";
    let dry = ImportOptions { is_dry_run: true, ..options(Resource::Products, Format::SoukCsv) };
    assert_eq!(counts(&shop.run(&dry, Cursor::new(with_images), None).await.unwrap()), [0, 1, 0, 0]);
    assert_eq!(counts(&shop.import_csv(Resource::Products, with_images).await), [0, 1, 0, 0]);
    assert_eq!(counts(&shop.import_csv(Resource::Products, with_images).await), [0, 0, 1, 0]);
    let sha = "ab".repeat(32);
    let uploaded = format!(
        "INSERT INTO media (id, sha256, format, width, height, bytes, blurhash, widths)
             VALUES (1, '{sha}', 'png', 900, 9, 99, 'LEHV6nWB2yk8', '{{160,900}}');
         INSERT INTO images (product_id, media_id, position, alt) SELECT id, 1, 2, 'Uploaded' FROM products"
    );
    shop.database.sql(&uploaded).await;
    let out = shop.exported(Resource::Products, Format::SoukCsv).await;
    let path = format!("/media/{sha}/900.jpg");
    assert!(out.contains(&format!("https://shop.example/a.jpg Front | {path} Uploaded")), "{out}");
    assert_eq!(counts(&shop.import_csv(Resource::Products, &out).await), [0, 0, 1, 0]);
    let image_rows = "SELECT string_agg(coalesce(source_url, media_id::text), ' ' ORDER BY id) FROM images";
    assert_eq!(shop.database.scalar(image_rows).await, "https://shop.example/a.jpg 1");
    // With a base URL the export names the server, and the import recognizes the image all the same.
    for format in [Format::SoukCsv, Format::SoukJsonl] {
        let out = shop.exported_with(Resource::Products, format, Some("https://api.shop.example/media")).await;
        assert!(out.contains(&format!("https://api.shop.example{path}")), "{out}");
        assert!(out.contains("https://shop.example/a.jpg"), "{out}");
        assert_eq!(counts(&shop.import(Resource::Products, format, &out).await), [0, 0, 1, 0], "{out}");
        assert_eq!(shop.database.scalar(image_rows).await, "https://shop.example/a.jpg 1");
    }
    // Another product reuses the local image; an image that is not here is fetched from the source of the file.
    let elsewhere = path.replace("ab", "cd");
    let file = format!("sku,name,price,images\nB,Lamp,1,{path} | {elsewhere}\n");
    assert_eq!(counts(&shop.import_csv(Resource::Products, &file).await), [1, 0, 0, 0]);
    assert_eq!(shop.database.scalar("SELECT count(*) FROM images WHERE media_id = 1").await, "2");
    let mut old = options(Resource::Products, Format::SoukCsv);
    old.shop_options.image_base_url = Some("https://old.example/".into());
    let file = format!("sku,images\nA,{elsewhere}\n");
    for expected in [[0, 1, 0, 0], [0, 0, 1, 0]] {
        assert_eq!(counts(&shop.run(&old, Cursor::new(file.clone()), None).await.unwrap()), expected);
    }
    let wanted = format!("SELECT count(*) FROM images WHERE source_url = 'https://old.example{elsewhere}'");
    assert_eq!(shop.database.scalar(&wanted).await, "1");
}

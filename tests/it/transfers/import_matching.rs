//! Which product a row updates: a row never takes over a product with another external ID, only accepted rows count as
//! seen, and a rejects file has each line once.

use std::io::Cursor;

use souk::transfers::model::{Format, ImportOptions, MatchBy, Missing, ProductRules, Report, Resource};

use crate::{
    support::process::DataDir,
    transfers::imports::{Shop, counts, options},
};

const SKU_TAKES_OVER: &str = include_str!("cases/sku-takes-over.shopify.csv");
const CORRECTED_REJECT: &str = include_str!("cases/corrected-reject-takes-over.shopify.csv");
const TWIN_OF_A_BAD_ROW: &str = include_str!("cases/twin-of-a-bad-row.shopify.csv");
const HEAD_COMES_ALONG: &str = include_str!("cases/head-comes-along-uncorrected.shopify.csv");
const LONG_SKU_TWICE: &str = include_str!("cases/long-sku-twice.shopify.csv");
const IMAGES_OF_SIBLINGS: &str = include_str!("cases/images-of-siblings.shopify.csv");
const PRODUCTS: &str =
    "SELECT string_agg(concat_ws(' ', name, variant, sku, price, stock), ', ' ORDER BY id) FROM products";

async fn shopify(shop: &Shop, file: &str) -> Report {
    shop.import(Resource::Products, Format::Shopify, file).await
}

async fn with_rules(shop: &Shop, format: Format, rules: ProductRules, file: &str) -> Report {
    let options = ImportOptions { rules, ..options(Resource::Products, format) };
    shop.run(&options, Cursor::new(file.to_owned()), None).await.unwrap()
}

#[tokio::test]
async fn row_never_takes_over_a_product_with_another_external_id() {
    let shop = Shop::new().await;
    assert_eq!(counts(&shopify(&shop, SKU_TAKES_OVER).await), [1, 0, 0, 1]);
    // The rejects unchanged, and with another price.
    for rejects in [shop.rejects(), shop.rejects().replace("95.00", "94.00")] {
        let report = shopify(&shop, &rejects).await;
        assert_eq!(counts(&report), [0, 0, 0, 1], "{report:?}");
        let error = &report.errors[0];
        assert_eq!(error.column.as_deref(), Some("Variant SKU"));
        for name in ["\"saddle?Green\"", "\"bar-tape?Green\"", "\"GREEN-1\""] {
            assert!(error.message.contains(name), "{name}: {}", error.message);
        }
    }
    assert_eq!(shop.database.scalar(PRODUCTS).await, "Bar Tape Green GREEN-1 15.00 12");
    // Explicitly, the row becomes the product.
    let rules = ProductRules { match_by: MatchBy::Sku, ..ProductRules::default() };
    let report = with_rules(&shop, Format::Shopify, rules, &shop.rejects()).await;
    assert_eq!(counts(&report), [0, 1, 0, 0], "{report:?}");
    assert_eq!(shop.database.scalar(PRODUCTS).await, "Saddle Green GREEN-1 94.00 3");
    assert_eq!(shop.database.scalar("SELECT external_id FROM sources").await, "saddle?Green");
}

#[tokio::test]
async fn corrected_row_does_not_take_over_the_product_that_got_its_sku() {
    let shop = Shop::new().await;
    // Rejected for its price, not for its stock.
    let file = CORRECTED_REJECT.replace(",-1,", ",0,").replace("95.00", "free");
    assert_eq!(counts(&shopify(&shop, &file).await), [1, 0, 0, 1]);
    let report = shopify(&shop, &shop.rejects().replace("free", "95.00")).await;
    assert_eq!(counts(&report), [0, 0, 0, 1], "{report:?}");
    assert_eq!(shop.database.scalar(PRODUCTS).await, "Bar Tape Green GREEN-1 15.00 12");
    let report = shopify(&shop, &shop.rejects().replace("GREEN-1", "GREEN-2")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0], "{report:?}");
}

#[tokio::test]
async fn products_without_external_id_are_matched_by_sku() {
    let shop = Shop::new().await;
    shop.import_csv(Resource::Products, "sku,name,price\nA,Lantern,1\n").await;
    // The row brings the external ID, and later rows without one still find the product.
    for (file, expected) in [
        ("external_id,sku,price\n1,A,2\n", [0, 1, 0, 0]),
        ("sku,price\nA,3\n", [0, 1, 0, 0]),
        ("external_id,sku,price\n2,A,4\n", [0, 0, 0, 1]),
        ("external_id,sku,price\n1,B,4\n", [0, 1, 0, 0]),
        // The product has given up this SKU.
        ("external_id,sku,name,price\n2,A,Lamp,5\n", [1, 0, 0, 0]),
        ("external_id,sku\n1,A\n", [0, 0, 0, 1]),
        // Both at once, in either order.
        ("external_id,sku,name,price\n1,C,Lantern,4\n3,B,Torch,6\n", [1, 1, 0, 0]),
    ] {
        let report = shop.import_csv(Resource::Products, file).await;
        assert_eq!(counts(&report), expected, "{file}: {report:?}");
    }
    assert_eq!(shop.database.scalar(PRODUCTS).await, "Lantern C 4.00 0, Lamp A 5.00 0, Torch B 6.00 0");
}

#[tokio::test]
async fn customer_with_another_external_id_is_not_taken_over() {
    let shop = Shop::new().await;
    let file = "external_id,email,name\n17,eve@souk.example,Eve\n18,eve@souk.example,Eva\n";
    assert_eq!(counts(&shop.import_csv(Resource::Customers, file).await), [1, 0, 0, 1]);
    let report = shop.import_csv(Resource::Customers, &shop.rejects()).await;
    assert_eq!(counts(&report), [0, 0, 0, 1], "{report:?}");
    assert_eq!(shop.database.scalar("SELECT external_id FROM sources WHERE resource_type = 'User'").await, "17");
}

#[tokio::test]
async fn only_accepted_rows_count_as_seen() {
    let shop = Shop::new().await;
    let report = shopify(&shop, TWIN_OF_A_BAD_ROW).await;
    assert_eq!(counts(&report), [1, 0, 0, 1], "{report:?}");
    assert_eq!(shop.database.scalar(PRODUCTS).await, "New Lamp LAMP-1 25.00 4");
    // Rejected by the reader, by the plan and by the database; then accepted; then twins of the accepted one.
    let file = "external_id,sku,name,price,group,options\n\
                1,A,Lantern,one,,\n\
                2,A,,2,,\n\
                3,A,Lantern,3,lights,Size=\n\
                4,A,Lantern,4,,\n\
                5,A,Lantern,5,,\n\
                6,B,Lamp,6,lamps,Size=M\n\
                7,C,Lamp,7,lamps,Size=M\n\
                8,C,Lamp,8,lamps,Size=L\n\
                8,D,Lamp,9,lamps,Size=S\n";
    let report = shop.import_csv(Resource::Products, file).await;
    assert_eq!(counts(&report), [3, 0, 0, 6], "{report:?}");
    let skus = "SELECT string_agg(concat_ws(' ', s.external_id, p.sku), ', ' ORDER BY s.external_id) FROM products p
                JOIN sources s ON s.resource_id = p.id WHERE s.external_id < '9'";
    assert_eq!(shop.database.scalar(skus).await, "4 A, 6 B, 8 C");
    let message = |line: u64| report.errors.iter().find(|error| error.line == line).map(|error| error.message.as_str());
    assert_eq!(message(6), Some("line 5 of the file has the same SKU"));
    assert_eq!(message(10), Some("line 9 of the file has the same external ID"));
}

#[tokio::test]
async fn each_rejected_line_is_once_in_the_rejects_file() {
    let shop = Shop::new().await;
    let report = shopify(&shop, HEAD_COMES_ALONG).await;
    assert_eq!(counts(&report), [1, 0, 0, 3], "{report:?}");
    let rejects = shop.rejects();
    assert_eq!(rejects.lines().count(), 4, "{rejects}");
    let mut number = 1;
    let corrected: String = rejects
        .lines()
        .map(|line| {
            number += 1;
            line.replace(",SH-1,", &format!(",TU-{number},")) + "\n"
        })
        .collect();
    let report = shopify(&shop, &corrected).await;
    assert_eq!(counts(&report), [3, 0, 0, 0], "{report:?}");
    // One reason, with a count and examples.
    let report = shopify(&shop, &rejects).await;
    let [summary] = report.rejections.as_slice() else { panic!("{report:?}") };
    assert_eq!((summary.column.as_deref(), summary.count), (Some("Variant SKU"), 3), "{summary:?}");
    assert!(summary.message.contains('…') && !summary.message.contains("SH-1"), "{}", summary.message);
    assert_eq!(summary.examples.iter().map(|example| example.line).collect::<Vec<_>>(), [2, 3, 4]);
}

#[tokio::test]
async fn limits_are_shown_with_the_column_of_the_file() {
    let shop = Shop::new().await;
    // SKUs of up to 255 characters are kept, the second of two equal ones is rejected.
    let report = shopify(&shop, LONG_SKU_TWICE).await;
    assert_eq!(counts(&report), [1, 0, 0, 1], "{report:?}");
    assert_eq!(shop.database.scalar("SELECT char_length(sku) FROM products").await, "131");
    let file = LONG_SKU_TWICE.replace("card", "box").replace("1700994710", &"1".repeat(200));
    let report = shopify(&shop, &file).await;
    assert_eq!(counts(&report), [0, 0, 0, 2], "{report:?}");
    for error in &report.errors {
        assert_eq!(error.column.as_deref(), Some("Variant SKU"));
        assert!(error.message.contains("at most 255 characters"), "{}", error.message);
    }
    let report = shop.import_csv(Resource::Products, &format!("SKU,Name,price\nA,{},1\n", "x".repeat(300))).await;
    assert_eq!(report.errors[0].column.as_deref(), Some("Name"));
}

#[tokio::test]
async fn corrected_variant_gets_the_images_of_the_original_file() {
    let images = "SELECT string_agg(concat_ws(' ', p.sku, i.position, split_part(i.source_url, '/', 4)), ', ' ORDER BY p.sku, i.position)
                  FROM images i JOIN products p ON p.id = i.product_id";
    let (whole, parts) = (Shop::new().await, Shop::new().await);
    let bad = IMAGES_OF_SIBLINGS.replace(",W-GREEN,shopify,-1,", ",W-GREEN,shopify,many,");
    let good = bad.replace(",many,", ",1,");
    assert_eq!(counts(&shopify(&whole, &good).await), [3, 0, 0, 0]);
    assert_eq!(counts(&shopify(&parts, &bad).await), [2, 0, 0, 1]);
    let report = shopify(&parts, &parts.rejects().replace(",many,", ",1,")).await;
    assert_eq!(counts(&report), [1, 0, 2, 0], "{report:?}");
    let expected =
        "W-BLUE 1 blue.jpg, W-BLUE 2 all.jpg, W-GREEN 1 green.jpg, W-GREEN 2 all.jpg, W-RED 1 red.jpg, W-RED 2 all.jpg";
    assert_eq!(whole.database.scalar(images).await, expected);
    assert_eq!(parts.database.scalar(images).await, expected);
}

#[tokio::test]
async fn missing_products_are_counted_and_deactivated_on_request() {
    let shop = Shop::new().await;
    let file = "external_id,sku,name,price\n1,A,Lantern,1\n2,B,Lamp,2\n3,C,Torch,3\n4,D,Wick,4\n";
    let full = shop.import_csv(Resource::Products, file).await;
    assert_eq!(full.missing, Some(0));
    // A product of this website that was not imported, and one of another website.
    let made = "INSERT INTO websites (id, code, name, base_url, currency) VALUES (2, 'de', 'Laden', 'https://de.example', 'EUR');
                INSERT INTO products (source_website_id, sku, name, slug, price) VALUES (1, 'OWN', 'Own', 'own', 1)";
    shop.database.sql(made).await;
    let abroad = ImportOptions { website: "de".into(), ..options(Resource::Products, Format::SoukCsv) };
    shop.run(&abroad, Cursor::new("external_id,sku,name,price\n9,X,Lampe,1\n"), None).await.unwrap();
    let active = "SELECT string_agg(sku, ' ' ORDER BY sku) FROM products WHERE is_active";
    // The row of C is rejected, so its product is in the file.
    let newer = "external_id,sku,name,price\n1,A,Lantern,1\n3,C,Torch,three\n";
    assert_eq!(shop.import_csv(Resource::Products, newer).await.missing, Some(2));
    assert_eq!(shop.database.scalar(active).await, "A B C D OWN X");
    let rules = ProductRules { missing: Missing::Deactivate, ..ProductRules::default() };
    let dry = ImportOptions { is_dry_run: true, rules, ..options(Resource::Products, Format::SoukCsv) };
    assert_eq!(shop.run(&dry, Cursor::new(newer), None).await.unwrap().missing, Some(2));
    assert_eq!(shop.database.scalar(active).await, "A B C D OWN X");
    for expected in [Some(2), Some(0)] {
        assert_eq!(with_rules(&shop, Format::SoukCsv, rules, newer).await.missing, expected);
        assert_eq!(shop.database.scalar(active).await, "A C OWN X");
    }
    // A rejects file and a file without an accepted row are not complete.
    for (format, file) in [
        (Format::SoukCsv, shop.rejects().replace("three", "3")),
        (Format::SoukCsv, "external_id,sku,name,price\n".to_owned()),
        (Format::SoukJsonl, "{\"sku\": \"A\", \"line\": 2, \"reason\": \"price\"}\n".to_owned()),
    ] {
        assert_eq!(with_rules(&shop, format, rules, &file).await.missing, None, "{file}");
    }
    assert_eq!(shop.database.scalar(active).await, "A C OWN X");
    let stock = ImportOptions { rules, ..options(Resource::Stock, Format::SoukCsv) };
    assert!(shop.run(&stock, Cursor::new("sku,stock\nA,1\n"), None).await.is_err());
}

#[tokio::test]
async fn file_with_old_line_ends_keeps_its_rejected_rows() {
    let shop = Shop::new().await;
    let report = shop.import_csv(Resource::Products, "sku,name,price\rA,Lamp,x\rB,Lamp,y\rA,Lamp,1\r").await;
    assert_eq!(counts(&report), [1, 0, 0, 2], "{report:?}");
    assert_eq!(shop.rejects().lines().count(), 3, "{}", shop.rejects());
}

#[tokio::test]
async fn continued_run_knows_which_rows_were_rejected() {
    let shop = Shop::new().await;
    let dir = DataDir::new();
    let rejects = dir.0.join("rejects");
    std::fs::write(&rejects, "external_id,sku,name,price,line,reason\n1,A,Lamp,,2,price: missing\n").unwrap();
    // As if the process had crashed after its first batch.
    let cut_off = "INSERT INTO transfers (direction, resource, format, website_id, input_hash, status, checkpoint, processed, rejected)
                   VALUES ('import', 'products', 'souk-csv', 1, '\\x07', 'failed', 1, 1, 1)";
    shop.database.sql(cut_off).await;
    let file = "external_id,sku,name,price\n1,A,Lamp,\n2,A,Lamp,2\n3,C,Lamp,x\n";
    let input = souk::transfers::import::Input { bytes: Box::new(Cursor::new(file)), hash: Some(vec![7]) };
    let options = ImportOptions { batch: 1, ..options(Resource::Products, Format::SoukCsv) };
    let report = souk::transfers::import::import(&shop.database.db, &options, input, &rejects, |_| ()).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 2], "{report:?}");
    assert_eq!(std::fs::read_to_string(&rejects).unwrap().lines().count(), 3);
}

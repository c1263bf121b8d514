//! Files of other shop systems are imported like Souk's own format: repeated without a change, rejects corrected, and
//! the same product at two websites.

use std::{fs, io::Cursor, path::PathBuf};

use chrono::NaiveDate;
use souk::{
    db::Db,
    transfers::{
        formats::Options,
        import::{self, Input},
        model::{Format, ImportOptions, ProductRules, Report, Resource},
    },
};

use crate::support::TestDb;

const SHOPIFY: &str = include_str!("../data/shopify.csv");
const WOOCOMMERCE: &str = include_str!("../data/woocommerce.csv");
const MAGENTO: &str = include_str!("../data/magento.csv");
const WEBSITES: &str = "INSERT INTO websites (code, name, base_url, currency) VALUES
    ('quay', 'Quay', 'https://quay.example', 'GBP'), ('dock', 'Dock', 'https://dock.example', 'EUR')";
/// Digest of every row that a product import writes, without columns that always change.
const ROWS: &str = "SELECT md5(concat(
    (SELECT string_agg(t::text, '|' ORDER BY t.id) FROM products t),
    (SELECT string_agg(t::text, '|' ORDER BY t.id) FROM product_groups t),
    (SELECT string_agg(t::text, '|' ORDER BY t.id) FROM categories t),
    (SELECT string_agg(t::text, '|' ORDER BY t.id) FROM brands t),
    (SELECT string_agg(t::text, '|' ORDER BY t.id) FROM stock_movements t)))";

struct Shop {
    database: TestDb,
    db: Db,
    rejects: PathBuf,
}

impl Shop {
    async fn new(test: &str) -> Self {
        let (database, db) = TestDb::with_handle().await;
        database.sql(WEBSITES).await;
        let rejects = std::env::temp_dir().join(format!("souk-{}-{test}.csv", std::process::id()));
        Self { database, db, rejects }
    }

    async fn import(&self, format: Format, website: &str, file: &str) -> Report {
        self.run(format, website, file, false).await
    }

    async fn run(&self, format: Format, website: &str, file: &str, is_dry_run: bool) -> Report {
        let shop_options = Options { today: NaiveDate::from_ymd_opt(2025, 6, 1).unwrap(), ..Options::default() };
        let (website, resource, batch) = (website.to_owned(), Resource::Products, 3);
        let rules = ProductRules::default();
        let options = ImportOptions {
            resource,
            format,
            website,
            is_dry_run,
            batch,
            user: None,
            customer_websites: None,
            keeps_catalog: false,
            shop_options,
            rules,
        };
        let input = Input { bytes: Box::new(Cursor::new(file.to_owned())), hash: None };
        import::import(&self.db, &options, input, &self.rejects, |_| ()).await.unwrap()
    }

    async fn scalar(&self, sql: &str) -> String {
        self.database.scalar(sql).await
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.rejects);
    }
}

/// Returns the numbers of read, created, updated, unchanged and rejected rows.
fn counts(report: &Report) -> [u64; 5] {
    let counts = report.counts;
    [counts.read, counts.created, counts.updated, counts.unchanged, counts.rejected]
}

#[tokio::test(flavor = "multi_thread")]
async fn reimporting_the_same_file_changes_nothing() {
    let shop = Shop::new("again").await;
    for (format, website, file, [read, good, rejected]) in [
        (Format::Shopify, "quay", SHOPIFY, [8, 5, 3]),
        (Format::WooCommerce, "dock", WOOCOMMERCE, [6, 4, 2]),
        (Format::Magento, "dock", MAGENTO, [5, 4, 1]),
    ] {
        let before = shop.scalar(ROWS).await;
        let dry = shop.run(format, website, file, true).await;
        assert_eq!(counts(&dry), [read, good, 0, 0, rejected], "{format:?}, dry: {:?}", dry.errors);
        assert_eq!(shop.scalar(ROWS).await, before, "{format:?}: a dry run writes nothing");
        let first = shop.import(format, website, file).await;
        assert_eq!(counts(&first), [read, good, 0, 0, rejected], "{format:?}: {:?}", first.errors);
        assert!(!first.notes.is_empty() && first.notes == dry.notes, "{:?}", first.notes);
        let after = shop.scalar(ROWS).await;
        let second = shop.import(format, website, file).await;
        assert_eq!(counts(&second), [read, 0, 0, good, rejected], "{format:?}: {:?}", second.errors);
        assert_eq!(shop.scalar(ROWS).await, after, "{format:?}: no row is written");
    }
    let jumper = "SELECT concat_ws(' ', p.name, p.variant, p.price, p.compare_at_price, p.cost_price, p.stock, p.barcode, p.slug,
            b.name, c.name, g.slug, g.varies_by, p.option_values)
        FROM products p JOIN brands b ON b.id = p.brand_id JOIN categories c ON c.id = p.category_id
        JOIN product_groups g ON g.id = p.group_id WHERE p.sku = 'HJ-S-NVY'";
    assert_eq!(
        shop.scalar(jumper).await,
        "Harbour Jumper S / Navy 89.00 110.00 41.50 12 0501234567899 harbour-jumper-s-navy North Quay Tops harbour-jumper \
         {Size,Colour} {S,Navy}"
    );
    let boots = "SELECT string_agg(concat_ws(' ', p.sku, p.option_values, p.stock, p.is_active), ', ' ORDER BY p.sku)
        FROM products p JOIN product_groups g ON g.id = p.group_id WHERE g.slug = 'dock-boot'";
    assert_eq!(shop.scalar(boots).await, "BOOT-41 {41,\"Brown, oiled\"} 4 t, BOOT-42 {42,Black} 0 f");
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_rejects_can_be_imported() {
    let shop = Shop::new("rejects").await;
    shop.import(Format::Shopify, "quay", SHOPIFY).await;
    let rejects = fs::read_to_string(&shop.rejects).unwrap();
    assert!(rejects.contains("Variant Inventory Qty: \"\"1.5\"\" is not a whole number"), "{rejects}");
    // The rope with a fraction as stock, and the duplicate variant.
    let corrected =
        rejects.replace(",shopify,1.5,", ",shopify,0,").replace(",20 m,,,,,,,,ROPE-21", ",30 m,,,,,,,,ROPE-21");
    let report = shop.import(Format::Shopify, "quay", &corrected).await;
    assert_eq!(counts(&report), [4, 2, 0, 1, 1], "{:?}", report.errors);
    let ropes = "SELECT string_agg(concat_ws(' ', sku, variant, stock), ', ' ORDER BY sku) FROM products WHERE sku LIKE 'ROPE%'";
    assert_eq!(shop.scalar(ropes).await, "ROPE-10 10 m 0, ROPE-20 20 m 5, ROPE-21 30 m 5");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_websites_may_use_the_same_product_and_group_ids() {
    let shop = Shop::new("two").await;
    for website in ["quay", "dock", "quay", "dock"] {
        let report = shop.import(Format::Shopify, website, SHOPIFY).await;
        assert_eq!(report.counts.rejected, 3, "{website}: {:?}", report.errors);
    }
    let groups = "SELECT string_agg(concat_ws(' ', w.code, g.slug), ', ' ORDER BY g.slug) FROM product_groups g
        JOIN websites w ON w.id = g.source_website_id WHERE g.name = 'Harbour Jumper'";
    assert_eq!(shop.scalar(groups).await, "quay harbour-jumper, dock harbour-jumper-dock");
    let mugs = "SELECT string_agg(concat_ws(' ', w.code, p.slug), ', ' ORDER BY w.id) FROM products p
        JOIN websites w ON w.id = p.source_website_id WHERE p.sku = 'MUG-350'";
    assert_eq!(shop.scalar(mugs).await, "quay tin-mug, dock tin-mug-dock-mug-350");
}

#[tokio::test]
async fn rejected_variant_includes_the_images_of_its_product() {
    let shop = Shop::new("pictures").await;
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty,Image Src\n\
                tee,Tee,Size,S,TEE-S,9.00,1,https://shop.example/1.jpg\n\
                tee,,,L,TEE-L,9.00,1.5,\n\
                tee,,,,,,,https://shop.example/2.jpg\n";
    assert_eq!(shop.import(Format::Shopify, "quay", file).await.counts.rejected, 1);
    let rejects = fs::read_to_string(&shop.rejects).unwrap().replace(",1.5,", ",3,");
    let report = shop.import(Format::Shopify, "quay", &rejects).await;
    assert_eq!((report.counts.created, report.counts.unchanged), (1, 1), "{report:?} {rejects}");
    let image_rows = "SELECT string_agg(n::text, ' ') FROM (SELECT count(*) AS n FROM images GROUP BY product_id) i";
    assert_eq!(shop.scalar(image_rows).await, "2 2");
}

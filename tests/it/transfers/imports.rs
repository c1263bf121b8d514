//! Imports: valid rows are imported, rejected rows are returned with a reason, and importing the same file again
//! changes nothing.

use std::{
    fs,
    io::{self, Cursor, Read},
};

use souk::{
    auth::Viewer,
    db::Db,
    error::{Error, Result},
    ids::WebsiteId,
    transfers::{
        export::{ExportOptions, export},
        formats,
        import::{Input, import},
        model::{Counts, Format, ImportOptions, ProductRules, Report, Resource},
    },
};

use crate::support::{TestDb, process::DataDir};

/// The website that the tests import into.
const WEBSITE: &str =
    "INSERT INTO websites (id, code, name, base_url, currency) VALUES (1, 'uk', 'Shop', 'https://uk.example', 'GBP')";

pub(crate) struct Shop {
    pub(crate) database: TestDb,
    dir: DataDir,
}

impl Shop {
    pub(crate) async fn new() -> Self {
        let database = TestDb::new().await;
        database.sql(WEBSITE).await;
        Self { database, dir: DataDir::new() }
    }

    fn db(&self) -> &Db {
        &self.database.db
    }

    pub(crate) async fn run(
        &self,
        options: &ImportOptions,
        bytes: impl Read + Send + 'static,
        hash: Option<Vec<u8>>,
    ) -> Result<Report> {
        let input = Input { bytes: Box::new(bytes), hash };
        import(self.db(), options, input, &self.dir.0.join("rejects"), |_| ()).await
    }

    pub(crate) async fn import(&self, resource: Resource, format: Format, file: &str) -> Report {
        let report = self.run(&options(resource, format), Cursor::new(file.as_bytes().to_vec()), None).await;
        report.unwrap_or_else(|error| panic!("{error}: {file}"))
    }

    /// Imports a CSV file.
    pub(crate) async fn import_csv(&self, resource: Resource, file: &str) -> Report {
        self.import(resource, Format::SoukCsv, file).await
    }

    pub(crate) fn rejects(&self) -> String {
        fs::read_to_string(self.dir.0.join("rejects")).unwrap_or_default()
    }

    pub(crate) async fn exported(&self, resource: Resource, format: Format) -> String {
        self.exported_with(resource, format, None).await
    }

    /// Exports with this base URL of uploaded images.
    pub(crate) async fn exported_with(&self, resource: Resource, format: Format, media_url: Option<&str>) -> String {
        let mut out = Vec::new();
        let media_url = media_url.map(ToOwned::to_owned);
        let options = ExportOptions { resource, format, website: Some(WebsiteId(1)), media_url };
        export(self.db(), &Viewer::system(), &options, &mut out, |_, _| ())
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8(out).unwrap()
    }
}

pub(crate) fn options(resource: Resource, format: Format) -> ImportOptions {
    let (shop_options, rules) = (formats::Options::default(), ProductRules::default());
    ImportOptions {
        resource,
        format,
        website: "uk".into(),
        is_dry_run: false,
        batch: 4,
        user: None,
        customer_websites: None,
        keeps_catalog: false,
        shop_options,
        rules,
    }
}

/// Returns the numbers of created, updated, unchanged and rejected rows.
pub(crate) fn counts(report: &Report) -> [u64; 4] {
    let Counts { read, created, updated, unchanged, rejected } = report.counts;
    assert_eq!(read, created + updated + unchanged + rejected);
    [created, updated, unchanged, rejected]
}

/// Returns a CSV file with this many products.
fn products_csv(count: usize) -> String {
    let rows = (1..=count).map(|i| format!("p-{i},SKU-{i},Lantern {i},{i}.50,Home > Light,{}\n", i % 7));
    "external_id,sku,name,price,category,stock\n".to_owned() + &rows.collect::<String>()
}

const PRODUCTS: &str =
    "SELECT string_agg(concat_ws('|', sku, name, slug, price, stock, updated_at), ';' ORDER BY sku) FROM products";

#[tokio::test]
async fn rejected_rows_have_reasons_and_can_be_corrected() {
    let shop = Shop::new().await;
    let file = "sku,name,price,stock,category\n\
                A-1,Good,1.50,3,Home > A\n\
                A-2,,1.50,3,\n\
                A-3,Ragged,1.50\n\
                A-1,Twice,2.00,1,\n\
                A-4,Comma,\"1.234,56\",1,\n\
                A-5,Broken,1.00,1.5,\n\
                A-6,Formula,2.00,1,'=x\n\
                ,Nameless,1,1,\n";
    let report = shop.import_csv(Resource::Products, file).await;
    assert_eq!(counts(&report), [2, 0, 0, 6]);
    let reported: Vec<_> = report.errors.iter().map(|error| (error.line, error.column.as_deref())).collect();
    let expected =
        [(3, Some("name")), (4, None), (5, Some("sku")), (6, Some("price")), (7, Some("stock")), (9, Some("sku"))];
    let mut reported = reported;
    reported.sort_unstable();
    assert_eq!(reported, expected);
    assert_eq!(shop.database.scalar("SELECT name FROM categories WHERE name LIKE '=%'").await, "=x");
    let rejects = shop.rejects();
    assert!(rejects.starts_with("sku,name,price,stock,category,line,reason\n"), "{rejects}");
    assert_eq!(rejects.lines().count(), 7, "{rejects}");
    let right = rejects.replace(",\"1.234,56\",", ",1234.56,").replace(",1.5,", ",3,").replace("A-2,,", "A-2,Named,");
    let again = shop.import_csv(Resource::Products, &right).await;
    assert_eq!(counts(&again)[..3], [4, 1, 0], "{again:?}");
    assert_eq!(shop.database.scalar("SELECT price FROM products WHERE sku = 'A-4'").await, "1234.56");
}

#[tokio::test]
async fn invalid_file_is_rejected_as_a_whole() {
    let shop = Shop::new().await;
    for (file, website, expected) in [
        ("sku,pirce\nA,1\n", "uk", "pirce"),
        ("sku,sku\nA,A\n", "uk", "more than once"),
        ("", "uk", "empty"),
        ("sku,name,price\n", "nowhere", "nowhere"),
    ] {
        let options = ImportOptions { website: website.into(), ..options(Resource::Products, Format::SoukCsv) };
        let refused = shop.run(&options, Cursor::new(file.as_bytes()), None).await;
        assert!(matches!(&refused, Err(error @ Error::User(_)) if error.to_string().contains(expected)), "{refused:?}");
    }
    assert_eq!(shop.database.scalar("SELECT count(*) FROM transfers").await, "0");
}

#[tokio::test]
async fn too_long_or_non_text_rows_are_rejected_individually() {
    let shop = Shop::new().await;
    let mut file = b"sku,name,price,description\nA,caf\xe9,1,\nB,Fine,1,\nC,Long,1,".to_vec();
    file.extend(std::iter::repeat_n(b'x', 20 << 20));
    file.extend(b"\nD,Fine,1,\n");
    let report = shop.run(&options(Resource::Products, Format::SoukCsv), Cursor::new(file), None).await.unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 2]);
    assert_eq!(report.errors.iter().map(|error| error.line).collect::<Vec<_>>(), [2, 4]);
    let lines = format!(
        "{{\"sku\":\"E\",\"name\":\"{}\"}}\nno json\n{{\"sku\":\"F\",\"name\":\"Fine\",\"price\":2}}\n",
        "x".repeat(20 << 20)
    );
    let report = shop.import(Resource::Products, Format::SoukJsonl, &lines).await;
    assert_eq!(counts(&report), [1, 0, 0, 2]);
    let wide: Vec<u8> = "\u{feff}sku;name;price\r\nG;Täglich;2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let report = shop.run(&options(Resource::Products, Format::SoukCsv), Cursor::new(wide), None).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(shop.database.scalar("SELECT name FROM products WHERE sku = 'G'").await, "Täglich");
}

#[tokio::test]
async fn reimport_changes_nothing_and_dry_run_writes_nothing() {
    let shop = Shop::new().await;
    let file = products_csv(30);
    let dry = ImportOptions { is_dry_run: true, ..options(Resource::Products, Format::SoukCsv) };
    let report = shop.run(&dry, Cursor::new(file.clone()), None).await.unwrap();
    assert_eq!(counts(&report), [30, 0, 0, 0]);
    assert_eq!(shop.database.scalar("SELECT count(*) FROM products").await, "0");
    assert_eq!(shop.database.scalar("SELECT count(*) FROM categories").await, "0");
    assert_eq!(counts(&shop.import_csv(Resource::Products, &file).await), [30, 0, 0, 0]);
    let before = shop.database.scalar(PRODUCTS).await;
    assert_eq!(counts(&shop.import_csv(Resource::Products, &file).await), [0, 0, 30, 0]);
    assert_eq!(shop.database.scalar(PRODUCTS).await, before);
    assert_eq!(counts(&shop.run(&dry, Cursor::new(products_csv(31)), None).await.unwrap()), [1, 0, 30, 0]);
    let sums = "SELECT bool_and(stock = coalesce((SELECT sum(delta) FROM stock_movements m WHERE m.product_id = p.id), 0)) FROM products p";
    assert_eq!(
        counts(&shop.import_csv(Resource::Stock, "sku,stock\nSKU-1,9\nSKU-7,0\nSKU-99,1\n").await),
        [0, 1, 1, 1]
    );
    assert_eq!(shop.database.scalar(sums).await, "t");
    assert_eq!(shop.database.scalar("SELECT count(*) FROM audit_log WHERE change = 'imported'").await, "3");
}

/// A reader that fails at the end of its data.
struct InterruptedReader(Cursor<Vec<u8>>);

impl Read for InterruptedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

#[tokio::test]
async fn interrupted_import_resumes_after_its_last_batch() {
    let shop = Shop::new().await;
    let file = products_csv(4_000);
    let hash = Some(vec![7; 32]);
    let options = ImportOptions { batch: 100, ..options(Resource::Products, Format::SoukCsv) };
    let half = file.as_bytes()[..file.len() / 2].to_vec();
    assert!(shop.run(&options, InterruptedReader(Cursor::new(half)), hash.clone()).await.is_err());
    let behind: u64 =
        shop.database.scalar("SELECT checkpoint FROM transfers WHERE status = 'failed'").await.parse().unwrap();
    assert!((500..4_000).contains(&behind), "{behind}");
    // As if the process had crashed: the next run waits until the lease expires.
    shop.database.sql("UPDATE transfers SET status = 'running', locked_until = now() + interval '1 second'").await;
    let report = shop.run(&options, Cursor::new(file), hash).await.unwrap();
    assert_eq!(counts(&report), [4_000, 0, 0, 0]);
    assert_eq!(shop.database.scalar("SELECT count(*) FROM transfers WHERE status = 'done' AND run = 2").await, "1");
}

#[tokio::test]
async fn concurrent_imports_create_each_product_once() {
    let shop = Shop::new().await;
    let file = products_csv(600);
    let options = ImportOptions { batch: 100, ..options(Resource::Products, Format::SoukCsv) };
    let run = || shop.run(&options, Cursor::new(file.clone()), None);
    let (first, second) = tokio::join!(run(), run());
    let (first, second) = (counts(&first.unwrap()), counts(&second.unwrap()));
    assert_eq!([first[0] + second[0], first[2] + second[2]], [600, 600], "{first:?} {second:?}");
}

#[tokio::test]
async fn database_error_rejects_only_its_row() {
    let shop = Shop::new().await;
    let file = "sku,name,price,group,options\n\
                T-1,Shirt,9,shirts,Size=M\n\
                T-2,Shirt,9,shirts,Size=L\n\
                T-3,Shirt,9,shirts,Size=M\n\
                T-4,Shirt,9,shirts,Colour=Red\n\
                T-5,Shirt,9,shirts,Size=XL\n";
    let report = shop.import_csv(Resource::Products, file).await;
    assert_eq!(counts(&report), [3, 0, 0, 2]);
    let reported: Vec<_> = report.errors.iter().map(|error| (error.line, error.column.as_deref())).collect();
    assert_eq!(reported, [(4, Some("options")), (5, Some("options"))]);
    let slugs = "SELECT count(DISTINCT slug) || ' ' || min(slug) FROM products";
    assert_eq!(shop.database.scalar(slugs).await, "3 shirt");
}

#[tokio::test]
async fn categories_keep_their_ids_when_they_move() {
    let shop = Shop::new().await;
    let file = "external_id,path,slug,position\nc1,Home,home,1\nc2,Home > Tea,tea,1\nc3,Home > Tea,,2\nc4,Home > Tea > Green,,1\n";
    assert_eq!(counts(&shop.import_csv(Resource::Categories, file).await), [4, 0, 0, 0]);
    assert_eq!(counts(&shop.import_csv(Resource::Categories, file).await), [0, 0, 4, 0]);
    let moved = "external_id,path\nc2,Drinks > Tea\nc1,Home > Tea > Green > Home\n";
    let report = shop.import_csv(Resource::Categories, moved).await;
    assert_eq!(counts(&report)[1], 2, "{report:?}");
    let cycle = shop.import_csv(Resource::Categories, "external_id,path\nc2,Drinks > Tea > Green > Tea\n").await;
    assert_eq!(counts(&cycle), [0, 0, 0, 1], "{cycle:?}");
    assert_eq!(shop.database.scalar("SELECT count(*) FROM sources WHERE resource_type = 'Category'").await, "4");
}

#[tokio::test]
async fn customers_get_one_identity_per_website_and_orders_are_imported_as_history() {
    let shop = Shop::new().await;
    shop.database
        .sql(
            "INSERT INTO websites (id, code, name, base_url, currency) VALUES (2, 'de', 'Laden', 'https://de.example', 'EUR');
             INSERT INTO users (name, email, role_id) SELECT 'Boss', 'boss@souk.example', id FROM roles WHERE code = 'manager'",
        )
        .await;
    let eve = r#"external_id,email,name,addresses
17,Eve@souk.example,Eve,"[{""country"":""GB"",""city"":""London"",""address"":""1 High St"",""is_default"":true}]"
18,,No Mail,
19,boss@souk.example,Boss,
"#;
    let report = shop.import_csv(Resource::Customers, eve).await;
    assert_eq!(counts(&report), [2, 0, 0, 1]);
    assert_eq!(counts(&shop.import_csv(Resource::Customers, eve).await), [0, 0, 2, 1]);
    // Eve is one person at both websites once she has confirmed her email address.
    shop.database.sql("UPDATE users SET email_verified_at = now() WHERE email = 'eve@souk.example'").await;
    let abroad = ImportOptions { website: "de".into(), ..options(Resource::Customers, Format::SoukCsv) };
    let file = "external_id,email,name\n900,eve@souk.example,Eva\n";
    assert_eq!(counts(&shop.run(&abroad, Cursor::new(file), None).await.unwrap()), [0, 1, 0, 0]);
    assert_eq!(counts(&shop.run(&abroad, Cursor::new(file), None).await.unwrap()), [0, 0, 1, 0]);
    let eves = "SELECT count(*) || ' ' || min(u.name) FROM sources s JOIN users u ON u.id = s.resource_id WHERE u.email = 'eve@souk.example'";
    assert_eq!(shop.database.scalar(eves).await, "2 Eve");
    shop.import_csv(Resource::Products, &products_csv(2)).await;
    let order = |status: &str, sku: &str| {
        let line = format!(r#"{{"sku":"{sku}","name":"Lantern","quantity":2,"unit_price":"1.50"}}"#);
        format!(
            r#"{{"number":"536365","status":"{status}","customer_id":"17","placed_at":"2010-12-01T08:26:00Z","lines":[{line}]}}"#
        )
    };
    for (status, sku, expected) in [
        ("delivered", "SKU-9", [0, 0, 0, 1]),
        ("lost", "SKU-1", [0, 0, 0, 1]),
        ("delivered", "SKU-1", [1, 0, 0, 0]),
        ("delivered", "SKU-1", [0, 0, 1, 0]),
        ("cancelled", "SKU-1", [0, 0, 0, 1]),
        ("delivered", "SKU-2", [0, 0, 0, 1]),
    ] {
        let report = shop.import(Resource::Orders, Format::SoukJsonl, &order(status, sku)).await;
        assert_eq!(counts(&report), expected, "{status} {sku}: {report:?}");
    }
    assert_eq!(shop.database.scalar("SELECT total_amount || ' ' || status FROM orders").await, "3.00 delivered");
}

#[tokio::test]
async fn export_imported_elsewhere_creates_the_same_rows() {
    let (one, other) = (Shop::new().await, Shop::new().await);
    let file = "external_id,sku,name,slug,barcode,description,price,compare_at_price,category,brand,supplier,group,group_name,options,stock,is_active\n\
                1,=A1,'=SUM(1),sum,4006381333931,\"two\nlines\",9.90,12.50,Tea \\> Coffee > Green,\"Wick, Ltd\",Tallow,,,,7,true\n\
                2,-B,''Shirt,shirt,,,20,,,,,shirts,Shirts,Size=M\\;L; Colour=Red\\=ish,0,false\n";
    assert_eq!(counts(&one.import_csv(Resource::Products, file).await), [2, 0, 0, 0]);
    for format in [Format::SoukCsv, Format::SoukJsonl] {
        for resource in [Resource::Categories, Resource::Products, Resource::Stock] {
            let out = one.exported(resource, format).await;
            let again = counts(&one.import(resource, format, &out).await);
            assert_eq!([again[0], again[1], again[3]], [0, 0, 0], "{resource:?} {out}");
            other.import(resource, format, &out).await;
            assert_eq!(other.exported(resource, format).await, out, "{resource:?}");
        }
    }
}

#[tokio::test]
async fn formulas_inside_of_texts_are_escaped_in_csv_and_imported_unchanged() {
    let (one, other) = (Shop::new().await, Shop::new().await);
    let file = serde_json::json!({
        "external_id": "1", "sku": "A;=1", "name": "Rope;=1+1;'+2", "price": "2.00",
        "description": "first\n- second\r\n\t@third; =fourth", "tags": ["a;-1", "b"],
    });
    assert_eq!(counts(&one.import(Resource::Products, Format::SoukJsonl, &file.to_string()).await), [1, 0, 0, 0]);
    let out = one.exported(Resource::Products, Format::SoukCsv).await;
    for escaped in ["A;'=1", "Rope;'=1+1;''+2", "first\n'- second\r\n'\t'@third; =fourth", "a;'-1 | b"] {
        assert!(out.contains(escaped), "{escaped:?} in {out:?}");
    }
    assert_eq!(counts(&one.import_csv(Resource::Products, &out).await), [0, 0, 1, 0]);
    assert_eq!(counts(&other.import_csv(Resource::Products, &out).await), [1, 0, 0, 0]);
    let texts = "SELECT row_to_json(t) FROM (SELECT sku, name, description, tags FROM products) t";
    assert_eq!(other.database.scalar(texts).await, one.database.scalar(texts).await);
}

#[tokio::test]
async fn website_missing_from_statistics_is_not_fully_scanned() {
    let shop = Shop::new().await;
    let german = "INSERT INTO websites (id, code, name, base_url, currency) VALUES (2, 'de', 'Laden', 'https://de.example', 'EUR')";
    shop.database.sql(german).await;
    let rows = 2_000;
    let bring = async |website: &str, name: &str| {
        let rows: String = (1..=rows).map(|n| format!("{name}{n},{name}{n},Lantern {name}{n},1\n")).collect();
        let options =
            ImportOptions { website: website.into(), batch: 100, ..options(Resource::Products, Format::SoukCsv) };
        let file = Cursor::new(format!("external_id,sku,name,price\n{rows}"));
        assert_eq!(counts(&shop.run(&options, file, None).await.unwrap()), [rows.lines().count() as u64, 0, 0, 0]);
    };
    // A connection reports its statistics when it closes.
    let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let read = "SELECT max(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables
                WHERE relname IN ('products', 'sources')";
    bring("uk", "A").await;
    shop.database.scalar(end).await;
    shop.database.sql("ANALYZE; SELECT pg_stat_reset()").await;
    bring("de", "B").await;
    shop.database.scalar(end).await;
    let read: u64 = shop.database.scalar(read).await.parse().unwrap();
    assert!(read <= 20 * rows, "{read} rows of a table were read to import {rows}");
}

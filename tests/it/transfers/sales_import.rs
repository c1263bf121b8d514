//! Sales files: how each kind of line is handled, and that a line counts once, however often and in however many files
//! it is imported.

use std::{
    fs,
    io::{self, Read},
    mem,
    path::{Path, PathBuf},
};

use diesel::{QueryableByName, sql_query, sql_types::Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::json;
use souk::{
    db::Db,
    error::{Error, Result},
    transfers::sales::{
        actions::import_sales,
        model::{SalesOptions, SalesReport, WebsiteOptions},
    },
};

use crate::support::TestDb;

const SALES: &str = include_str!("../data/sales.csv");
const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
const TABLES: [&str; 7] =
    ["websites", "users", "products", "orders", "order_details", "stock_movements", "search_documents"];

/// The rejects file of one test.
struct RejectsFile(PathBuf);

impl RejectsFile {
    fn new(test: &str) -> Self {
        Self(std::env::temp_dir().join(format!("souk-{}-{test}.rejects.csv", std::process::id())))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for RejectsFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn options() -> SalesOptions {
    let website = WebsiteOptions { code: "uk".into(), ..WebsiteOptions::default() };
    SalesOptions { website, batch: 5, ..SalesOptions::default() }
}

async fn import(db: &Db, text: &str, rejects: &Path) -> Result<SalesReport> {
    import_sales(db, &options(), io::Cursor::new(text.to_owned()), rejects).await
}

/// Returns the user error of a rejected import.
fn failure(done: Result<SalesReport>) -> String {
    match done {
        Err(error @ Error::User(_)) => error.to_string(),
        other => panic!("not rejected: {other:?}"),
    }
}

/// Returns one value from the database as text.
async fn text(db: &Db, sql: &str) -> String {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let mut connection = db.checkout().await.unwrap();
    let row: Row =
        sql_query(format!("SELECT coalesce(({sql})::text, '') AS value")).get_result(&mut connection).await.unwrap();
    row.value
}

/// Returns every row of every table that an import writes.
async fn dump(db: &Db) -> String {
    let mut all = String::new();
    for table in TABLES {
        all += &text(db, &format!("SELECT string_agg(t::text, E'\\n' ORDER BY t.id) FROM {table} t")).await;
    }
    all
}

/// Returns the imported data without keys and times, to compare two databases.
async fn contents_without_keys(db: &Db) -> String {
    let lines = "SELECT string_agg(concat_ws('|', o.order_number, o.status, u.external_id, o.ship_country, o.total_amount,
            o.placed_at, d.sku, d.name, d.quantity, d.unit_price, d.external_key), E'\\n' ORDER BY o.order_number, d.external_key)
        FROM orders o JOIN order_details d ON d.order_id = o.id LEFT JOIN sources u ON u.resource_type = 'User' AND u.resource_id = o.user_id";
    let products = "SELECT string_agg(concat_ws('|', sku, name, slug, price, stock, is_active), E'\\n' ORDER BY sku) FROM products";
    text(db, lines).await + "\n" + &text(db, products).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_line_is_counted() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("kinds");
    let report = import(&db, SALES, &rejects.0).await.unwrap();
    let expected = json!({
        "website": {"code": "uk", "created": 1, "updated": 0},
        "lines": {"read": 28, "created": 17, "unchanged": 0, "rejected": 11},
        "orders": {
            "created": 6, "updated": 0, "unchanged": 0, "cancellations": 1, "guests": 1,
            "several_dates": 1, "several_customers": 0, "several_countries": 0,
        },
        "products": {"created": 9, "updated": 0, "unchanged": 0, "non_products": 3, "several_descriptions": 1},
        "customers": {"created": 4, "unchanged": 0},
        "notes": {
            "zero_prices": 2, "rounded_prices": 2, "non_product_lines": 3, "blank_descriptions": 1,
            "cut_descriptions": 0, "repeated_lines": 1,
        },
        "rejected": {
            "wrong_columns": 2, "bad_invoice": 1, "bad_sku": 1, "bad_quantity": 1, "negative_quantity": 2,
            "positive_cancellation": 1, "bad_price": 1, "negative_price": 1, "bad_date": 1,
        },
    });
    assert_eq!(serde_json::to_value(&report).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_products_and_customers_match_the_invoices() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("rows");
    import(&db, SALES, &rejects.0).await.unwrap();
    let orders = "SELECT string_agg(concat_ws(' ', o.order_number, o.status, o.total_amount,
            to_char(o.placed_at AT TIME ZONE 'UTC', 'MM-DD HH24:MI'), coalesce(u.name, 'guest'), o.ship_country), E'\\n'
            ORDER BY o.order_number) FROM orders o LEFT JOIN users u ON u.id = o.user_id";
    assert_eq!(
        text(&db, orders).await,
        "700001 delivered 190.90 03-01 09:14 Customer 4001 GB\n\
         700002 delivered 35.10 03-01 10:02 guest FR\n\
         700003 delivered 71.80 03-02 11:40 Customer 4002 DE\n\
         700005 delivered 23.75 03-04 12:30 Customer K-77 GB\n\
         700008 delivered 16.90 03-05 09:00 Customer 4003 ES\n\
         C700004 cancelled 7.50 03-03 08:00 Customer 4001 GB"
    );
    let products = "SELECT string_agg(concat_ws('|', sku, name, slug, price, is_active, stock), E'\\n' ORDER BY sku) FROM products";
    assert_eq!(
        text(&db, products).await,
        "10010A|Oak tea tray|oak-tea-tray-uk-10010a|13.75|t|0\n\
         10020|Blue enamel mug|blue-enamel-mug-uk-10020|2.95|t|0\n\
         10030|Felt basket, \"small\"|felt-basket-small-uk-10030|8.45|t|0\n\
         10040|10040|10040-uk-10040|1.10|t|0\n\
         10050|Paper star|paper-star-uk-10050|0.01|t|0\n\
         10060|Gift for opening day|gift-for-opening-day-uk-10060|0.00|t|0\n\
         GIFT_0042|Voucher of ten|voucher-of-ten-uk-gift-0042|10.00|f|0\n\
         M|Refund by hand|refund-by-hand-uk-m|1.00|f|0\n\
         POST|Parcel post|parcel-post-uk-post|4.95|f|0"
    );
    let users =
        "SELECT string_agg(concat_ws('|', s.external_id, u.name, u.email, r.code, w.code), E'\\n' ORDER BY external_id)
        FROM users u JOIN roles r ON r.id = u.role_id JOIN sources s ON s.resource_id = u.id JOIN websites w ON w.id = s.website_id";
    let customers = ["4001", "4002", "4003", "K-77"].map(|id| format!("{id}|Customer {id}|customer|uk"));
    assert_eq!(text(&db, users).await, customers.join("\n"));
    let lines = "SELECT string_agg(concat_ws('|', d.external_key, d.name), E'\\n' ORDER BY d.id)
        FROM order_details d JOIN orders o ON o.id = d.order_id WHERE o.order_number = '700001'";
    assert_eq!(
        text(&db, lines).await,
        "10010A:6:12.50:1|Oak tea tray\n10010A:2:12.50:1|OAK TEA TRAY\n10020:12:3.25:1|Blue enamel mug\n\
         10020:12:3.25:2|Blue enamel mug\nPOST:1:4.95:1|Parcel post\n10030:1:7.95:1|Felt basket, \"small\""
    );
    assert_eq!(text(&db, "SELECT count(*) FROM stock_movements").await, "0");
    assert_eq!(text(&db, "SELECT count(*) FROM search_documents WHERE is_public").await, "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_import_changes_nothing() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("twice");
    let options = SalesOptions { opening_stock: 7, ..options() };
    let first = import_sales(&db, &options, SALES.as_bytes(), &rejects.0).await.unwrap();
    let (tables, rejected) = (dump(&db).await, rejects.text());
    let second = import_sales(&db, &options, SALES.as_bytes(), &rejects.0).await.unwrap();
    assert_eq!(dump(&db).await, tables);
    assert_eq!(rejects.text(), rejected);
    let mut expected = first;
    expected.website.created = 0;
    expected.lines.unchanged = mem::take(&mut expected.lines.created);
    expected.orders.unchanged = mem::take(&mut expected.orders.created);
    expected.products.unchanged = mem::take(&mut expected.products.created);
    expected.customers.unchanged = mem::take(&mut expected.customers.created);
    assert_eq!(second, expected);
    // Only for active products, and only once.
    assert_eq!(text(&db, "SELECT string_agg(stock::text, ' ' ORDER BY sku) FROM products").await, "7 7 7 7 7 7 0 0 0");
    assert_eq!(text(&db, "SELECT count(*) FROM stock_movements WHERE reason = 'opening'").await, "6");
}

/// A reader that fails at the end of its data.
struct InterruptedReader<'a>(&'a [u8]);

impl Read for InterruptedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("gone")),
            read => Ok(read),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_import_is_completed_by_the_next() {
    let (_whole_database, whole) = TestDb::with_handle().await;
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("broken");
    import(&whole, SALES, &rejects.0).await.unwrap();
    let half = SALES.match_indices('\n').nth(13).unwrap().0;
    let broken = import_sales(&db, &options(), InterruptedReader(&SALES.as_bytes()[..half]), &rejects.0).await;
    assert!(matches!(broken, Err(Error::Internal(_))), "{broken:?}");
    assert_eq!(text(&db, "SELECT count(*) FROM order_details").await, "10", "two batches were committed");
    let report = import(&db, SALES, &rejects.0).await.unwrap();
    assert_eq!((report.lines.created, report.lines.unchanged), (7, 10));
    assert_eq!((report.orders.created, report.orders.updated), (3, 1), "the last line predates an invoice");
    assert_eq!(contents_without_keys(&db).await, contents_without_keys(&whole).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_order_does_not_change_the_result() {
    let (_whole_database, whole) = TestDb::with_handle().await;
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("spread");
    let mut lines: Vec<&str> = SALES.lines().skip(1).collect();
    import(&whole, SALES, &rejects.0).await.unwrap();
    // Spreads the lines of each invoice over two files and all batches.
    lines.reverse();
    let part = |rest: usize| {
        let some: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| i % 2 == rest).map(|(_, line)| *line).collect();
        format!("{HEADER}{}\n", some.join("\n"))
    };
    let first = import(&db, &part(0), &rejects.0).await.unwrap();
    let second = import(&db, &part(1), &rejects.0).await.unwrap();
    assert_eq!(first.lines.read + second.lines.read, 28);
    let all = "SELECT string_agg(concat_ws('|', o.order_number, o.total_amount, o.placed_at, o.user_id IS NULL, d.sku, d.quantity,
            d.unit_price), E'\\n' ORDER BY o.order_number, d.sku, d.quantity, d.unit_price)
        FROM orders o JOIN order_details d ON d.order_id = o.id WHERE o.order_number <> '700001'";
    assert_eq!(text(&db, all).await, text(&whole, all).await);
    // The two equal lines of this invoice are in different files, so each is the first of its kind.
    assert_eq!(text(&db, "SELECT total_amount FROM orders WHERE order_number = '700001'").await, "151.90");
    let again = import(&db, SALES, &rejects.0).await.unwrap();
    assert_eq!((again.lines.created, again.orders.created, again.orders.updated), (1, 0, 0));
    assert_eq!(text(&db, "SELECT sum(total_amount) FROM orders").await, "345.95");
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_rejects_can_be_imported() {
    let (_database, db) = TestDb::with_handle().await;
    let (rejects, again) = (RejectsFile::new("fix"), RejectsFile::new("fix-again"));
    import(&db, SALES, &rejects.0).await.unwrap();
    let rejected = rejects.text();
    assert!(rejected.starts_with(&format!("{},line,reason\n", HEADER.trim_end())), "{rejected}");
    for line in [
        "700006,10010A,Nothing at all,0,2024-03-05 07:00:00,0,,United Kingdom,18,the quantity is below 1 but the invoice is not a cancellation",
        "700010,10030,Felt basket,1,2024-03-05 10:00:00,1.00,,,26,the number of columns differs from the header",
    ] {
        assert!(rejected.lines().any(|rejected| rejected == line), "{line}\n{rejected}");
    }
    let fixed = rejected.replace(",two,", ",3,").replace("\"7,95\"", "7.95").replace(",-110.62,", ",110.62,");
    let report = import(&db, &fixed, &again.0).await.unwrap();
    // The short line counts as well, because it was padded with empty columns.
    assert_eq!((report.lines.read, report.lines.created, report.lines.rejected), (11, 4, 7));
    assert_eq!(text(&db, "SELECT total_amount FROM orders WHERE order_number = '700008'").await, "56.65");
    assert!(again.text().starts_with(&format!("{},line,reason\n", HEADER.trim_end())), "no repeated columns");
    // One more old line neither renames nor reprices a product.
    assert_eq!(text(&db, "SELECT name || price FROM products WHERE sku = '10010A'").await, "Oak tea tray13.75");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_file_is_removed_without_rejects() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("none");
    fs::write(&rejects.0, "of an earlier run").unwrap();
    import(&db, &format!("{HEADER}1,A,Cup,1,2024-01-01,1,,\n"), &rejects.0).await.unwrap();
    assert!(!rejects.0.exists());
    assert_eq!(import(&db, HEADER, &rejects.0).await.unwrap().lines.read, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_headers_and_websites_are_rejected() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("headers");
    let missing = failure(import(&db, "InvoiceNo,SKU\n1,A\n", &rejects.0).await);
    assert_eq!(missing, "sku-column: the file has no column \"StockCode\"; its header has: InvoiceNo, SKU.");
    assert!(failure(import(&db, "InvoiceNo;StockCode\n", &rejects.0).await).ends_with("Is the delimiter right?"));
    assert!(failure(import(&db, "", &rejects.0).await).contains("The file is empty"));
    assert!(failure(import(&db, &HEADER.replace("Country", "Quantity"), &rejects.0).await).contains("more than once"));
    assert_eq!(text(&db, "SELECT count(*) FROM websites").await, "0", "a wrong file creates nothing");

    let mut other = options();
    other.website.currency = Some("EUR".into());
    other.website.name = Some("Shop".into());
    import_sales(&db, &other, HEADER.as_bytes(), &rejects.0).await.unwrap();
    assert_eq!(
        text(&db, "SELECT name || ' ' || currency || ' ' || base_url FROM websites").await,
        "Shop EUR https://uk.example"
    );
    other.website.currency = Some("GBP".into());
    let currency = failure(import_sales(&db, &other, HEADER.as_bytes(), &rejects.0).await);
    assert_eq!(currency, "currency: the currency of website uk is EUR, not GBP");
    other.website.currency = None;
    other.website.name = Some("The shop".into());
    let renamed = import_sales(&db, &other, HEADER.as_bytes(), &rejects.0).await.unwrap();
    assert_eq!((renamed.website.created, renamed.website.updated), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_csv_dialects_are_supported() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("dialects");
    let mut options = options();
    options.delimiter = b';';
    options.decimal_comma = true;
    options.date_format = Some("%d.%m.%Y".into());
    options.columns.invoice = "Rechnung".into();
    options.columns.customer = String::new();
    options.columns.country = String::new();
    let file = "\u{feff}Rechnung;stockcode; Description ;Quantity;InvoiceDate;UnitPrice\r\n\
                R1;T-1;\"Tasse, groß\nund rund\";2;31.12.2023;1.234,50\r\n\
                R1;T 1;Tasse, groß und rund;2;31.12.2023;4,50\r\n\
                \r\n\
                R1;T-1;Tasse, groß und rund;2;31.12.2023;4,50";
    let report = import_sales(&db, &options, file.as_bytes(), &rejects.0).await.unwrap();
    assert_eq!((report.lines.read, report.lines.created, report.lines.rejected), (3, 2, 1));
    assert!(rejects.text().starts_with("Rechnung;stockcode;Description;Quantity;InvoiceDate;UnitPrice;line;reason\n"));
    let reasons = rejects.text();
    let rule = ";2;the price is not a number or exceeds 999,999,999,999.999\n";
    assert!(reasons.ends_with(rule), "{reasons}");
    // Two SKUs that would produce the same slug.
    let slugs = text(&db, "SELECT string_agg(slug, ' ' ORDER BY slug) FROM products").await;
    let (first, second) = slugs.split_once(' ').unwrap();
    assert_eq!(first, "tasse-gross-und-rund-uk-t-1");
    assert!(second.starts_with(first) && second.len() == first.len() + 13, "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_values_are_rejected_and_long_texts_truncated() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("unfit");
    let mut file = HEADER.as_bytes().to_vec();
    let (long, x) = ("x".repeat(300), "x".repeat(101));
    for line in [
        format!("1,A,{long},1,2024-01-01,1,,"),
        "1,A,nul\0byte,1,2024-01-01,1,,".into(),
        format!("{x},A,Cup,1,2024-01-01,1,,"),
        format!("1,{long},Cup,1,2024-01-01,1,,"),
        format!("1,A,Cup,1,2024-01-01,1,{x},"),
        format!("1,A,Cup,1,2024-01-01,1,,{x}"),
        "1,A,Cup,1000001,2024-01-01,1,,".into(),
        "1,A,Cup,1,2999-01-01,1,,".into(),
        "1,A,Cup,1000,2024-01-01,999999999999.99,,".into(),
        "1,A,Cup,1,2024-01-01,9.00,,".into(),
    ] {
        file.extend(line.bytes().chain(*b"\n"));
    }
    file.extend(b"1,A,caf\xe9,1,2024-01-01,1,,\n");
    let report = import_sales(&db, &options(), io::Cursor::new(file.clone()), &rejects.0).await.unwrap();
    assert_eq!(
        serde_json::to_value(&report.rejected).unwrap(),
        json!({
            "not_utf8": 1, "nul_byte": 1, "bad_invoice": 1, "bad_sku": 1, "bad_quantity": 1, "bad_date": 1,
            "bad_customer": 1, "bad_country": 1, "bad_total": 1,
        })
    );
    assert_eq!((report.lines.created, report.notes.cut_descriptions), (2, 1));
    assert!(fs::read(&rejects.0).unwrap().windows(4).any(|bytes| bytes == b"caf\xe9"), "the bytes are unchanged");
    assert_eq!(text(&db, "SELECT max(length(name)) FROM products").await, "255");
}

#[tokio::test(flavor = "multi_thread")]
async fn local_changes_are_not_overwritten() {
    let (_database, db) = TestDb::with_handle().await;
    let rejects = RejectsFile::new("own");
    let file = format!("{HEADER}1,A,Cup,1,2024-01-01,5,7,Spain\n2,A,Cup,1,2024-01-02,6,,\n");
    import(&db, &file, &rejects.0).await.unwrap();
    // A product is edited and made inactive, and an order's lines are changed, so that the order no longer belongs to
    // the import.
    let mut connection = db.checkout().await.unwrap();
    connection
        .batch_execute(
            "UPDATE products SET name = 'Our cup', is_active = false;
             UPDATE users SET name = 'Ann';
             UPDATE orders SET status = 'cancelled' WHERE order_number = '1';
             INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
                 SELECT o.id, p.id, 'Cup', 'A', 1, 1 FROM orders o, products p WHERE o.order_number = '2'",
        )
        .await
        .unwrap();
    drop(connection);
    let keep = SalesOptions { keep_products: true, ..options() };
    let report = import_sales(&db, &keep, io::Cursor::new(file.clone()), &rejects.0).await.unwrap();
    assert_eq!(serde_json::to_value(&report.rejected).unwrap(), json!({"number_taken": 1}));
    assert_eq!((report.orders.unchanged, report.orders.updated, report.products.unchanged), (1, 0, 1));
    assert_eq!(text(&db, "SELECT name || is_active FROM products").await, "Our cupfalse");
    assert_eq!(import(&db, &file, &rejects.0).await.unwrap().products.updated, 1);
    assert_eq!(text(&db, "SELECT name || is_active || price FROM products").await, "Cupfalse6.00");
    let order = "SELECT name || status FROM users, orders WHERE order_number = '1'";
    assert_eq!(text(&db, order).await, "Anncancelled");
}

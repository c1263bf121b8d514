//! Exports: every resource is exported completely, only to viewers with access, and can be imported again without a
//! change.

use std::{fs, io::Write, process::Stdio};

use souk::{
    auth::{AuthMethod, Identity, Permission, Viewer},
    db::Db,
    error::Error,
    ids::{UserId, WebsiteId},
    transfers::{
        export::{ExportOptions, export},
        import::{Input, import},
        model::{Counts, Format, ImportOptions, Resource},
    },
};

use crate::support::{TestDb, process::DataDir};

/// Two websites; the first has a row of everything, with texts that need escaping.
const SEED: &str = r#"
INSERT INTO websites (id, code, name, base_url, currency) VALUES
    (1, 'uk', 'Shop "UK"', 'https://uk.example', 'GBP'), (2, 'de', 'Laden', 'https://de.example', 'EUR');
INSERT INTO categories (id, parent_id, name, slug) VALUES (1, NULL, 'Tea > Coffee', 'drinks'), (2, 1, '=Green', 'green');
INSERT INTO brands (id, name, slug, description) VALUES (1, 'Wick, Ltd', 'wick', '-5 % on all');
INSERT INTO suppliers (id, name, contact_name, lead_time_days) VALUES (1, 'Tallow', 'Jo', 14);
INSERT INTO product_groups (id, source_website_id, name, slug, varies_by) VALUES (1, 1, 'Shirts', 'shirts', '{Size,Colour}');
INSERT INTO products (id, source_website_id, category_id, brand_id, supplier_id, name, slug, sku, price, description,
                      barcode, cost_price, compare_at_price, supplier_sku, group_id, option_values, is_active, tags,
                      weight, weight_unit, seo_title, seo_description) VALUES
    (1, 1, 2, 1, 1, '=SUM(A1)', 'sum', 'S-1', 9.90, E'two\nlines, "quoted"', '4006381333931', 4, 12.50, '''T1', NULL, '{}', true,
     '{=Sum,a | b,Wool}', 0.45, 'kg', 'Sum, up', '-5 %'),
    (2, 1, NULL, NULL, NULL, '''Shirt', 'shirt', '-S', 20, '', NULL, NULL, NULL, NULL, 1, '{M;L,Red=ish}', false,
     '{}', NULL, NULL, NULL, NULL),
    (3, 2, NULL, NULL, NULL, 'Lampe', 'lampe', 'S-1', 5, '', NULL, NULL, NULL, NULL, NULL, '{}', true,
     '{}', NULL, NULL, NULL, NULL);
INSERT INTO sources (resource_type, resource_id, website_id, external_id) VALUES ('Product', 1, 1, 'p-1'), ('Category', 2, 1, 'c-2');
INSERT INTO users (id, name, email, password_hash, role_id, source_website_id)
    SELECT i, 'Eve ' || i, 'eve-' || i || '@souk.example', 'a secret hash', r.id, 1
    FROM generate_series(1, 2) i, roles r WHERE r.code = (ARRAY['customer', 'manager'])[i];
INSERT INTO addresses (user_id, country, city, address, is_default) VALUES (1, 'GB', 'London', '1 High St', true);
INSERT INTO sources (resource_type, resource_id, website_id, external_id) VALUES ('User', 1, 1, '+17850');
INSERT INTO stock_movements (product_id, reason, delta) VALUES (1, 'opening', 7), (3, 'opening', 3);
INSERT INTO orders (id, source_website_id, order_number, user_id, status, placed_at, contact_name)
    VALUES (1, 1, '536365', 1, 'confirmed', '2010-12-01 08:26Z', 'Eve 1');
INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES (1, 1, 'Lantern', 'S-1', 2, 9.90);
INSERT INTO reviews (product_id, user_id, rating, title, text, status, is_verified_purchase, created_at) VALUES
    (1, 1, 4, '=Good', 'Bright', 'approved', true, '2026-01-02 03:04:05Z'), (3, 2, 1, NULL, 'A Lampe', 'pending', false, now());
"#;

async fn seeded_database() -> TestDb {
    let database = TestDb::new().await;
    database.sql(SEED).await;
    database
}

fn options(resource: Resource, format: Format, website: i64) -> ExportOptions {
    ExportOptions { resource, format, website: Some(WebsiteId(website)), media_url: None }
}

/// Returns a viewer with these permissions, for these websites or, if `None`, for all.
fn staff(permissions: &[Permission], websites: Option<&[i64]>) -> Viewer {
    Viewer::user(Identity {
        user: UserId(9),
        auth_method: AuthMethod::System,
        role: "staff".into(),
        permissions: permissions.iter().copied().collect(),
        websites: websites.map(|ids| ids.iter().map(|id| WebsiteId(*id)).collect()),
    })
}

async fn export_to_string(db: &Db, viewer: &Viewer, options: &ExportOptions) -> Result<String, Error> {
    let mut out = Vec::new();
    export(db, viewer, options, &mut out, |_, _| ()).await?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

async fn export_as_system(db: &Db, resource: Resource, format: Format) -> String {
    export_to_string(db, &Viewer::system(), &options(resource, format, 1))
        .await
        .unwrap_or_else(|error| panic!("{resource:?}: {error}"))
}

/// Imports an exported file.
async fn import_text(db: &Db, resource: Resource, format: Format, text: &str) -> Counts {
    let dir = DataDir::new();
    let options = ImportOptions {
        resource,
        format,
        website: "uk".into(),
        is_dry_run: false,
        batch: 2_000,
        user: None,
        customer_websites: None,
        keeps_catalog: false,
        shop_options: Default::default(),
        rules: Default::default(),
    };
    let input = Input { bytes: Box::new(std::io::Cursor::new(text.as_bytes().to_vec())), hash: None };
    let report = import(db, &options, input, &dir.0.join("rejects"), |_| ()).await;
    let report = report.unwrap_or_else(|error| panic!("{resource:?}: {error}"));
    assert_eq!(report.errors, [], "{text}");
    report.counts
}

#[tokio::test]
async fn every_resource_is_exported_completely() {
    let database = seeded_database().await;
    // The expected CSV file of each resource; the JSON file has the same columns.
    let table = [
        (
            Resource::Products,
            "external_id,sku,name,slug,barcode,variant,description,price,compare_at_price,cost_price,category,brand,supplier,\
             supplier_sku,group,group_name,options,low_stock_threshold,inventory_policy,backorders,stock,is_active,tags,weight,\
             weight_unit,seo_title,seo_description,images\n\
             p-1,S-1,'=SUM(A1),sum,4006381333931,,\"two\nlines, \"\"quoted\"\"\",9.90,12.50,4.00,Tea \\> Coffee > =Green,\
             \"Wick, Ltd\",Tallow,''T1,,,,5,tracked,deny,7,true,'=Sum | a \\| b | Wool,0.45,kg,\"Sum, up\",'-5 %,\n\
             ,'-S,''Shirt,shirt,,,,20.00,,,,,,,shirts,Shirts,Size=M\\;L; Colour=Red\\=ish,5,tracked,deny,0,false,,,,,,\n",
        ),
        (
            Resource::Stock,
            "sku,stock,low_stock_threshold,inventory_policy,backorders\nS-1,7,5,tracked,deny\n'-S,0,5,tracked,deny\n",
        ),
        (
            Resource::Categories,
            "external_id,path,slug,description,position\n,Tea \\> Coffee,drinks,,0\nc-2,Tea \\> Coffee > =Green,green,,0\n",
        ),
        (Resource::Brands, "name,slug,description\n\"Wick, Ltd\",wick,'-5 % on all\n"),
        (Resource::Suppliers, "name,contact_name,email,phone,lead_time_days\nTallow,Jo,,,14\n"),
        (
            Resource::Customers,
            "external_id,email,name,phone,is_active,addresses\n'+17850,eve-1@souk.example,Eve 1,,true,\
             \"[{\"\"recipient_name\"\" : null, \"\"company\"\" : null, \"\"phone\"\" : null, \
             \"\"country\"\" : \"\"GB\"\", \"\"subdivision\"\" : null, \"\"city\"\" : \"\"London\"\", \"\"district\"\" : null, \"\"address\"\" : \
             \"\"1 High St\"\", \"\"postal_code\"\" : null, \"\"is_default\"\" : true}]\"\n",
        ),
        (
            Resource::Orders,
            "number,status,customer_id,customer_email,placed_at,total,ship_recipient_name,ship_company,ship_phone,\
             ship_country,ship_subdivision,ship_city,ship_district,ship_address,ship_postal_code,billing_address,lines\n\
             536365,confirmed,'+17850,eve-1@souk.example,2010-12-01T08:26:00.000000Z,19.80,,,,,,,,,,,\
             \"[{\"\"sku\"\" : \"\"S-1\"\", \"\"name\"\" : \"\"Lantern\"\", \"\"quantity\"\" : 2, \"\"unit_price\"\" : \"\"9.90\"\", \
             \"\"external_key\"\" : null}]\"\n",
        ),
        (
            Resource::Reviews,
            "sku,customer_id,customer_email,customer_name,rating,title,text,status,is_verified_purchase,created_at\n\
             S-1,'+17850,eve-1@souk.example,Eve 1,4,'=Good,Bright,approved,true,2026-01-02T03:04:05.000000Z\n",
        ),
        (Resource::Websites, "code,name,base_url,currency\nuk,\"Shop \"\"UK\"\"\",https://uk.example,GBP\n"),
    ];
    for (resource, expected) in table {
        assert_eq!(export_as_system(&database.db, resource, Format::SoukCsv).await, expected, "{resource:?}");
        let lines = export_as_system(&database.db, resource, Format::SoukJsonl).await;
        let names: Vec<_> = resource.export().columns.iter().map(|column| column.name).collect();
        for line in lines.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(row.as_object().expect("an object").keys().eq(&names), "{line}");
        }
    }
    let ledger = export_as_system(&database.db, Resource::StockMovements, Format::SoukCsv).await;
    assert!(ledger.starts_with("sku,created_at,reason,delta,balance,order,user,note\nS-1,"), "{ledger}");
    assert!(ledger.ends_with("Z,opening,7,7,,,\n") && ledger.lines().count() == 2, "{ledger}");
}

#[tokio::test]
async fn reimporting_an_export_changes_nothing() {
    let database = seeded_database().await;
    for resource in Resource::ALL.iter().copied().filter(|resource| resource.export().is_importable) {
        for format in [Format::SoukCsv, Format::SoukJsonl] {
            let before = export_as_system(&database.db, resource, format).await;
            let rows = database.scalar("SELECT string_agg(p::text, ';' ORDER BY id) FROM products p").await;
            let counts = import_text(&database.db, resource, format, &before).await;
            assert_eq!(
                counts,
                Counts { unchanged: counts.read, read: counts.read, ..Counts::default() },
                "{resource:?} {format:?}"
            );
            assert!(counts.read > 0, "{resource:?}");
            assert_eq!(database.scalar("SELECT string_agg(p::text, ';' ORDER BY id) FROM products p").await, rows);
            assert_eq!(export_as_system(&database.db, resource, format).await, before);
        }
    }
    // Importing into a shop without products creates the same products.
    let other = TestDb::new().await;
    other.sql("INSERT INTO websites (id, code, name, base_url, currency) VALUES (1, 'uk', 'UK', 'https://uk.example', 'GBP')").await;
    let file = export_as_system(&database.db, Resource::Products, Format::SoukCsv).await;
    assert_eq!(import_text(&other.db, Resource::Products, Format::SoukCsv, &file).await.created, 2);
    assert_eq!(export_as_system(&other.db, Resource::Products, Format::SoukCsv).await, file);
}

#[tokio::test]
async fn export_is_limited_to_the_access_of_the_viewer() {
    let database = seeded_database().await;
    let db = &database.db;
    for resource in Resource::ALL.iter().copied() {
        let every: Vec<_> =
            Permission::ALL.iter().copied().filter(|held| *held != resource.export().permission).collect();
        let refused =
            export_to_string(db, &staff(&every, None), &options(resource, Format::SoukCsv, 1)).await.unwrap_err();
        assert!(refused.to_string().contains(resource.export().permission.as_str()), "{resource:?}: {refused}");
        let german = staff(&[resource.export().permission], Some(&[2]));
        let refused = export_to_string(db, &german, &options(resource, Format::SoukCsv, 1)).await.unwrap_err();
        assert_eq!(refused.to_string(), "NOT_FOUND: there is no such website", "{resource:?}");
        assert!(export_to_string(db, &german, &options(resource, Format::SoukCsv, 2)).await.is_ok(), "{resource:?}");
        let anonymous = export_to_string(db, &Viewer::anonymous(), &options(resource, Format::SoukCsv, 1)).await;
        assert!(anonymous.is_err(), "{resource:?}");
        let all = export_as_system(db, resource, Format::SoukCsv).await;
        assert!(!all.contains("secret") && !all.contains("Lampe") && !all.contains("eve-2@"), "{resource:?}: {all}");
    }
    let german = staff(&[Permission::ManageWebsites], Some(&[2]));
    let everything =
        ExportOptions { resource: Resource::Websites, format: Format::SoukCsv, website: None, media_url: None };
    assert!(
        export_to_string(db, &german, &everything)
            .await
            .unwrap()
            .ends_with("currency\nde,Laden,https://de.example,EUR\n")
    );
    assert_eq!(export_to_string(db, &Viewer::system(), &everything).await.unwrap().lines().count(), 3);
}

#[tokio::test]
async fn unsupported_export_formats_are_rejected() {
    let database = seeded_database().await;
    for (options, field) in [
        (options(Resource::Products, Format::Shopify, 1), "format"),
        (ExportOptions { website: None, ..options(Resource::Products, Format::SoukCsv, 1) }, "website"),
    ] {
        let Err(Error::User(errors)) = export_to_string(&database.db, &Viewer::system(), &options).await else {
            panic!("{options:?} was accepted");
        };
        assert_eq!(errors[0].field.as_deref(), Some(field));
    }
}

/// A writer that fails after its first write.
struct FailingWriter(bool);

impl Write for FailingWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if std::mem::replace(&mut self.0, true) {
            Err(std::io::Error::other("the disk is full"))
        } else {
            Ok(bytes.len())
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn aborted_export_leaves_no_open_transaction() {
    let database = seeded_database().await;
    database
        .sql(
            "INSERT INTO products (id, source_website_id, name, slug, sku, price)
             SELECT 1000 + i, 1, repeat('x', 200), 'x-' || i, 'x-' || i, 1 FROM generate_series(1, 20000) i",
        )
        .await;
    let (everything, csv, jsonl) = (
        Viewer::system(),
        options(Resource::Products, Format::SoukCsv, 1),
        options(Resource::Products, Format::SoukJsonl, 1),
    );
    let done = export(&database.db, &everything, &csv, FailingWriter(false), |_, _| ());
    assert!(matches!(done.await, Err(Error::Internal(why)) if why.contains("the disk is full")));
    let name = database.db.transaction(async |conn| souk::websites::store::find_by_code(conn, "uk").await).await;
    assert!(name.unwrap().is_some());
    let (mut first, mut last) = (None, (0, 0));
    let count = export(&database.db, &everything, &jsonl, std::io::sink(), |written, total| {
        first.get_or_insert((written, total));
        last = (written, total);
    });
    assert_eq!(count.await.unwrap(), 20_002);
    assert_eq!((first, last), (Some((0, 20_002)), (20_002, 20_002)));
}

#[tokio::test(flavor = "multi_thread")]
async fn export_command_writes_to_stdout_or_a_complete_file() {
    let database = seeded_database().await;
    let expected = export_as_system(&database.db, Resource::Products, Format::SoukCsv).await;
    let dir = DataDir::new();
    let command = |arguments: &[&str]| {
        let mut command = dir.command(arguments);
        command.env("DATABASE_URL", &database.url);
        command
    };
    let products = ["export", "products", "--website", "uk"];
    let output = command(&products).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(0), expected.clone()));
    let file = dir.0.join("out.csv");
    fs::write(&file, "an older one").unwrap();
    let with_file = [&products[..], &["--out", "out.csv"]].concat();
    let unknown = ["export", "products", "--website", "xx", "--out", "out.csv"];
    assert_eq!(command(&unknown).output().unwrap().status.code(), Some(2));
    assert_eq!(fs::read_to_string(&file).unwrap(), "an older one");
    let output = command(&with_file).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()));
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(
        fs::read_dir(&dir.0)
            .unwrap()
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "part"))
            .count(),
        0
    );
    // A reader that closes the pipe early is not an error.
    database
        .sql(
            "INSERT INTO products (id, source_website_id, name, slug, sku, price)
             SELECT 1000 + i, 1, repeat('x', 200), 'y-' || i, 'y-' || i, 1 FROM generate_series(1, 5000) i",
        )
        .await;
    let mut child = command(&products).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).contains("souk:")), (Some(0), false));
    let report = ["import", "products", "out.csv", "--website", "uk"];
    let mut child = command(&report).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).contains("panicked")), (Some(0), false));
}

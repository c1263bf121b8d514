//! Columns of a file that have no place in Souk are counted in the report, whatever happens to the import.

use std::fs;

use serde_json::{Value, json};
use souk::transfers::model::{Format, Report, Resource};

use super::{
    imports::Shop,
    mutations::{key, run_import, start_import, transfer_status, upload},
};
use crate::support::{TestApp, process::DataDir};

const SHOPIFY: &str = include_str!("../data/shopify.csv");
/// The second product has a bad price.
const GADGETS: &str = "\
    Handle,Title,Variant SKU,Variant Price,Variant Tax Code,Google Shopping / Condition,Notes,,Option1 Linked To\n\
    a,Lamp,A,1.00,P1,new,,,\n\
    a,,,,,used,,,\n\
    b,Mug,B,free,P1,, ,,\n\
    c,Rope,C,3.00,P2,,,x,\n";

fn ignored(report: &Report) -> Vec<(&str, u64)> {
    report.ignored_columns.iter().map(|ignored| (ignored.column.as_str(), ignored.rows)).collect()
}

#[tokio::test]
async fn columns_without_a_place_are_counted_by_rows_of_the_file() {
    let shop = Shop::new().await;
    let expected = [("Variant Tax Code", 3), ("Google Shopping / Condition", 2), ("column 8", 1)];
    let report = shop.import(Resource::Products, Format::Shopify, GADGETS).await;
    assert_eq!(report.counts.rejected, 1, "{report:?}");
    assert_eq!(ignored(&report), expected);
    // The rejects file has two more columns, which are not the shop's.
    let rejects = shop.rejects().replace("free", "2.00");
    let report = shop.import(Resource::Products, Format::Shopify, &rejects).await;
    assert_eq!((report.counts.created, ignored(&report)), (1, vec![("Variant Tax Code", 1)]), "{report:?}");
    // Lines without columns of their own are not counted.
    let report = shop.import(Resource::Products, Format::Shopify, &format!("{GADGETS}d,too short,,,P9\n")).await;
    assert_eq!(ignored(&report), expected);
    let stock = shop.import(Resource::Stock, Format::Shopify, GADGETS).await;
    assert_eq!(ignored(&stock), []);
    let report = shop.import_csv(Resource::Products, "sku,name,price\nA,Lamp,2\n").await;
    assert_eq!(ignored(&report), []);
}

#[tokio::test]
async fn columns_that_are_read_are_not_ignored() {
    let shop = Shop::new().await;
    let report = shop.import(Resource::Products, Format::Shopify, SHOPIFY).await;
    let names: Vec<&str> = report.ignored_columns.iter().map(|ignored| ignored.column.as_str()).collect();
    // Lines of the file with a value, first those that are in every line.
    let expected = ["Variant Fulfillment Service", "Variant Requires Shipping", "Variant Taxable"];
    assert_eq!(names, expected);
    assert!(report.ignored_columns.iter().all(|ignored| ignored.rows == 8), "{:?}", report.ignored_columns);
    let magento = "sku,product_type,name,price,tax_class_name,additional_attributes,store_view_code\n\
        M,simple,Mug,9.00,Taxable Goods,\"ean=4006381333931,shape=round,note=__EMPTY__VALUE__\",\n\
        N,simple,Cup,9.00,__EMPTY__VALUE__,\"manufacturer=Ada,shape=tall, thin,color=\",\n";
    let report = shop.import(Resource::Products, Format::Magento, magento).await;
    assert_eq!(ignored(&report), [("additional_attributes: shape", 2), ("tax_class_name", 1)]);
    let woocommerce = "ID,Type,SKU,Name,Regular price,Tax class,Attribute 1 name,Attribute 1 value(s),Attribute 1 global,Brands,Meta: color\n\
        1,simple,W,Tee,9.00,,Material,Cotton,1,\"Ada, Ida\",red\n";
    let report = shop.import(Resource::Products, Format::WooCommerce, woocommerce).await;
    assert_eq!(ignored(&report), [("Attribute 1 global", 1), ("Meta: color", 1)]);
    assert_eq!(report.notes["attributes of products that are not options"], 1);
    assert_eq!(report.notes["additional brands of products"], 1);
}

#[tokio::test]
async fn transfer_lists_ignored_columns_also_after_an_interruption() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let listed = |columns: &[(&str, u64)]| -> Value {
        columns.iter().map(|(column, rows)| json!({ "column": column, "rows": rows })).collect()
    };
    let expected = listed(&[("Variant Tax Code", 3), ("Google Shopping / Condition", 2), ("column 8", 1)]);
    let shopify = json!({ "format": "SHOPIFY" });
    let run = run_import(&manager, website, GADGETS, json!({ "format": "SHOPIFY", "isDryRun": true })).await;
    assert_eq!((&run["status"], &run["ignoredColumns"]), (&json!("DONE"), &expected), "{run}");
    let native = run_import(&manager, website, "sku,name,price\nX,Lamp,2\n", json!({})).await;
    assert_eq!(native["ignoredColumns"], json!([]));
    // Interrupted after its first row: without a rejected row before, the run continues; with one, it starts over.
    for (file, rejected) in [(GADGETS.replace("free", "2.00"), 0), (GADGETS.replace("free", "none"), 1)] {
        let begun = start_import(&manager, website, &upload(&manager, &file).await, shopify.clone()).await;
        let id = begun.text_at("importStart.transfer.id");
        assert_eq!(begun.at("importStart.transfer.ignoredColumns"), &json!([]));
        let cut_off = format!(
            "UPDATE transfers SET status = 'running', checkpoint = 1, processed = 1, created = 1 - {rejected}, rejected = {rejected},
                    ignored_columns = '[{{\"column\": \"Variant Tax Code\", \"rows\": 1}}]'
             WHERE id = {}",
            key(&id).0
        );
        app.database.sql(&cut_off).await;
        app.run_jobs().await;
        let run = transfer_status(&manager, &id).await;
        assert_eq!((&run["status"], &run["ignoredColumns"]), (&json!("DONE"), &expected), "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_print_ignored_columns() {
    let shop = Shop::new().await;
    let dir = DataDir::new();
    fs::write(dir.0.join("gadgets.csv"), GADGETS).unwrap();
    fs::write(
        dir.0.join("sales.csv"),
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Till,Cashier\n\
         1,A,Lamp,1,2024-03-01 09:15:00,2.50,7,United Kingdom,3,\n",
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let output = dir.command(arguments).env("DATABASE_URL", &shop.database.url).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_str(&fs::read_to_string(dir.0.join("report.json")).unwrap()).unwrap();
        (String::from_utf8(output.stdout).unwrap(), report["ignored_columns"].clone())
    };
    let gadgets =
        ["import", "products", "gadgets.csv", "--website", "uk", "--format", "shopify", "--report", "report.json"];
    let (printed, report) = run(&gadgets);
    assert!(printed.contains("have no place in Souk"), "{printed}");
    assert!(printed.lines().any(|line| line.trim() == "3  Variant Tax Code"), "{printed}");
    assert_eq!(report[0], json!({ "column": "Variant Tax Code", "rows": 3 }));
    let (printed, report) = run(&["import", "sales", "sales.csv", "--website", "uk", "--report", "report.json"]);
    assert!(printed.lines().any(|line| line.trim() == "1  Till"), "{printed}");
    assert_eq!(report, json!([{ "column": "Till", "rows": 1 }]));
}

//! Stock in imported files: products that are not tracked, backorders, and stock below zero.

use std::io::Cursor;

use souk::transfers::model::{Format, ImportOptions, Report, Resource};

use crate::transfers::imports::{Shop, counts, options};

const UNTRACKED: &str = include_str!("cases/untracked.shopify.csv");
const OVERSOLD: &str = include_str!("cases/oversold.shopify.csv");
const STOCK: &str =
    "SELECT string_agg(concat_ws(' ', sku, stock, inventory_policy, backorders, availability), '|' ORDER BY sku)
    FROM products";
const SHORTFALLS: &str = "products with a stock below zero and no backorders, imported with a stock of 0";

async fn stock(shop: &Shop) -> String {
    shop.database.scalar(STOCK).await
}

fn shortfalls(report: &Report) -> u64 {
    report.notes.get(SHORTFALLS).copied().unwrap_or_default()
}

#[tokio::test]
async fn shopify_products_without_tracking_or_on_backorder_can_be_sold() {
    let shop = Shop::new().await;
    let all = "MTO-1 0 tracked allow backorder|MTO-2 -3 tracked allow backorder|POD-1 0 not_tracked deny in_stock";
    for expected in [[3, 0, 0, 0], [0, 0, 3, 0]] {
        let report = shop.import(Resource::Products, Format::Shopify, UNTRACKED).await;
        assert_eq!((counts(&report), shortfalls(&report)), (expected, 0), "{report:?}");
        assert_eq!(stock(&shop).await, all);
    }
    // The shop tracks the poster now, and no longer sells benches that it does not have.
    let stricter = UNTRACKED.replace("POD-1,,0,deny", "POD-1,shopify,9,deny").replace("continue", "deny");
    let report = shop.import(Resource::Products, Format::Shopify, &stricter).await;
    assert_eq!((counts(&report), shortfalls(&report)), ([0, 3, 0, 0], 1), "{report:?}");
    let all = "MTO-1 0 tracked deny out_of_stock|MTO-2 0 tracked deny out_of_stock|POD-1 9 tracked deny in_stock";
    assert_eq!(stock(&shop).await, all);
    let sums = "SELECT bool_and(stock = coalesce((SELECT sum(delta) FROM stock_movements WHERE product_id = p.id), 0)) FROM products p";
    assert_eq!(shop.database.scalar(sums).await, "t");
    // And back, in one row: backorders are allowed before the stock falls.
    shop.import(Resource::Products, Format::Shopify, UNTRACKED).await;
    assert_eq!(stock(&shop).await.split('|').nth(1), Some("MTO-2 -3 tracked allow backorder"));
    let unknown = UNTRACKED.replace("continue", "perhaps");
    let report = shop.import(Resource::Products, Format::Shopify, &unknown).await;
    assert_eq!(counts(&report), [0, 0, 1, 2]);
    assert_eq!(report.errors[0].column.as_deref(), Some("Variant Inventory Policy"), "{report:?}");
}

#[tokio::test]
async fn stock_below_zero_without_backorders_becomes_zero_with_a_note() {
    let shop = Shop::new().await;
    shop.import(Resource::Products, Format::Shopify, OVERSOLD).await;
    assert_eq!(stock(&shop).await, "MUG-1 5 tracked deny low_stock");
    let oversold = OVERSOLD.replace("shopify,5,deny", "shopify,-1,deny");
    let dry = ImportOptions { is_dry_run: true, ..options(Resource::Products, Format::Shopify) };
    let report = shop.run(&dry, Cursor::new(oversold.clone()), None).await.expect("a dry run");
    assert_eq!((counts(&report), shortfalls(&report)), ([0, 1, 0, 0], 1));
    assert_eq!(stock(&shop).await, "MUG-1 5 tracked deny low_stock");
    for expected in [[0, 1, 0, 0], [0, 0, 1, 0]] {
        let report = shop.import(Resource::Products, Format::Shopify, &oversold).await;
        assert_eq!((counts(&report), shortfalls(&report)), (expected, 1), "{report:?}");
        assert_eq!(stock(&shop).await, "MUG-1 0 tracked deny out_of_stock");
    }
    let new = Shop::new().await;
    let report = new.import(Resource::Products, Format::Shopify, &oversold).await;
    assert_eq!((counts(&report), shortfalls(&report)), ([1, 0, 0, 0], 1));
    assert_eq!(stock(&new).await, "MUG-1 0 tracked deny out_of_stock");
}

#[tokio::test]
async fn woocommerce_stock_tracking_and_backorders() {
    let shop = Shop::new().await;
    let file = "ID,Type,SKU,Name,Published,In stock?,Stock,Backorders allowed?,Regular price\n\
                1,simple,A,Tracked,1,1,4,0,5.00\n\
                2,simple,B,Not tracked,1,1,,0,5.00\n\
                3,simple,C,Set to out of stock,1,0,,0,5.00\n\
                4,simple,D,Set to backorder,1,backorder,,0,5.00\n\
                5,simple,E,Oversold with notice,1,backorder,-2,notify,5.00\n\
                6,simple,F,Oversold,1,0,-2,0,5.00\n\
                7,simple,G,Nonsense,1,1,4,often,5.00\n";
    let report = shop.import(Resource::Products, Format::WooCommerce, file).await;
    assert_eq!((counts(&report), shortfalls(&report)), ([6, 0, 0, 1], 1), "{report:?}");
    assert_eq!(report.errors[0].column.as_deref(), Some("Backorders allowed?"));
    assert_eq!(
        stock(&shop).await,
        "A 4 tracked deny low_stock|B 0 not_tracked deny in_stock|C 0 tracked deny out_of_stock|\
         D 0 tracked allow backorder|E -2 tracked allow backorder|F 0 tracked deny out_of_stock"
    );
}

#[tokio::test]
async fn magento_stock_management_and_backorders() {
    let shop = Shop::new().await;
    let file = "sku,product_type,name,price,qty,allow_backorders,use_config_backorders,manage_stock,use_config_manage_stock\n\
                A,simple,Tracked by default,5,4,0,1,0,1\n\
                B,simple,Not tracked,5,0,0,1,0,0\n\
                C,simple,Backorders of its own,5,-2,1,0,1,0\n\
                D,simple,Backorders with notice,5,0,2,0,1,1\n\
                E,simple,Backorders of the shop,5,-2,1,1,1,1\n\
                F,simple,Nonsense,5,1,7,0,1,1\n";
    let report = shop.import(Resource::Products, Format::Magento, file).await;
    assert_eq!((counts(&report), shortfalls(&report)), ([5, 0, 0, 1], 1), "{report:?}");
    assert_eq!(report.errors[0].column.as_deref(), Some("allow_backorders"));
    assert_eq!(
        stock(&shop).await,
        "A 4 tracked deny low_stock|B 0 not_tracked deny in_stock|C -2 tracked allow backorder|\
         D 0 tracked allow backorder|E 0 tracked deny out_of_stock"
    );
}

#[tokio::test]
async fn stock_of_shop_files_has_its_policy() {
    let shop = Shop::new().await;
    shop.import(Resource::Products, Format::Shopify, UNTRACKED).await;
    let other = UNTRACKED
        .replace("MTO-1,shopify,0,continue", "MTO-1,,0,deny")
        .replace("POD-1,,0,deny", "POD-1,shopify,-9,continue");
    let report = shop.import(Resource::Stock, Format::Shopify, &other).await;
    assert_eq!((counts(&report), shortfalls(&report)), ([0, 2, 1, 0], 0), "{report:?}");
    let all = "MTO-1 0 not_tracked deny in_stock|MTO-2 -3 tracked allow backorder|POD-1 -9 tracked allow backorder";
    assert_eq!(stock(&shop).await, all);
}

#[tokio::test]
async fn own_formats_carry_the_policy_out_and_in() {
    let shop = Shop::new().await;
    shop.import(Resource::Products, Format::Shopify, UNTRACKED).await;
    let all = stock(&shop).await;
    for resource in [Resource::Products, Resource::Stock] {
        for format in [Format::SoukCsv, Format::SoukJsonl] {
            let exported = shop.exported(resource, format).await;
            let report = shop.import(resource, format, &exported).await;
            assert_eq!(counts(&report), [0, 0, 3, 0], "{exported}");
        }
    }
    let stock_file = shop.exported(Resource::Stock, Format::SoukCsv).await;
    let reset =
        "sku,stock,inventory_policy,backorders\nMTO-1,2,TRACKED,deny\nMTO-2,0,tracked,deny\nPOD-1,0,tracked,deny\n";
    assert_eq!(counts(&shop.import_csv(Resource::Stock, reset).await), [0, 3, 0, 0]);
    assert_eq!(counts(&shop.import_csv(Resource::Stock, &stock_file).await), [0, 3, 0, 0]);
    assert_eq!(stock(&shop).await, all, "an exported stock restores it");
    let wrong = "sku,inventory_policy,backorders\nMTO-1,counted,\nMTO-2,,perhaps\n";
    let report = shop.import_csv(Resource::Stock, wrong).await;
    let messages: Vec<String> = report.errors.iter().map(|error| error.message.clone()).collect();
    assert_eq!(counts(&report), [0, 0, 0, 2]);
    assert!(messages[0].contains("\"counted\" is not tracked or not_tracked"), "{messages:?}");
    assert!(messages[1].contains("\"perhaps\" is not deny or allow"), "{messages:?}");
}

//! Imports and exports of amounts in currencies with other than two decimal places.

use souk::transfers::model::{Format, Resource};

use crate::transfers::imports::{Shop, counts};

const YEN: &str = include_str!("../data/yen.souk.csv");
const DINAR: &str = include_str!("../data/dinar.souk.csv");
const DINAR_SHOPIFY: &str = include_str!("../data/dinar.shopify.csv");

const PRICES: &str = "SELECT string_agg(sku || ' ' || price, ', ' ORDER BY sku) FROM products";

/// Returns a shop that sells in this currency.
async fn shop(currency: &str) -> Shop {
    let shop = Shop::new().await;
    shop.database.sql(&format!("UPDATE websites SET currency = '{currency}'")).await;
    shop
}

#[tokio::test]
async fn fraction_of_a_yen_is_rejected_with_its_reason() {
    let shop = shop("JPY").await;
    assert_eq!(counts(&shop.import_csv(Resource::Products, YEN).await), [0, 0, 0, 1]);
    let rejects = shop.rejects();
    assert!(rejects.contains("price: must have at most 0 decimal places in JPY"), "{rejects}");
    let corrected = YEN.replace("1000.50", "1000.00");
    assert_eq!(counts(&shop.import_csv(Resource::Products, &corrected).await), [1, 0, 0, 0]);
    assert_eq!(counts(&shop.import_csv(Resource::Products, &corrected).await), [0, 0, 1, 0]);
    assert_eq!(shop.database.scalar(PRICES).await, "Y3 1000");
    let exported = shop.exported(Resource::Products, Format::SoukCsv).await;
    assert!(exported.contains(",1000,"), "{exported}");
}

#[tokio::test]
async fn thousandths_of_a_dinar_are_kept() {
    let shop = shop("KWD").await;
    assert_eq!(counts(&shop.import_csv(Resource::Products, DINAR).await), [1, 0, 0, 0]);
    let report = shop.import(Resource::Products, Format::Shopify, DINAR_SHOPIFY).await;
    assert_eq!(counts(&report), [2, 0, 0, 0], "{}", shop.rejects());
    assert_eq!(shop.database.scalar(PRICES).await, "D3 1.255, D4 1.255, D5 12.500");
    let exported = shop.exported(Resource::Products, Format::SoukCsv).await;
    assert_eq!(counts(&shop.import_csv(Resource::Products, &exported).await), [0, 0, 3, 0]);
}

#[tokio::test]
async fn only_calculated_amounts_of_other_shop_systems_are_rounded() {
    let shop = shop("EUR").await;
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
                a,A,Title,Default Title,A,9.99\n\
                b,B,Title,Default Title,B,24.193548\n\
                c,C,Title,Default Title,C,24.193\n";
    let report = shop.import(Resource::Products, Format::Shopify, file).await;
    assert_eq!(counts(&report), [2, 0, 0, 1]);
    assert!(shop.rejects().contains("Variant Price: must have at most 2 decimal places in EUR"), "{}", shop.rejects());
    assert_eq!(shop.database.scalar(PRICES).await, "A 9.99, B 24.19");
    let again = shop.import(Resource::Products, Format::Shopify, file).await;
    assert_eq!(counts(&again), [0, 0, 2, 1]);
}

#[tokio::test]
async fn lines_of_past_orders_have_the_decimal_places_of_the_currency() {
    let shop = shop("KWD").await;
    shop.import_csv(Resource::Products, DINAR).await;
    let order = |number: &str, price: &str| {
        format!(
            r#"{{"number":"{number}","status":"delivered","placed_at":"2025-01-31T12:00:00Z",
                "lines":[{{"sku":"D3","name":"Dinar thing","quantity":3,"unit_price":"{price}"}}]}}"#
        )
        .replace('\n', " ")
    };
    let report = shop.import(Resource::Orders, Format::SoukJsonl, &order("1", "1.2555")).await;
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert!(shop.rejects().contains("unit_price must have at most 3 decimal places in KWD"), "{}", shop.rejects());
    let report = shop.import(Resource::Orders, Format::SoukJsonl, &order("2", "1.5")).await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    let exported = shop.exported(Resource::Orders, Format::SoukJsonl).await;
    assert!(exported.contains("4.500") && exported.contains("1.500"), "{exported}");
    assert_eq!(counts(&shop.import(Resource::Orders, Format::SoukJsonl, &exported).await), [0, 0, 1, 0]);
}

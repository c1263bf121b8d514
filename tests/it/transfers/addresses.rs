//! Addresses in files: countries and subdivisions by code or name, postal codes as they are.

use std::io::Cursor;

use souk::transfers::{
    model::{Format, Resource},
    sales::{
        actions::import_sales,
        model::{SalesOptions, WebsiteOptions},
    },
};

use super::imports::{Shop, counts};
use crate::support::process::DataDir;

const ADDRESSES: &str =
    "SELECT recipient_name, company, phone, country, subdivision, city, postal_code FROM addresses ORDER BY id";

#[tokio::test]
async fn customers_have_addresses_with_codes_or_names_of_countries() {
    let shop = Shop::new().await;
    let customer = r#"{"external_id": "17", "name": "Eve", "addresses": [
        {"recipient_name": "Eve", "company": "Tin Ltd", "phone": "020 7946 0000", "country": "united kingdom", "city": "London", "address": "1 High St", "postal_code": "london"},
        {"country": "USA", "subdivision": "California", "city": "Napa", "address": "2 Quay"},
        {"country": "deu", "city": "Kiel", "address": "Kai 1", "postal_code": "24103"},
        {"country": "ZZ", "city": "Cair Paravel", "address": "1 Lantern Waste"}]}"#;
    let file = customer.replace('\n', "");
    assert_eq!(counts(&shop.import(Resource::Customers, Format::SoukJsonl, &file).await), [1, 0, 0, 0]);
    assert_eq!(
        shop.database.rows(ADDRESSES).await,
        [
            "(Eve,\"Tin Ltd\",+442079460000,GB,,London,london)",
            "(,,,US,US-CA,Napa,)",
            "(,,,DE,,Kiel,24103)",
            "(,,,ZZ,,\"Cair Paravel\",)",
        ]
    );
    // The same addresses with codes, and the exported file: nothing is added.
    let codes =
        file.replace("united kingdom", "GB").replace("USA", "us").replace("California", "CA").replace("deu", "DE");
    assert_eq!(counts(&shop.import(Resource::Customers, Format::SoukJsonl, &codes).await), [0, 0, 1, 0]);
    for format in [Format::SoukCsv, Format::SoukJsonl] {
        let exported = shop.exported(Resource::Customers, format).await;
        assert_eq!(counts(&shop.import(Resource::Customers, format, &exported).await), [0, 0, 1, 0], "{exported}");
    }
    for (address, message) in [
        (r#"{"country": "Narnia", "city": "x", "address": "y"}"#, r#""Narnia" is not a country"#),
        (r#"{"country": " ", "city": "x", "address": "y"}"#, "must not be blank"),
        (
            r#"{"country": "US", "subdivision": "Ontario", "city": "x", "address": "y"}"#,
            r#""Ontario" is not the ISO 3166-2 code or name of a subdivision of United States"#,
        ),
        (r#"{"country": "GB", "phone": "12", "city": "x", "address": "y"}"#, "must be a valid phone number"),
        (r#"{"country": "GB", "state": "x", "city": "x", "address": "y"}"#, "unknown field `state`"),
    ] {
        let file = format!(r#"{{"external_id": "18", "name": "Bo", "addresses": [{address}]}}"#);
        let report = shop.import(Resource::Customers, Format::SoukJsonl, &file).await;
        assert_eq!(counts(&report), [0, 0, 0, 1], "{address}");
        let rejections = format!("{report:?}");
        assert!(rejections.contains(&format!("{message:?}").trim_matches('"').to_owned()), "{message} in {rejections}");
    }
}

#[tokio::test]
async fn rejected_country_is_reported_with_the_column_of_the_file() {
    let shop = Shop::new().await;
    shop.import_csv(Resource::Products, "sku,name,price\nR-1,Rope,1.50\n").await;
    let lines = r#""[{""sku"":""R-1"",""name"":""Rope"",""quantity"":1,""unit_price"":""1.50""}]""#;
    let file = format!("number,status,placed_at,SHIP_Country,lines\n1,delivered,2020-01-01T00:00:00Z,Narnia,{lines}\n");
    assert_eq!(counts(&shop.import_csv(Resource::Orders, &file).await), [0, 0, 0, 1]);
    let rejects = shop.rejects();
    assert!(rejects.contains("SHIP_Country: \"\"Narnia\"\" is not a country"), "{rejects}");
}

#[tokio::test]
async fn past_orders_keep_their_addresses() {
    let shop = Shop::new().await;
    shop.import_csv(Resource::Products, "sku,name,price\nR-1,Rope,1.50\n").await;
    let order = |number: &str, billing: &str| {
        let line = r#"{"sku": "R-1", "name": "Rope", "quantity": 1, "unit_price": "1.50"}"#;
        format!(
            r#"{{"number": "{number}", "status": "delivered", "placed_at": "2020-01-01T00:00:00Z", "ship_recipient_name": "Ada", "ship_company": "Rope Ltd", "ship_phone": "ext. 5", "ship_country": "Canada", "ship_subdivision": "on", "ship_city": "Ottawa", "ship_address": "1 Quay", "ship_postal_code": "unknown", "billing_address": {billing}, "lines": [{line}]}}"#
        )
    };
    let france = r#"{"country": "FRA", "company": "Corde SA", "phone": "01 42 68 53 00"}"#;
    let same = r#"{"recipient_name": "Ada", "company": "Rope Ltd", "phone": "ext. 5", "country": "CA", "subdivision": "CA-ON", "city": "Ottawa", "address": "1 Quay", "postal_code": "unknown"}"#;
    for (number, billing) in [("1", "null"), ("2", france), ("3", same)] {
        for expected in [[1, 0, 0, 0], [0, 0, 1, 0]] {
            let report = shop.import(Resource::Orders, Format::SoukJsonl, &order(number, billing)).await;
            assert_eq!(counts(&report), expected, "{number}: {report:?}");
        }
    }
    let stored =
        "SELECT order_number, ship_recipient_name, ship_phone, ship_country, ship_subdivision, ship_postal_code,
        billing_address ->> 'country' || ' ' || (billing_address ->> 'company') || ' ' || (billing_address ->> 'phone')
        FROM orders ORDER BY order_number";
    assert_eq!(
        shop.database.rows(stored).await,
        [
            "(1,Ada,\"ext. 5\",CA,CA-ON,unknown,)",
            "(2,Ada,\"ext. 5\",CA,CA-ON,unknown,\"FR Corde SA +33142685300\")",
            "(3,Ada,\"ext. 5\",CA,CA-ON,unknown,)",
        ]
    );
    for format in [Format::SoukCsv, Format::SoukJsonl] {
        let exported = shop.exported(Resource::Orders, format).await;
        assert_eq!(counts(&shop.import(Resource::Orders, format, &exported).await), [0, 0, 3, 0], "{exported}");
    }
    // An existing order never changes; a billing address needs a country.
    for (number, billing) in
        [("1", france), ("2", "null"), ("4", r#"{"city": "Lyon"}"#), ("4", r#"{"country": "Narnia"}"#)]
    {
        let report = shop.import(Resource::Orders, Format::SoukJsonl, &order(number, billing)).await;
        assert_eq!(counts(&report), [0, 0, 0, 1], "{number} {billing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_countries_of_sales_are_kept_as_districts() {
    let (shop, dir) = (Shop::new().await, DataDir::new());
    let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let line = |invoice: &str, country: &str| format!("{invoice},A,Cup,1,2024-01-01,5,,{country}\n");
    let file = ["EIRE", "RSA", "USA", "Channel Islands", "European Community", "Czech Republic", ""];
    let lines = file.iter().enumerate().map(|(index, country)| line(&index.to_string(), country));
    let import = async |text: String| {
        let website = WebsiteOptions { code: "uk".into(), ..WebsiteOptions::default() };
        let options = SalesOptions { website, ..SalesOptions::default() };
        import_sales(&shop.database.db, &options, Cursor::new(text), &dir.0.join("sales")).await.expect("a report")
    };
    let text = header.to_owned() + &lines.collect::<String>();
    assert_eq!(import(text.clone()).await.orders.created, 7);
    let stored = "SELECT order_number, ship_country, ship_district FROM orders ORDER BY order_number";
    assert_eq!(
        shop.database.rows(stored).await,
        [
            "(0,IE,)",
            "(1,ZA,)",
            "(2,US,)",
            "(3,ZZ,\"Channel Islands\")",
            "(4,ZZ,\"European Community\")",
            "(5,CZ,)",
            "(6,,)",
        ]
    );
    assert_eq!(import(text).await.orders.unchanged, 7);
    // A later file knows the country; one that does not know it changes nothing.
    let later = header.to_owned() + &line("3", "Jersey") + &line("2", "Unspecified") + &line("6", "Unspecified");
    assert_eq!(import(later).await.orders.updated, 2);
    let changed =
        "SELECT order_number, ship_country, ship_district FROM orders WHERE order_number IN ('2', '3', '6') ORDER BY 1";
    assert_eq!(shop.database.rows(changed).await, ["(2,US,)", "(3,JE,\"Channel Islands\")", "(6,ZZ,Unspecified)"]);
}

//! Texts, times and positions of files are normalized like those of the API.

use souk::transfers::model::{Format, Resource};

use super::imports::{Shop, counts};

#[tokio::test]
async fn texts_of_files_are_trimmed() {
    let shop = Shop::new().await;
    let products = "\u{feff}sku\u{a0}, name ,slug,price,barcode,brand,category,group,options\n\
        \u{a0}TR-1\t,\u{200b}Red rope , red-rope ,1.00,\u{3000},\u{2003}Tin\u{a0},Home\u{a0}>\u{2003}Rope,\u{2003}ropes, Size\u{a0}=\u{2003}M \n\
        TR-2,Blue rope,,1.00,,Tin,Home > Rope,ropes,Size=L\n";
    assert_eq!(counts(&shop.import_csv(Resource::Products, products).await), [2, 0, 0, 0]);
    assert_eq!(counts(&shop.import_csv(Resource::Products, products).await), [0, 0, 2, 0]);
    let rows = "SELECT p.sku, p.name, p.slug, p.barcode IS NULL, b.name, p.option_values, (SELECT count(*) FROM brands)
        FROM products p JOIN brands b ON b.id = p.brand_id ORDER BY p.sku";
    assert_eq!(
        shop.database.rows(rows).await,
        ["(TR-1,\"Red rope\",red-rope,t,Tin,{M},1)", "(TR-2,\"Blue rope\",blue-rope,t,Tin,{L},1)"]
    );
    assert_eq!(shop.database.scalar("SELECT count(*) FROM categories").await, "2");
    let twice = "sku,name,price\nTR-3,a,1\n\u{a0}TR-3,b,1\n";
    assert_eq!(counts(&shop.import_csv(Resource::Products, twice).await), [1, 0, 0, 1]);
    let customers = r#"{"external_id": " 17\t", "email": "\u00a0Eve@souk.example ", "name": " Eve", "phone": "020 7946 0000", "addresses": [{"country": " GB", "city": "London ", "address": " 1 High St\r\n Flat 2", "postal_code": ""}]}"#;
    let customers = customers.replace(r#", "postal_code": """#, "");
    assert_eq!(counts(&shop.import(Resource::Customers, Format::SoukJsonl, &customers).await), [1, 0, 0, 0]);
    assert_eq!(counts(&shop.import(Resource::Customers, Format::SoukJsonl, &customers).await), [0, 0, 1, 0]);
    let eve = "SELECT u.email, u.name, u.phone, a.country, a.city, a.address = E'1 High St\\nFlat 2' FROM users u JOIN addresses a ON a.user_id = u.id";
    assert_eq!(shop.database.rows(eve).await, ["(eve@souk.example,Eve,+442079460000,GB,London,t)"]);
    let shopify = "Handle,Title,Variant SKU,Variant Price\nrope,\u{a0}Rope\u{200b},\u{a0}SH-1 ,2.00\n";
    assert_eq!(counts(&shop.import(Resource::Products, Format::Shopify, shopify).await), [1, 0, 0, 0]);
    assert_eq!(shop.database.scalar("SELECT name FROM products WHERE sku = 'SH-1'").await, "Rope");
    // A time that does not exist.
    let order = r#"{"number":"1","status":"delivered","placed_at":"2010-12-01T08:26:60Z","lines":[{"sku":"TR-1","name":"Rope","quantity":1,"unit_price":"1"}]}"#;
    assert_eq!(counts(&shop.import(Resource::Orders, Format::SoukJsonl, order).await), [0, 0, 0, 1]);
}

#[tokio::test]
async fn equal_positions_of_a_file_are_separated() {
    let shop = Shop::new().await;
    let file = "path,position\nb,0\na,0\nc,0\na > x,5\na > y,5\n";
    assert_eq!(counts(&shop.import_csv(Resource::Categories, file).await), [5, 0, 0, 0]);
    let report = shop.import_csv(Resource::Categories, file).await;
    assert_eq!(report.counts.rejected, 0, "{report:?}");
    let order = "SELECT string_agg(name, ' ' ORDER BY cardinality(path), position) FROM categories";
    assert_eq!(shop.database.scalar(order).await.len(), 9);
    let equal = "SELECT parent_id FROM categories GROUP BY parent_id HAVING count(*) > count(DISTINCT position)";
    assert_eq!(shop.database.rows(equal).await, Vec::<String>::new());
}

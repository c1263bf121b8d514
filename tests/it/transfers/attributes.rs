//! Tags, weights and SEO texts in imported and exported files of each format.

use souk::transfers::{
    model::{Format, Report, Resource},
    record::Rejection,
};

use super::imports::{Shop, counts};

/// SKU, tags, weight, SEO title and description of each product.
const ATTRIBUTES: &str = "SELECT string_agg(concat_ws('|', sku, array_to_string(tags, ','),
        coalesce(trim_scale(weight) || ' ' || weight_unit, '-'), coalesce(seo_title, '-'), coalesce(seo_description, '-')), ' / ' ORDER BY sku)
    FROM products";

const SHOPIFY: &str = "\
    Handle,Title,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Weight Unit,Variant Price,SEO Title,SEO Description\n\
    jumper,Jumper,\"wool, Winter, WOOL\",Size,S,J-S,450.0,g,89.00,Warm jumper,Knitted\n\
    jumper,,,,M,J-M,1250,kg,89.00,,\n\
    mug,Mug,,Title,Default Title,MUG,0.0,g,9.00,,\n\
    rope,Rope,rope,Title,Default Title,ROPE,453.59237,lb,9.00,,\n";
const SHOPIFY_2025: &str = include_str!("../data/shopify_2025.csv");
const WOOCOMMERCE: &str = "\
    ID,Type,SKU,Name,Regular price,Parent,Attribute 1 name,Attribute 1 value(s),Tags,Weight (lbs),Meta: _yoast_wpseo_title,\
    Meta: rank_math_title,Meta: rank_math_description\n\
    1,variable,TEE,Tee,,,Size,\"S, L\",\"cotton, Summer &amp; sea\",0.5,%%title%% %%sep%% %%sitename%%,Tee for summer,Soft\n\
    2,variation,,Tee - S,19.00,TEE,Size,S,,,,,\n\
    3,variation,,Tee - L,19.00,TEE,Size,L,sale,0.75,Large tee,,\n\
    4,simple,CUP,Cup,5.50,,,,,,,,\n";
const MAGENTO: &str = "\
    sku,product_type,name,price,qty,url_key,weight,meta_title,meta_description,additional_attributes,configurable_variations\n\
    BOOT,configurable,Boot,,,boot,,Boot title,Boots &amp; more,\"tags=leather|winter,shape=round\",\"sku=BOOT-41,size=41|sku=BOOT-42,size=42\"\n\
    BOOT-41,simple,Boot,90.00,1,boot-41,2.5000,,,shape=round,\n\
    BOOT-42,simple,Boot,90.00,1,boot-42,2.7500,Own title,__EMPTY__VALUE__,\"tags=sale,shape=wide,gtin=4006381333931\",\n\
    LACE,simple,Lace,3.00,1,lace,,,,,\n";

async fn import(shop: &Shop, format: Format, file: &str) -> Report {
    shop.import(Resource::Products, format, file).await
}

/// Imports a valid file twice; the second time changes nothing.
async fn import_twice(shop: &Shop, format: Format, file: &str, expected: &str) {
    let report = import(shop, format, file).await;
    assert_eq!(report.counts.rejected, 0, "{report:?}");
    assert_eq!(shop.database.scalar(ATTRIBUTES).await, expected);
    let again = import(shop, format, file).await;
    assert_eq!((again.counts.unchanged, again.counts.updated), (again.counts.read, 0), "{again:?}");
    assert_eq!(shop.database.scalar(ATTRIBUTES).await, expected);
}

#[tokio::test]
async fn shopify_variants_have_the_texts_of_their_product_and_their_own_weight() {
    let shop = Shop::new().await;
    let expected = "J-M|wool,Winter|1.25 kg|Warm jumper|Knitted / J-S|wool,Winter|450 g|Warm jumper|Knitted / MUG||-|-|- \
                    / ROPE|rope|1 lb|-|-";
    import_twice(&shop, Format::Shopify, SHOPIFY, expected).await;
    // Without the columns the values stay, empty cells clear them.
    let absent =
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nrope,Rope,Title,Default Title,ROPE,8.00\n";
    assert_eq!(counts(&import(&shop, Format::Shopify, absent).await), [0, 1, 0, 0]);
    assert_eq!(shop.database.scalar(ATTRIBUTES).await, expected);
    let empty = SHOPIFY
        .replace("\"wool, Winter, WOOL\"", "")
        .replace("450.0,g", ",")
        .replace("Warm jumper,Knitted", ",")
        .replace("rope,Rope,rope,", "rope,Rope,,");
    let report = import(&shop, Format::Shopify, &empty).await;
    assert_eq!(counts(&report), [0, 3, 1, 0], "{report:?}");
    assert_eq!(shop.database.scalar(ATTRIBUTES).await, "J-M||1.25 kg|-|- / J-S||-|-|- / MUG||-|-|- / ROPE||1 lb|-|-");
}

#[tokio::test]
async fn shopify_names_since_2025_are_read() {
    let shop = Shop::new().await;
    let file = SHOPIFY_2025.replace("FALSE,,\n,deck-chair", "FALSE,Deck chairs,Of wood\n,deck-chair");
    let expected =
        "DECK-ASH|garden|5100 g|Deck chairs|Of wood / DECK-OAK|garden|5200 g|Deck chairs|Of wood / OIL-1||900 g|-|-";
    import_twice(&shop, Format::Shopify, &file, expected).await;
}

#[tokio::test]
async fn woocommerce_variations_inherit_what_they_do_not_have() {
    let shop = Shop::new().await;
    let expected =
        "CUP||-|-|- / WC-2|cotton,Summer & sea|0.5 lb|Tee for summer|Soft / WC-3|sale|0.75 lb|Large tee|Soft";
    import_twice(&shop, Format::WooCommerce, WOOCOMMERCE, expected).await;
    let report = import(&shop, Format::WooCommerce, WOOCOMMERCE).await;
    assert_eq!(report.notes["SEO texts with variables of a plugin, such as %%title%%"], 1, "{:?}", report.notes);
    for (header, unit) in [("Weight (kg)", "kg"), ("Weight (g)", "g"), ("weight (OZ)", "oz")] {
        import(&shop, Format::WooCommerce, &WOOCOMMERCE.replace("Weight (lbs)", header)).await;
        let large = "SELECT trim_scale(weight) || ' ' || weight_unit FROM products WHERE sku = 'WC-3'";
        assert_eq!(shop.database.scalar(large).await, format!("0.75 {unit}"));
    }
}

#[tokio::test]
async fn magento_variants_inherit_texts_and_weights_are_pounds_unless_named() {
    let shop = Shop::new().await;
    let expected = "BOOT-41|leather,winter|2.5 lb|Boot title|Boots & more / BOOT-42|sale|2.75 lb|Own title|Boots & more \
                    / LACE||-|-|-";
    import_twice(&shop, Format::Magento, MAGENTO, expected).await;
    let kilograms = MAGENTO.replace(",weight,", ",weight (kg),");
    import_twice(&shop, Format::Magento, &kilograms, &expected.replace(" lb", " kg")).await;
}

#[tokio::test]
async fn products_lose_no_attribute_between_export_and_import() {
    let shop = Shop::new().await;
    let file = "sku,name,price,tags,weight,weight_unit,seo_title,seo_description\n\
                A,Rope,1,'=Hemp | a \\| b | HEMP | =hemp,0.45,kg,\"Rope, strong\",-5 % today\n\
                B,Tar,2,,0,g,,\n\
                C,Sail,3,white,,,Sails,\n";
    let report = shop.import_csv(Resource::Products, file).await;
    assert_eq!(counts(&report), [3, 0, 0, 0], "{report:?}");
    let expected = "A|=Hemp,a | b,HEMP|0.45 kg|Rope, strong|-5 % today / B||0 g|-|- / C|white|-|Sails|-";
    assert_eq!(shop.database.scalar(ATTRIBUTES).await, expected);
    for format in [Format::SoukCsv, Format::SoukJsonl] {
        let exported = shop.exported(Resource::Products, format).await;
        let other = Shop::new().await;
        assert_eq!(counts(&import(&other, format, &exported).await), [3, 0, 0, 0]);
        assert_eq!(other.database.scalar(ATTRIBUTES).await, expected, "{exported}");
        assert_eq!(other.exported(Resource::Products, format).await, exported);
        assert_eq!(counts(&import(&other, format, &exported).await), [0, 0, 3, 0]);
    }
    // An absent column keeps the value, an empty cell or null clears it.
    assert_eq!(counts(&shop.import_csv(Resource::Products, "sku,price\nA,1\n").await), [0, 0, 1, 0]);
    let empty = "sku,tags,weight,weight_unit,seo_title,seo_description\nA,,,kg,,\n";
    assert_eq!(counts(&shop.import_csv(Resource::Products, empty).await), [0, 1, 0, 0]);
    let lines = "{\"sku\": \"B\", \"tags\": [\"x\", \"X\"], \"weight\": 2.5, \"weight_unit\": \"lb\"}\n{\"sku\": \"C\", \"tags\": null, \"seo_title\": null}\n";
    assert_eq!(counts(&import(&shop, Format::SoukJsonl, lines).await), [0, 2, 0, 0]);
    assert_eq!(shop.database.scalar(ATTRIBUTES).await, "A||-|-|- / B|x|2.5 lb|-|- / C||-|-|-");
}

/// Returns column and message of the only rejected row.
async fn rejection(shop: &Shop, format: Format, file: &str) -> Rejection {
    let report = import(shop, format, file).await;
    let [error] = report.errors.as_slice() else { panic!("{report:?} {file}") };
    Rejection { column: error.column.clone(), message: error.message.clone() }
}

#[tokio::test]
async fn limits_of_attributes_are_shown_with_the_column_of_the_file() {
    let shop = Shop::new().await;
    let long = "x".repeat(256);
    let longer = "x".repeat(1001);
    let many = (0..251).map(|number| format!("t{number}")).collect::<Vec<_>>();
    let shopify =
        |column: &str, cell: &str| format!("Handle,Title,Variant SKU,Variant Price,{column}\nmug,Mug,M,9.00,{cell}\n");
    let woocommerce =
        |column: &str, cell: &str| format!("ID,Type,SKU,Name,Regular price,{column}\n1,simple,M,Mug,9.00,{cell}\n");
    let magento =
        |column: &str, cell: &str| format!("sku,product_type,name,price,{column}\nM,simple,Mug,9.00,{cell}\n");
    let souk = |column: &str, cell: &str| format!("sku,name,price,{column}\nM,Mug,9.00,{cell}\n");
    for (format, file, column, part) in [
        (Format::Shopify, shopify("Tags", &long), "Tags", "at most 255 characters"),
        (Format::Shopify, shopify("Tags", &format!("\"{}\"", many.join(","))), "Tags", "at most 250 tags"),
        (Format::Shopify, shopify("SEO title", &long), "SEO title", "at most 255 characters"),
        (Format::Shopify, shopify("SEO Description", &longer), "SEO Description", "at most 1000 characters"),
        (Format::Shopify, shopify("Variant Grams", "-1"), "Variant Grams", "must not be negative"),
        (Format::Shopify, shopify("Weight value (grams)", "1e3"), "Weight value (grams)", "not a number"),
        (Format::Shopify, shopify("Variant Grams", "100000000"), "Variant Grams", "99,999,999.9999"),
        (Format::Shopify, shopify("Variant Grams,Variant Weight Unit", "9,stone"), "Variant Weight Unit", "\"stone\""),
        (Format::WooCommerce, woocommerce("Tags", &long), "Tags", "at most 255 characters"),
        (Format::WooCommerce, woocommerce("Weight (kg)", "heavy"), "Weight (kg)", "not a number"),
        (Format::WooCommerce, woocommerce("Meta: rank_math_title", &long), "Meta: rank_math_title", "at most 255"),
        (Format::Magento, magento("weight", "-2.5"), "weight", "must not be negative"),
        (Format::Magento, magento("meta_title", &long), "meta_title", "at most 255 characters"),
        (Format::Magento, magento("meta_description", &longer), "meta_description", "at most 1000 characters"),
        (
            Format::Magento,
            magento("additional_attributes", &format!("tags={long}")),
            "additional_attributes",
            "at most 255",
        ),
        (Format::SoukCsv, souk("Tags", &long), "Tags", "at most 255 characters"),
        (Format::SoukCsv, souk("tags", "a | | b"), "tags", "must not be blank"),
        (Format::SoukCsv, souk("weight", "1"), "weight_unit", "must be g, kg, oz or lb"),
        (Format::SoukCsv, souk("Weight,weight_unit", "0.00001,g"), "Weight", "4 decimal places"),
        (Format::SoukCsv, souk("weight,weight_unit", "1,stone"), "weight_unit", "must be g, kg, oz or lb"),
        (Format::SoukCsv, souk("weight_unit", "g"), "weight", "units of weight but no weights"),
        (Format::SoukCsv, souk("seo_title", &long), "seo_title", "at most 255 characters"),
        (Format::SoukCsv, souk("SEO_description", &longer), "SEO_description", "at most 1000 characters"),
    ] {
        let Rejection { column: found, message } = rejection(&shop, format, &file).await;
        assert_eq!(found.as_deref(), Some(column), "{message}: {file}");
        assert!(message.contains(part), "{message}, expected {part}");
    }
}

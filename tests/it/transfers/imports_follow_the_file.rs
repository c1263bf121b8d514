//! Imported products follow their file: images, names of options and groups, and texts with HTML entities.

use std::io::Cursor;

use souk::transfers::model::{Format, ImportOptions, Report, Resource};

use crate::transfers::imports::{Shop, counts, options};

const IMAGES_CHANGE: &str = include_str!("cases/images-change.shopify.csv");
const EMPTY_IMAGES: &str = include_str!("cases/empty-images-cell.souk.csv");
const OPTION_RENAMED: &str = include_str!("cases/option-renamed.shopify.csv");
const MAGENTO_TRADE: &str = include_str!("cases/magento-trade.magento.csv");
const IMAGES: &str =
    "SELECT coalesce(string_agg(concat_ws(' ', split_part(source_url, '/', 4), nullif(alt, '')), ', ' ORDER BY position, id), '')
                      FROM images";

async fn import(shop: &Shop, format: Format, file: &str) -> Report {
    shop.import(Resource::Products, format, file).await
}

async fn images(shop: &Shop) -> String {
    shop.database.scalar(IMAGES).await
}

#[tokio::test]
async fn images_are_added_moved_changed_and_removed() {
    let shop = Shop::new().await;
    import(&shop, Format::Shopify, IMAGES_CHANGE).await;
    assert_eq!(images(&shop).await, "old.jpg Old, side.jpg Side");
    let ids = "SELECT string_agg(id::text, ' ' ORDER BY source_url) FROM images WHERE source_url LIKE '%side.jpg'";
    let side = shop.database.scalar(ids).await;
    let newer =
        IMAGES_CHANGE.replace("old.jpg,1,Old", "new.jpg,2,New").replace("side.jpg,2,Side", "side.jpg,1,From the side");
    let dry = ImportOptions { is_dry_run: true, ..options(Resource::Products, Format::Shopify) };
    assert_eq!(counts(&shop.run(&dry, Cursor::new(newer.clone()), None).await.unwrap()), [0, 1, 0, 0]);
    assert_eq!(images(&shop).await, "old.jpg Old, side.jpg Side");
    for expected in [[0, 1, 0, 0], [0, 0, 1, 0]] {
        assert_eq!(counts(&import(&shop, Format::Shopify, &newer).await), expected);
        assert_eq!(images(&shop).await, "side.jpg From the side, new.jpg New");
    }
    assert_eq!(shop.database.scalar(ids).await, side, "the image is moved, not fetched again");
    // Without the column of alternative texts they stay; without the columns of images these stay, too.
    let no_alt = newer.replace("Image Alt Text", "Alt").replace("new.jpg,2,New", "new.jpg,2,");
    assert_eq!(counts(&import(&shop, Format::Shopify, &no_alt).await), [0, 0, 1, 0]);
    let no_images = newer.replace("Image Src", "Src").replace("Variant Image", "Image of variant");
    assert_eq!(counts(&import(&shop, Format::Shopify, &no_images).await), [0, 0, 1, 0]);
    assert_eq!(images(&shop).await, "side.jpg From the side, new.jpg New");
}

#[tokio::test]
async fn empty_images_cell_clears_and_absent_column_keeps() {
    let shop = Shop::new().await;
    import(&shop, Format::SoukCsv, EMPTY_IMAGES).await;
    assert_eq!(images(&shop).await, "1.jpg One, 2.jpg Two");
    assert_eq!(counts(&import(&shop, Format::SoukCsv, "sku,price\nCUP-1,5.00\n").await), [0, 0, 1, 0]);
    assert_eq!(images(&shop).await, "1.jpg One, 2.jpg Two");
    for (file, expected, left) in [
        ("sku,images\nCUP-1,https://img.example/2.jpg\n", [0, 1, 0, 0], "2.jpg"),
        ("sku,images\nCUP-1,\n", [0, 1, 0, 0], ""),
        ("sku,images\nCUP-1,\n", [0, 0, 1, 0], ""),
    ] {
        assert_eq!(counts(&import(&shop, Format::SoukCsv, file).await), expected);
        assert_eq!(images(&shop).await, left);
    }
}

#[tokio::test]
async fn uploaded_images_stay_unless_the_file_could_list_them() {
    let shop = Shop::new().await;
    import(&shop, Format::Shopify, IMAGES_CHANGE).await;
    let uploaded = "INSERT INTO media (id, sha256, format, width, height, bytes, blurhash, widths)
             VALUES (1, repeat('ab', 32), 'png', 900, 9, 99, 'LEHV6nWB2yk8', '{160,900}');
         INSERT INTO images (product_id, media_id, position, alt) SELECT id, 1, 9, 'Uploaded' FROM products";
    shop.database.sql(uploaded).await;
    let none =
        IMAGES_CHANGE.replace("https://img.example/old.jpg,1,Old", ",,").replace("https://img.example/side.jpg", "");
    assert_eq!(counts(&import(&shop, Format::Shopify, &none).await), [0, 1, 0, 0]);
    assert_eq!(images(&shop).await, "Uploaded");
    assert_eq!(counts(&import(&shop, Format::SoukCsv, "sku,images\nMUG-1,\n").await), [0, 1, 0, 0]);
    assert_eq!(images(&shop).await, "");
}

#[tokio::test]
async fn renamed_options_and_groups_are_renamed() {
    let shop = Shop::new().await;
    let group = "SELECT concat_ws(' ', g.name, g.varies_by, (SELECT string_agg(concat_ws(' ', sku, option_values), ' ' ORDER BY sku)
                     FROM products WHERE group_id = g.id)) FROM product_groups g";
    let ids = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM products";
    import(&shop, Format::Shopify, OPTION_RENAMED).await;
    assert_eq!(
        shop.database.scalar(group).await,
        "Tee {Size} TEE-L {L} TEE-M {M}".replace("TEE-L {L} TEE-M {M}", "TEE-M {M} TEE-S {S}")
    );
    let before = shop.database.scalar(ids).await;
    // Only rejected rows show the new name: it stays.
    let renamed = OPTION_RENAMED.replace("Size", "Tee size");
    let bad = renamed.replace("9.00", "nine");
    assert_eq!(counts(&import(&shop, Format::Shopify, &bad).await), [0, 0, 0, 2]);
    assert_eq!(shop.database.scalar(group).await, "Tee {Size} TEE-M {M} TEE-S {S}");
    let more = format!("{renamed}tee,,,,,,,,L,TEE-L,shopify,5,deny,9.00,,,,,\n");
    let dry = ImportOptions { is_dry_run: true, ..options(Resource::Products, Format::Shopify) };
    assert_eq!(counts(&shop.run(&dry, Cursor::new(more.clone()), None).await.unwrap()), [1, 2, 0, 0]);
    assert_eq!(shop.database.scalar(group).await, "Tee {Size} TEE-M {M} TEE-S {S}");
    for expected in [[1, 2, 0, 0], [0, 0, 3, 0]] {
        let report = import(&shop, Format::Shopify, &more).await;
        assert_eq!(counts(&report), expected, "{report:?}");
        assert_eq!(shop.database.scalar(group).await, "Tee {\"Tee size\"} TEE-L {L} TEE-M {M} TEE-S {S}");
    }
    assert!(shop.database.scalar(ids).await.starts_with(&before));
    // The title of the product is the name of the group.
    import(&shop, Format::Shopify, &more.replace(",Tee,", ",Shirt,")).await;
    assert!(shop.database.scalar(group).await.starts_with("Shirt {"));
    // A row with other values is not about a renamed option.
    let other = "sku,group,options\nTEE-S,tee,Color=Red\nTEE-M,tee,Tee size=M; Cut=Slim\n";
    let report = shop.import_csv(Resource::Products, other).await;
    assert_eq!(counts(&report), [0, 0, 0, 2], "{report:?}");
    let file = "external_id,sku,name,price,group,options\n9,TEE-X,Tee,9,tee,Color=Red\n";
    assert_eq!(counts(&shop.import_csv(Resource::Products, file).await), [0, 0, 0, 1]);
    assert!(shop.database.scalar(group).await.starts_with("Shirt {\"Tee size\"}"));
}

#[tokio::test]
async fn html_entities_in_magento_files_are_decoded() {
    let shop = Shop::new().await;
    import(&shop, Format::Magento, MAGENTO_TRADE).await;
    let product = "SELECT concat_ws('|', name, slug, description) FROM products";
    assert_eq!(shop.database.scalar(product).await, "Nova™ Café Pullover & Cap|novatm-cafe-pullover-cap|Nova™");
    let file = "sku,product_type,categories,name,price,qty,url_key,configurable_variations,configurable_variation_labels\n\
                P,configurable,,Cap &amp; Co,,,cap,\"sku=P-1,climate=Cool|Indoor,fit=Caf&eacute;|sku=P-2,climate=Hot,fit=Slim\",\"climate=Climate &amp; use,fit=Fit\"\n\
                P-1,simple,Default Category/Caps &amp; Hats/Caf&eacute;,Cap,5.00,1,,,\n\
                P-2,simple,Default Category/Uncategorized,Cap,5.00,1,,,\n";
    let report = import(&shop, Format::Magento, file).await;
    assert_eq!(counts(&report), [2, 0, 0, 0], "{report:?}");
    let group = "SELECT concat_ws(' ', name, varies_by) FROM product_groups";
    assert_eq!(shop.database.scalar(group).await, "Cap & Co {\"Climate & use\",Fit}");
    let values = "SELECT string_agg(option_values::text, ' ' ORDER BY sku) FROM products WHERE sku LIKE 'P-_'";
    assert_eq!(shop.database.scalar(values).await, "{Cool|Indoor,Café} {Hot,Slim}");
    let categories = "SELECT string_agg(name, ', ' ORDER BY id) FROM categories";
    assert_eq!(shop.database.scalar(categories).await, "Tops, Caps & Hats, Café");
}

#[tokio::test]
async fn uncategorized_is_no_category() {
    let shop = Shop::new().await;
    let files = [
        (
            Format::WooCommerce,
            "ID,Type,SKU,Name,Regular price,Categories\n1,simple,W1,Lamp,1,Uncategorized\n2,simple,W2,Lamp,1,\"Uncategorized, Light > Lamps\"\n",
        ),
        (
            Format::Shopify,
            "Handle,Title,Product Category,Type,Variant SKU,Variant Price\na,Lamp,Uncategorized,,S1,1\nb,Lamp,Uncategorized,Lamps,S2,1\n",
        ),
    ];
    for (format, file) in files {
        assert_eq!(counts(&import(&shop, format, file).await), [2, 0, 0, 0]);
    }
    let categories = "SELECT string_agg(concat_ws(' ', p.sku, c.name), ', ' ORDER BY p.sku) FROM products p LEFT JOIN categories c ON c.id = p.category_id";
    assert_eq!(shop.database.scalar(categories).await, "S1, S2 Lamps, W1, W2 Lamps");
    assert_eq!(shop.database.scalar("SELECT count(*) FROM categories WHERE name ILIKE 'uncat%'").await, "0");
}

#[tokio::test]
async fn image_addresses_without_a_server_leave_the_images_alone() {
    let shop = Shop::new().await;
    let file = "sku,product_type,name,price,base_image\nM-1,simple,Mug,9.00,/m/u/mug.jpg\n";
    let mut with_base = options(Resource::Products, Format::Magento);
    with_base.shop_options.image_base_url = Some("https://shop.example/media".into());
    shop.run(&with_base, Cursor::new(file), None).await.unwrap();
    assert_eq!(images(&shop).await, "media");
    let report = import(&shop, Format::Magento, file).await;
    assert_eq!(counts(&report), [0, 0, 1, 0], "{report:?}");
    assert_eq!(report.notes.get("images without a web address"), Some(&1));
    assert_eq!(images(&shop).await, "media");
    assert_eq!(counts(&import(&shop, Format::Magento, &file.replace("/m/u/mug.jpg", "")).await), [0, 1, 0, 0]);
    assert_eq!(images(&shop).await, "");
}

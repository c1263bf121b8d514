//! Files of other shop systems are read as products; invalid lines are reported with line and column.

use std::collections::BTreeMap;
use std::io::{self, Read};

use chrono::NaiveDate;
use proptest::prelude::*;
use souk::error::Error;
use souk::money::Currency;
use souk::transfers::formats::csv_reader::{CsvReader, MAX_LINE};
use souk::transfers::formats::{self, Options, ProductRows, Shop, amounts::DecimalSeparator, decode::Encoding};
use souk::transfers::record::{ProductRecord, Row};

const SHOPIFY: &str = include_str!("../data/shopify.csv");
const SHOPIFY_2025: &str = include_str!("../data/shopify_2025.csv");
const WOOCOMMERCE: &str = include_str!("../data/woocommerce.csv");
const MAGENTO: &str = include_str!("../data/magento.csv");

fn options() -> Options {
    Options { today: NaiveDate::from_ymd_opt(2025, 6, 1).unwrap(), ..Options::default() }
}

struct Outcome {
    products: BTreeMap<String, ProductRecord>,
    refused: Vec<(u64, String)>,
    notes: BTreeMap<String, u64>,
    rows: Vec<Row<ProductRecord>>,
    header: Vec<String>,
    delimiter: u8,
}

fn read(shop: Shop, file: impl AsRef<[u8]>) -> Outcome {
    read_with(shop, file, &options())
}

fn read_with(shop: Shop, file: impl AsRef<[u8]>, options: &Options) -> Outcome {
    let mut open = formats::open(shop, file.as_ref(), options).unwrap();
    let rows: Vec<Row<ProductRecord>> = open.by_ref().map(Result::unwrap).collect();
    let (mut products, mut refused) = (BTreeMap::new(), Vec::new());
    for row in &rows {
        match &row.record {
            Ok(record) => assert!(products.insert(record.sku.clone(), record.clone()).is_none(), "{}", record.sku),
            Err(fault) => {
                refused.push((row.line, format!("{}: {}", fault.column.as_deref().unwrap_or("-"), fault.message)));
            }
        }
    }
    let (header, delimiter) = (open.header().to_vec(), open.delimiter());
    Outcome { products, refused, notes: open.notes().snapshot(), rows, header, delimiter }
}

fn group(record: &ProductRecord) -> Option<(&str, &str, Vec<(&str, &str)>)> {
    let group = record.group.as_ref()?.as_ref()?;
    let options = group.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Some((&group.slug, &group.name, options))
}

fn urls(record: &ProductRecord) -> Vec<&str> {
    record.images.iter().flatten().map(|image| image.url.rsplit('/').next().unwrap()).collect()
}

fn money(amount: Option<rust_decimal::Decimal>) -> String {
    let euro = Currency::parse("EUR").unwrap();
    amount.map_or_else(|| "none".into(), |amount| euro.format(amount))
}

fn assert_rejected(refused: &[(u64, String)], expected: &[(u64, &str)]) {
    assert_eq!(refused.len(), expected.len(), "{refused:#?}");
    for ((line, message), (expected_line, part)) in refused.iter().zip(expected) {
        assert!(line == expected_line && message.contains(part), "line {line}: {message}, expected {part}");
    }
}

fn category(record: &ProductRecord) -> String {
    record.category.clone().flatten().unwrap_or_default().join(" > ")
}

#[test]
fn shopify_variants_become_products_of_a_group() {
    let Outcome { products, refused, notes, .. } = read(Shop::Shopify, SHOPIFY);
    let small = &products["HJ-S-NVY"];
    assert_eq!(small.name.as_deref(), Some("Harbour Jumper"));
    assert_eq!(small.external_id.as_deref(), Some("harbour-jumper?S/Navy"));
    assert_eq!(small.slug.as_deref(), Some("harbour-jumper-s-navy"));
    let options = vec![("Size", "S"), ("Colour", "Navy")];
    assert_eq!(group(small), Some(("harbour-jumper", "Harbour Jumper", options)));
    assert_eq!(small.variant, Some(Some("S / Navy".into())));
    let text = "Knitted from undyed wool.\n\n- Ribbed cuffs\n- Wash by hand & dry flat";
    assert_eq!(small.description.as_deref(), Some(text));
    assert_eq!(category(small), "Apparel & Accessories > Clothing > Tops");
    assert_eq!(small.brand, Some(Some("North Quay".into())));
    assert_eq!(money(small.price), "89.00");
    assert_eq!(money(small.compare_at_price.flatten()), "110.00");
    assert_eq!(money(small.cost_price.flatten()), "41.50");
    assert_eq!(small.barcode, Some(Some("0501234567899".into())));
    assert_eq!((small.stock, small.is_active), (Some(12), Some(true)));
    // The variant's own image, then the images that belong to no variant.
    assert_eq!(urls(small), ["jumper-navy.jpg?v=1", "jumper-front.jpg?v=1"]);
    assert_eq!(small.images.as_ref().unwrap()[1].alt.as_deref(), Some("Front of the jumper"));
    let sand = &products["HJ-S-SND"];
    assert_eq!(urls(sand), ["jumper-sand.jpg?v=1", "jumper-front.jpg?v=1"]);
    assert_eq!((sand.compare_at_price, &sand.description), (Some(None), &small.description));
    // No SKU of its own, and a compare-at price that is not above the price.
    let medium =
        products.values().find(|record| record.external_id.as_deref() == Some("harbour-jumper?M/Navy")).unwrap();
    assert_eq!((medium.sku.as_str(), medium.compare_at_price), ("HARBOUR-JUMPER-M-NAVY", Some(None)));
    assert_eq!(urls(medium), ["jumper-front.jpg?v=1"]);
    let mug = &products["MUG-350"];
    assert_eq!((&mug.group, &mug.variant), (&Some(None), &Some(None)));
    assert_eq!((mug.stock, mug.is_active), (None, Some(false)));
    assert_eq!((category(mug), mug.external_id.as_deref()), ("Mugs".into(), Some("tin-mug")));
    // The importer rejects the second of two equal variants, unless the first one is rejected.
    assert_eq!(products.keys().len(), 6);
    let expected = [(7, "gift cards"), (8, "Variant Inventory Qty: \"1.5\" is not")];
    assert_rejected(&refused, &expected);
    assert_eq!(notes["variants whose missing SKU was derived from handle and options"], 1);
}

#[test]
fn shopify_2025_column_names_are_supported() {
    let Outcome { products, refused, notes, .. } = read(Shop::Shopify, SHOPIFY_2025);
    assert_rejected(&refused, &[]);
    let (oak, ash, oil) = (&products["DECK-OAK"], &products["DECK-ASH"], &products["OIL-1"]);
    assert_eq!(group(ash), Some(("deck-chair", "Deck Chair", vec![("Wood", "Ash")])));
    assert_eq!((money(ash.price), money(ash.compare_at_price.flatten())), ("59.00".into(), "64.00".into()));
    assert_eq!((urls(oak), oak.is_active, oak.stock), (vec!["deck-oak.jpg"], Some(true), Some(7)));
    assert_eq!((oil.is_active, oil.stock, group(oil)), (Some(false), None, None));
    assert_eq!(notes["images without a web address"], 1);
}

/// Returns a rejects file with these rows and the lines that they depend on.
fn rejects(file: &Outcome, rows: &[&Row<ProductRecord>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(file.delimiter).from_writer(Vec::new());
    writer.write_record(file.header.iter().map(String::as_str).chain(["line", "reason"])).unwrap();
    let context = rows.iter().flat_map(|row| row.context.iter()).map(|line| (line.line, &line.fields));
    let lines: BTreeMap<u64, _> = context.chain(rows.iter().map(|row| (row.line, &row.fields))).collect();
    for (line, fields) in lines {
        writer.write_byte_record(&fields.iter().chain([line.to_string().as_bytes(), b"because"]).collect()).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn rejected_variants_can_be_imported_again() {
    for (shop, file, skus, context) in [
        (Shop::Shopify, SHOPIFY, ["HJ-S-SND", "HARBOUR-JUMPER-M-NAVY"], 3),
        (Shop::WooCommerce, WOOCOMMERCE, ["TEE-S", "WC-12"], 2),
        (Shop::Magento, MAGENTO, ["BOOT-41", "BOOT-42"], 1),
    ] {
        let rows = read(shop, file);
        let again: Vec<&Row<ProductRecord>> = rows
            .rows
            .iter()
            .filter(|row| matches!(&row.record, Ok(record) if skus.contains(&record.sku.as_str())))
            .collect();
        assert!(again.iter().all(|row| row.context.len() == context), "{shop:?}");
        let second = read(shop, rejects(&rows, &again));
        assert_rejected(&second.refused, &[]);
        skus.iter().for_each(|sku| assert_eq!(second.products[*sku], rows.products[*sku]));
    }
}

#[test]
fn woocommerce_variations_inherit_from_their_parent() {
    let Outcome { products, refused, notes, .. } = read(Shop::WooCommerce, WOOCOMMERCE);
    let small = &products["TEE-S"];
    assert_eq!(small.name.as_deref(), Some("Dock Tee"));
    assert_eq!(small.external_id.as_deref(), Some("11"));
    assert_eq!(group(small), Some(("dock-tee-10", "Dock Tee", vec![("Size", "S")])));
    assert_eq!(small.description.as_deref(), Some("Soft cotton.\nDyed in small lots.\n\n- Unisex"));
    assert_eq!((category(small), &small.brand), ("Clothing > Tees".into(), &Some(Some("North Quay".into()))));
    assert_eq!((small.stock, small.low_stock_threshold, small.is_active), (Some(4), Some(2), Some(true)));
    assert_eq!((money(small.price), small.compare_at_price), ("19.00".into(), Some(None)));
    assert_eq!(urls(small), ["tee-s.jpg", "tee.jpg", "tee-back.jpg"]);
    let large = &products["WC-12"];
    assert_eq!((large.description.as_deref(), large.stock), (Some("Cut wider."), None));
    assert_eq!((money(large.price), money(large.compare_at_price.flatten())), ("15.00".into(), "19.00".into()));
    let course = &products["COURSE"];
    assert_eq!(course.name.as_deref(), Some("Knots & Splices"));
    assert_eq!(course.barcode, Some(Some("4006381333931".into())));
    // The sale has ended.
    assert_eq!((money(course.price), course.compare_at_price), ("1250.00".into(), Some(None)));
    assert_eq!((course.is_active, course.description.as_deref()), (Some(false), Some("A course.")));
    let hook = &products["HOOK"];
    assert_eq!((hook.stock, hook.is_active, urls(hook).len()), (Some(1000), Some(false), 0));
    assert_rejected(&refused, &[(6, "\"grouped\""), (7, "Parent: the file has no variable product \"GONE\"")]);
    assert_eq!(notes["variable products, imported as groups"], 1);
    assert_eq!(notes["products whose missing SKU was derived from their ID"], 1);
}

#[test]
fn magento_products_get_their_group_from_a_later_line() {
    let base = Some("https://shop.example/media/catalog/product".into());
    let read = read_with(Shop::Magento, MAGENTO, &Options { image_base_url: base, ..options() });
    let kettle = &read.products["KETTLE-1"];
    assert_eq!((kettle.name.as_deref(), kettle.slug.as_deref()), (Some("Camp Kettle"), Some("camp-kettle")));
    assert_eq!(kettle.description.as_deref(), Some("Boils fast.\n\nHolds 1 l."));
    assert_eq!(category(kettle), "Kitchen > Kettles, pots");
    assert_eq!(
        (&kettle.brand, &kettle.barcode),
        (&Some(Some("Peak & Pot".into())), &Some(Some("4006381333931".into())))
    );
    assert_eq!((money(kettle.price), money(kettle.compare_at_price.flatten())), ("29.90".into(), "34.90".into()));
    assert_eq!((kettle.stock, kettle.low_stock_threshold, kettle.is_active), (Some(25), Some(3), Some(true)));
    assert_eq!(urls(kettle), ["kettle.jpg", "kettle_2.jpg"]);
    assert_eq!(kettle.images.as_ref().unwrap()[1].url, "https://shop.example/media/catalog/product/k/e/kettle_2.jpg");
    assert_eq!(kettle.images.as_ref().unwrap()[1].alt.as_deref(), Some("Open lid"));
    let (brown, black) = (&read.products["BOOT-41"], &read.products["BOOT-42"]);
    let options = vec![("Shoe size", "41"), ("leather", "Brown, oiled")];
    assert_eq!(group(brown), Some(("dock-boot", "Dock Boot", options)));
    assert_eq!((brown.is_active, black.is_active, black.stock), (Some(true), Some(false), None));
    assert_eq!((read.products["LACE"].is_active, group(&read.products["LACE"])), (Some(false), None));
    assert_rejected(&read.refused, &[(8, "\"bundle\"")]);
    assert_eq!(read.notes["lines of store views (translations)"], 1);
    assert_eq!(read.notes["additional categories of products"], 1);
}

#[test]
fn files_saved_by_a_spreadsheet_are_supported() {
    let semicolons = |text: &str| {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut writer =
            csv::WriterBuilder::new().delimiter(b';').terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        for record in reader.records().map(Result::unwrap) {
            let padded = |cell: &str| if cell.len() < 20 { format!(" {cell} ") } else { cell.to_owned() };
            writer.write_record(record.iter().map(padded)).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    };
    let plain = read(Shop::Shopify, SHOPIFY);
    let text = semicolons(SHOPIFY);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (what, file) in [
        ("semicolons, CR LF, spaces", text.clone().into_bytes()),
        ("a separator line for Excel", format!("sep=;\r\n{text}").into_bytes()),
        ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("UTF-16", utf16),
        ("capitals in the header", text.replacen("Variant SKU", "VARIANT  sku", 1).into_bytes()),
        ("empty lines", format!("{text};;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;\r\n\r\n").into_bytes()),
    ] {
        assert_eq!(read(Shop::Shopify, file).products, plain.products, "{what}");
    }
}

#[test]
fn amount_format_is_detected_from_the_whole_file() {
    let file = |prices: [&str; 3]| {
        let lines = (1..).zip(prices).map(|(i, price)| format!("{i};simple;S{i};Thing {i};\"{price}\""));
        ["ID;Type;SKU;Name;Regular price".to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
    };
    for (prices, decimals, expected) in [
        (["1.234", "5,50 €", "7"], None, [Some("1234.00"), Some("5.50"), Some("7.00")]),
        (["1,234", "$5.50", "7"], None, [Some("1234.00"), Some("5.50"), Some("7.00")]),
        (["1.234", "5", "7"], None, [None, Some("5.00"), Some("7.00")]),
        (["1.234", "5", "7"], Some(DecimalSeparator::Comma), [Some("1234.00"), Some("5.00"), Some("7.00")]),
        (["1.234", "5,50", "5.50"], None, [None, Some("5.50"), Some("5.50")]),
        (["-1,00", "free", "1e3"], None, [None, None, None]),
    ] {
        let options = Options { decimal_separator: decimals, ..options() };
        let read = read_with(Shop::WooCommerce, file(prices), &options);
        for (i, expected) in (1..).zip(expected) {
            let price = read.products.get(&format!("S{i}")).map(|record| money(record.price));
            assert_eq!(price.as_deref(), expected, "{prices:?}");
        }
        assert!(read.refused.iter().all(|(_, message)| message.starts_with("Regular price: ")), "{:?}", read.refused);
    }
}

#[test]
fn file_of_another_format_is_rejected_as_a_whole() {
    for (shop, file, part) in [
        (Shop::Shopify, "", "empty"),
        (Shop::Shopify, WOOCOMMERCE, "no column \"title\""),
        (Shop::WooCommerce, SHOPIFY, "no column \"type\""),
        (Shop::WooCommerce, "ID;Typ;Artikelnummer;Name\n1;simple;A;B\n", "English"),
        (Shop::Magento, SHOPIFY, "no column \"sku\""),
        (Shop::Magento, "PK\u{3}\u{4}", "spreadsheet"),
    ] {
        let file = if shop == Shop::WooCommerce && file == SHOPIFY { "Handle,Title\n" } else { file };
        match formats::open(shop, file.as_bytes(), &options()) {
            Err(error @ Error::User(_)) => assert!(error.to_string().contains(part), "{error}"),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("accepted as {shop:?}"),
        }
    }
}

#[test]
fn invalid_line_does_not_affect_others() {
    let mut file =
        b"ID,Type,SKU,Name,Regular price,Stock\n1,simple,A,One,1.00,1\n2,simple,B\n3,simple,C,Caf\xe9,1.00,1\n"
            .to_vec();
    file.extend(b"4,simple,D,\"");
    file.extend(std::iter::repeat_n(b'x', 2 * MAX_LINE));
    file.extend(
        b"\",1.00,1\n5,simple,E,Five,1.00,1.5\n6,simple,4.00638E+12,Six,1.00,1\n7,simple,G,Seven,1.00,=\"07\"\n",
    );
    let western = Options { encoding: Encoding::Windows1252, ..options() };
    let expected = [
        (3, "columns"),
        (4, "Name: the text is not UTF-8"),
        (5, "longer than 4 MB"),
        (6, "Stock"),
        (7, "SKU: a spreadsheet"),
    ];
    let read = read(Shop::WooCommerce, &file);
    assert_rejected(&read.refused, &expected);
    assert_eq!(read.products.keys().collect::<Vec<_>>(), ["A", "G"]);
    assert_eq!(read.products["G"].stock, Some(7));
    assert_eq!(read_with(Shop::WooCommerce, &file, &western).products["C"].name.as_deref(), Some("Café"));
}

/// A reader that repeats the same lines endlessly.
struct EndlessReader {
    piece: Vec<u8>,
    at: usize,
    left: usize,
}

impl Read for EndlessReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.piece.len() - self.at).min(self.left);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at = (self.at + count) % self.piece.len();
        self.left -= count;
        Ok(count)
    }
}

#[test]
fn endless_input_is_truncated_and_reported() {
    let long = "long ".repeat(200_000);
    let line = format!("endless,Endless,{long},Length,x,1.00\n");
    let lines = EndlessReader { piece: line.clone().into_bytes(), at: 0, left: line.len() * 12 };
    let header = "Handle,Title,Tags,Option1 Name,Option1 Value,Variant Price\n";
    let rows: Vec<_> = formats::open(Shop::Shopify, header.as_bytes().chain(lines), &options()).unwrap().collect();
    let refused = rows.iter().filter_map(|row| row.as_ref().unwrap().record.as_ref().err());
    assert_eq!((rows.len(), refused.clone().count()), (5, 4), "one variant, repeated twelve times");
    refused.for_each(|fault| assert!(fault.message.contains("16 MB"), "{}", fault.message));

    let variable = format!("1,variable,A,Tee,{long}\n");
    let lines = EndlessReader { piece: variable.clone().into_bytes(), at: 0, left: variable.len() * 100 };
    let Err(error) = formats::open(Shop::WooCommerce, b"ID,Type,SKU,Name,Tags\n".chain(lines), &options()) else {
        panic!("100 MB of variable products were accepted");
    };
    assert!(error.to_string().contains("Split the file"), "{error}");
}

fn drain(products: Result<ProductRows, Error>) {
    products.into_iter().flatten().for_each(|row| drop(row.unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_crash_a_reader(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), at in 0..10_000_usize) {
        for (shop, sample) in [(Shop::Shopify, SHOPIFY), (Shop::WooCommerce, WOOCOMMERCE), (Shop::Magento, MAGENTO)] {
            drain(formats::open(shop, bytes.as_slice(), &options()));
            // In the middle of a valid file, after its header.
            let mut file = sample.as_bytes().to_vec();
            let at = at % file.len();
            file.splice(at..(at + bytes.len() / 50).min(file.len()), bytes.iter().copied().take(200));
            drain(formats::open(shop, file.as_slice(), &options()));
        }
        let mut table = CsvReader::open(bytes.as_slice(), Encoding::Windows1252);
        while let Ok(Some(line)) = table.as_mut().map_or(Ok(None), CsvReader::next_line) {
            prop_assert!(line.line >= 1);
        }
    }

    #[test]
    fn arbitrary_cells_do_not_crash_a_reader(cells in proptest::collection::vec("[\\PC\\s]{0,20}|[0-9.,' -]{0,8}|<[a-z/!-]{0,6}>?", 41)) {
        for (shop, sample) in [(Shop::Shopify, SHOPIFY), (Shop::WooCommerce, WOOCOMMERCE), (Shop::Magento, MAGENTO)] {
            let header = sample.trim_start_matches('\u{feff}').lines().next().unwrap();
            let delimiter = if shop == Shop::WooCommerce { b';' } else { b',' };
            let width = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(header.as_bytes()).headers().unwrap().len();
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            for row in 0..4 {
                writer.write_record((0..width).map(|i| cells[(i + row * 7) % cells.len()].as_str())).unwrap();
            }
            let file = [header.as_bytes(), b"\n", &writer.into_inner().unwrap()].concat();
            drain(formats::open(shop, file.as_slice(), &options()));
        }
    }
}

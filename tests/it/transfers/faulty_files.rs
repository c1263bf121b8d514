//! Files of products with random faults, in the formats that can be imported.
//! Rule: without its faults each file is valid, and a fault rejects its line or lines that depend on it.

use std::collections::HashMap;

use csv::StringRecord;
use proptest::{collection::vec, option, prelude::*};
use souk::transfers::model::Format;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The price is not a number.
    Price,
    /// The price of a new product is missing.
    NoPrice,
    /// The SKU is too long.
    LongSku,
    /// An earlier product has the SKU.
    TwinSku,
    /// The line has a column too many.
    Columns,
}

#[derive(Debug, Clone)]
struct Variant {
    cents: u32,
    stock: u32,
    fault: Option<Fault>,
    /// Whether it names a value for the second option, where the format can leave it out.
    has_second_option: bool,
}

/// A fault in the line of a variable or configurable product.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ParentFault {
    /// The line has a column too many.
    Columns,
    /// The line ends before the variants of a configurable product.
    CutOff,
    /// The type of a configurable product is misspelled.
    Kind,
    /// The type of a configurable product is missing.
    NoKind,
}

/// A product of one or more variants.
#[derive(Debug, Clone)]
pub(super) struct Product {
    variants: Vec<Variant>,
    images: usize,
    parent_fault: Option<ParentFault>,
}

/// Products with random faults.
pub(super) fn products() -> impl Strategy<Value = Vec<Product>> {
    use Fault::{Columns, LongSku, NoPrice, Price, TwinSku};
    let fault = prop::sample::select(vec![Price, NoPrice, LongSku, TwinSku, Columns]);
    let variant = (100..9_999u32, 0..20u32, option::weighted(0.35, fault), any::<bool>());
    let variant =
        variant.prop_map(|(cents, stock, fault, has_second_option)| Variant { cents, stock, fault, has_second_option });
    let parent_fault =
        prop::sample::select(vec![ParentFault::Columns, ParentFault::CutOff, ParentFault::Kind, ParentFault::NoKind]);
    let product = (vec(variant, 1..5), 0..3usize, option::weighted(0.25, parent_fault));
    vec(product.prop_map(|(variants, images, parent_fault)| Product { variants, images, parent_fault }), 1..6)
}

/// The number of columns of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Right,
    /// The line has a column too many.
    TooLong,
    /// The line ends after this number of columns.
    CutOff(usize),
}

impl From<bool> for Shape {
    fn from(is_too_long: bool) -> Self {
        if is_too_long { Self::TooLong } else { Self::Right }
    }
}

/// A line of a file: its cells by column.
struct Line(HashMap<&'static str, String>, Shape);

/// A file of products.
pub(super) struct File {
    columns: &'static [&'static str],
    lines: Vec<Line>,
    /// SKU of an earlier product without a fault.
    twin: Option<String>,
    is_faulty: bool,
}

impl File {
    fn add(&mut self, shape: impl Into<Shape>, cells: &[(&'static str, String)]) {
        let shape = if self.is_faulty { shape.into() } else { Shape::Right };
        self.lines.push(Line(cells.iter().cloned().collect(), shape));
    }

    /// Returns SKU, price, and whether the line of a variant has a column too many.
    fn variant(&mut self, sku: String, variant: &Variant) -> (String, String, bool) {
        let price = format!("{}.{:02}", variant.cents / 100, variant.cents % 100);
        let fault = match variant.fault.filter(|_| self.is_faulty) {
            Some(Fault::TwinSku) if self.twin.is_none() => Some(Fault::Price),
            fault => fault,
        };
        match fault {
            Some(Fault::Price) => (sku, "free".to_owned(), false),
            Some(Fault::NoPrice) => (sku, String::new(), false),
            Some(Fault::LongSku) => (sku.repeat(100), price, false),
            Some(Fault::TwinSku) => (self.twin.clone().unwrap_or_default(), price, false),
            Some(Fault::Columns) => (sku, price, true),
            None => (sku, price, false),
        }
    }

    /// Returns the header and the lines.
    pub(super) fn records(&self) -> Vec<StringRecord> {
        let record = |Line(cells, shape): &Line| {
            let mut record: StringRecord =
                self.columns.iter().map(|column| cells.get(column).map_or("", String::as_str)).collect();
            match shape {
                Shape::Right => {}
                Shape::TooLong => record.push_field("extra"),
                Shape::CutOff(width) => record.truncate(*width),
            }
            record
        };
        [StringRecord::from(self.columns.to_vec())].into_iter().chain(self.lines.iter().map(record)).collect()
    }
}

fn image(product: usize, number: usize) -> String {
    format!("https://img.example/{product}-{number}.jpg")
}

const SHOPIFY: &[&str] = &[
    "Handle",
    "Title",
    "Vendor",
    "Type",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Variant SKU",
    "Variant Inventory Qty",
    "Variant Price",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "Variant Image",
    "Tags",
    "Variant Grams",
    "SEO Title",
];

fn shopify(file: &mut File, at: usize, product: &Product) {
    let is_single = product.variants.len() == 1;
    for (number, variant) in product.variants.iter().enumerate() {
        let (sku, price, is_bad) = file.variant(format!("P{at}-{number}"), variant);
        let mut cells = vec![
            ("Handle", format!("item-{at}")),
            ("Option1 Value", if is_single { "Default Title".to_owned() } else { format!("S{number}") }),
            ("Variant SKU", sku),
            ("Variant Inventory Qty", variant.stock.to_string()),
            ("Variant Price", price),
            ("Variant Grams", (variant.stock * 10).to_string()),
        ];
        if number == 0 {
            cells.extend([("Tags", format!("tag {at}, wool")), ("SEO Title", format!("Buy item {at}"))]);
            cells.extend([
                ("Title", format!("Item {at}")),
                ("Vendor", "Ada".to_owned()),
                ("Type", format!("Type {}", at % 2)),
                ("Option1 Name", if is_single { "Title" } else { "Size" }.to_owned()),
                ("Option2 Name", if is_single { "" } else { "Color" }.to_owned()),
            ]);
        }
        if !is_single {
            cells.push(("Option2 Value", if variant.has_second_option { "Red" } else { "Blue" }.to_owned()));
        }
        // A line lists any image of the product; a variant has the image of its number.
        if number < product.images {
            cells.push(("Variant Image", image(at, number)));
            cells.push(("Image Src", image(at, (number + 1) % product.images)));
            cells.push(("Image Position", (number + 1).to_string()));
            cells.push(("Image Alt Text", format!("Side {number}")));
        }
        file.add(is_bad, &cells);
    }
    let shared = [("Handle", format!("item-{at}")), ("Image Src", image(at, 9)), ("Image Position", "9".to_owned())];
    file.add(product.parent_fault.is_some(), &shared);
}

const WOOCOMMERCE: &[&str] = &[
    "ID",
    "Type",
    "SKU",
    "Name",
    "Regular price",
    "Stock",
    "Categories",
    "Brands",
    "Images",
    "Parent",
    "Attribute 1 name",
    "Attribute 1 value(s)",
    "Attribute 2 name",
    "Attribute 2 value(s)",
    "Tags",
    "Weight (kg)",
    "Meta: _yoast_wpseo_title",
];

fn woocommerce(file: &mut File, at: usize, product: &Product) {
    let is_single = product.variants.len() == 1;
    let images = (0..product.images).map(|number| image(at, number)).collect::<Vec<_>>().join(", ");
    let parent = [
        ("ID", (at * 100 + 99).to_string()),
        ("Type", "variable".to_owned()),
        ("SKU", format!("P{at}")),
        ("Name", format!("Item {at}")),
        ("Categories", format!("Type {}", at % 2)),
        ("Brands", "Ada".to_owned()),
        ("Images", images.clone()),
        ("Attribute 1 name", "Size".to_owned()),
        ("Attribute 1 value(s)", "S0, S1, S2, S3".to_owned()),
        ("Tags", format!("tag {at}, wool")),
        ("Weight (kg)", "0.75".to_owned()),
        ("Meta: _yoast_wpseo_title", format!("Buy item {at}")),
    ];
    let is_first = at.is_multiple_of(2);
    if !is_single && is_first {
        file.add(product.parent_fault.is_some(), &parent);
    }
    for (number, variant) in product.variants.iter().enumerate() {
        let (sku, price, is_bad) = file.variant(format!("P{at}-{number}"), variant);
        let mut cells = vec![
            ("ID", (at * 100 + number).to_string()),
            ("Type", if is_single { "simple" } else { "variation" }.to_owned()),
            ("SKU", sku),
            ("Name", format!("Item {at}")),
            ("Regular price", price),
            ("Stock", variant.stock.to_string()),
        ];
        if variant.has_second_option {
            cells.extend([("Tags", "own".to_owned()), ("Weight (kg)", format!("{}.5", variant.stock))]);
        }
        if is_single {
            cells.push(("Images", images.clone()));
        } else {
            let key = if is_first { format!("P{at}") } else { format!("id:{}", at * 100 + 99) };
            cells.extend([("Parent", key), ("Attribute 1 name", "Size".to_owned())]);
            cells.push(("Attribute 1 value(s)", format!("S{number}")));
            if number == 0 || variant.has_second_option {
                cells.extend([("Attribute 2 name", "Color".to_owned()), ("Attribute 2 value(s)", "Red".to_owned())]);
            }
        }
        // The options of a group are the attributes that its readable variations name: the first one names all.
        file.add(is_bad && number > 0, &cells);
    }
    if !is_single && !is_first {
        file.add(product.parent_fault.is_some(), &parent);
    }
}

const MAGENTO: &[&str] = &[
    "sku",
    "product_type",
    "categories",
    "name",
    "price",
    "qty",
    "url_key",
    "visibility",
    "base_image",
    "additional_images",
    "configurable_variations",
    "weight",
    "meta_title",
    "additional_attributes",
];

fn magento(file: &mut File, at: usize, product: &Product) {
    let is_single = product.variants.len() == 1;
    let listed: Vec<String> = (0..product.variants.len())
        .map(|number| format!("sku=P{at}-{number},size=S{number},climate=Cool|Indoor"))
        .collect();
    let fault = product.parent_fault.filter(|_| file.is_faulty);
    let kind = match fault {
        Some(ParentFault::Kind) => "configurabel",
        Some(ParentFault::NoKind) => "",
        _ => "configurable",
    };
    let shape = match fault {
        Some(ParentFault::Columns) => Shape::TooLong,
        Some(ParentFault::CutOff) => Shape::CutOff(10),
        _ => Shape::Right,
    };
    let parent = [
        ("sku", format!("P{at}")),
        ("product_type", kind.to_owned()),
        ("name", format!("Item &amp; {at}")),
        ("url_key", format!("item-{at}")),
        ("configurable_variations", listed.join("|")),
        ("meta_title", format!("Buy item {at}")),
        ("additional_attributes", format!("tags=tag {at}|wool")),
    ];
    let is_first = at.is_multiple_of(2);
    if !is_single && is_first {
        file.add(shape, &parent);
    }
    for (number, variant) in product.variants.iter().enumerate() {
        let (sku, price, is_bad) = file.variant(format!("P{at}-{number}"), variant);
        let cells = [
            ("sku", sku),
            ("product_type", "simple".to_owned()),
            ("categories", format!("Default Category/Type {}", at % 2)),
            ("name", format!("Item &amp; {at}")),
            ("price", price),
            ("qty", variant.stock.to_string()),
            ("url_key", format!("item-{at}-{number}")),
            ("visibility", if is_single { "Catalog, Search" } else { "Not Visible Individually" }.to_owned()),
            ("base_image", if product.images > 0 { image(at, 0) } else { String::new() }),
            ("additional_images", if product.images > 1 { image(at, 1) } else { String::new() }),
            ("weight", format!("{}.2500", variant.stock)),
            ("meta_title", if variant.has_second_option { "Own title".to_owned() } else { String::new() }),
        ];
        file.add(is_bad, &cells);
    }
    if !is_single && !is_first {
        file.add(shape, &parent);
    }
}

const SOUK: &[&str] = &[
    "external_id",
    "sku",
    "name",
    "slug",
    "price",
    "stock",
    "category",
    "brand",
    "group",
    "group_name",
    "options",
    "images",
    "tags",
    "weight",
    "weight_unit",
    "seo_title",
];

fn souk(file: &mut File, at: usize, product: &Product) {
    for (number, variant) in product.variants.iter().enumerate() {
        let (sku, price, is_bad) = file.variant(format!("P{at}-{number}"), variant);
        let mut cells = vec![
            ("external_id", format!("{at}/{number}")),
            ("sku", sku),
            ("name", format!("Item {at}")),
            ("slug", format!("item-{at}-{number}")),
            ("price", price),
            ("stock", variant.stock.to_string()),
            ("category", format!("Home > Type {}", at % 2)),
            ("brand", "Ada".to_owned()),
            ("images", (0..product.images).map(|number| image(at, number) + " Side").collect::<Vec<_>>().join(" | ")),
            ("tags", format!("tag {at} | wool")),
            ("weight", format!("{}.25", variant.stock)),
            ("weight_unit", "oz".to_owned()),
            ("seo_title", format!("Buy item {at}")),
        ];
        if product.variants.len() > 1 {
            cells.extend([("group", format!("item-{at}")), ("group_name", format!("Item {at}"))]);
            cells.push(("options", format!("Size=S{number}; Color=Red")));
        }
        file.add(is_bad, &cells);
    }
}

/// Returns the file of these products, with their faults or without.
pub(super) fn file(format: Format, products: &[Product], is_faulty: bool) -> File {
    let (columns, add): (_, fn(&mut File, usize, &Product)) = match format {
        Format::Shopify => (SHOPIFY, shopify),
        Format::WooCommerce => (WOOCOMMERCE, woocommerce),
        Format::Magento => (MAGENTO, magento),
        _ => (SOUK, souk),
    };
    let mut file = File { columns, lines: Vec::new(), twin: None, is_faulty };
    for (at, product) in products.iter().enumerate() {
        add(&mut file, at, product);
        if product.parent_fault.is_none() && product.variants.iter().all(|variant| variant.fault.is_none()) {
            file.twin.get_or_insert_with(|| format!("P{at}-0"));
        }
    }
    file
}

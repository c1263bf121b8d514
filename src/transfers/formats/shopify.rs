//! Shopify's product CSV. Consecutive lines with the same handle are one product; each contains a variant, an image, or
//! both.
//! Rule: a variant becomes a product, and the variants of a handle become a group. The data of the first line applies
//! to all of them.

use std::collections::HashSet;

use super::{
    Options, Output, ShopParser,
    amounts::AmountParser,
    cells,
    csv_reader::{Column, Header, Line},
    html::to_text,
    inventory::ShopifyInventory,
    weights,
};
use crate::{
    error::Result,
    text::slugify,
    transfers::record::{Context, FileLine, GroupRecord, ImageRecord, ProductRecord, Rejection},
};

/// Maximum number of lines per product (Shopify allows 2,048 variants), and of bytes, where the first line counts once
/// per line.
const MAX_LINES: usize = 2_500;
const MAX_BYTES: usize = 16 * 1024 * 1024;
const MAX_EXTERNAL_ID: usize = 255;
/// Maximum length of a SKU that is derived from handle and options.
const MAX_DERIVED_SKU: usize = 100;

pub(super) struct Shopify {
    columns: Columns,
    amounts: AmountParser,
    /// The product whose lines are being read.
    handle: String,
    lines: Vec<Line>,
    bytes: usize,
}

/// The column names since 2025 are listed after the earlier ones.
struct Columns {
    handle: Column,
    title: Column,
    body: Column,
    vendor: Column,
    category: Column,
    kind: Column,
    published: Column,
    status: Column,
    gift_card: Column,
    options: [(Column, Column); 3],
    sku: Column,
    barcode: Column,
    price: Column,
    compare_at: Column,
    cost: Column,
    inventory: ShopifyInventory,
    image: Column,
    position: Column,
    alt: Column,
    variant_image: Column,
    tags: Column,
    grams: Column,
    weight_unit: Column,
    seo_title: Column,
    seo_description: Column,
}

impl Shopify {
    pub(super) fn new(header: &Header, options: &Options) -> Result<Self> {
        let option = |number: u8| {
            let names = [format!("option{number} name"), format!("option{number} value")];
            (header.find(&[&names[0]]), header.find(&[&names[1]]))
        };
        let columns = Columns {
            title: header.require(&["title"], "Is it a product CSV of Shopify?")?,
            handle: header.find(&["handle", "url handle"]),
            body: header.find(&["body (html)", "body html", "description"]),
            vendor: header.find(&["vendor"]),
            category: header.find(&["product category", "standard product type", "standardized product type"]),
            kind: header.find(&["type", "custom product type"]),
            published: header.find(&["published", "published on online store"]),
            status: header.find(&["status"]),
            gift_card: header.find(&["gift card"]),
            options: [option(1), option(2), option(3)],
            sku: header.find(&["variant sku", "sku"]),
            barcode: header.find(&["variant barcode", "barcode"]),
            price: header.find(&["variant price", "price"]),
            compare_at: header.find(&["variant compare at price", "compare-at price", "compare at price"]),
            cost: header.find(&["cost per item"]),
            inventory: ShopifyInventory::find(header),
            image: header.find(&["image src", "product image url"]),
            position: header.find(&["image position"]),
            alt: header.find(&["image alt text"]),
            variant_image: header.find(&["variant image", "variant image url"]),
            tags: header.find(&["tags"]),
            grams: header.find(&["variant grams", "weight value (grams)"]),
            weight_unit: header.find(&["variant weight unit", "weight unit for display"]),
            seo_title: header.find(&["seo title"]),
            seo_description: header.find(&["seo description"]),
        };
        let amounts = AmountParser::new(options.decimal_separator, options.digits);
        Ok(Self { columns, amounts, handle: String::new(), lines: Vec::new(), bytes: 0 })
    }

    fn finish_product(&mut self, out: &mut Output) {
        let lines = std::mem::take(&mut self.lines);
        let context: Context = match lines.as_slice() {
            [_] => Context::default(),
            lines => lines.iter().map(|line| FileLine { line: line.line, fields: line.fields.clone() }).collect(),
        };
        let (lines, broken): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.rejection.is_none());
        for Line { line, fields, rejection } in broken {
            rejection.into_iter().for_each(|rejection| out.push(line, fields.clone(), context.clone(), Err(rejection)));
        }
        let Some(head) = lines.first() else { return };
        let product = Product::new(self, head);
        let has_category = cells::is_category(&self.category(head));
        if has_category && !head.cell(&self.columns.kind).is_empty() {
            out.note("types of products that also have a category", 1);
        }
        let images = self.images(&lines, out);
        let variant_images: HashSet<&str> = lines.iter().map(|line| line.cell(&self.columns.variant_image)).collect();
        let (of_variants, shared): (Vec<_>, Vec<_>) =
            images.iter().flatten().cloned().partition(|image| variant_images.contains(image.url.as_str()));
        let mut variants: Vec<&Line> = lines.iter().filter(|line| self.is_variant(line)).collect();
        if variants.is_empty() {
            variants.push(head);
        }
        let mut seen: Vec<(Vec<&str>, &Line)> = Vec::new();
        for line in variants {
            let values: Vec<&str> = self.columns.options.iter().map(|(_, value)| line.cell(value)).collect();
            if seen.iter().any(|(others, other)| *others == values && self.is_same_variant(other, line)) {
                continue;
            }
            let record = match &product {
                Err(rejection) => Err(rejection.clone()),
                Ok(product) => self.variant(product, line).map(|record| {
                    // The variant's own image first, then the images of no variant.
                    let url = line.cell(&self.columns.variant_image);
                    let own = of_variants.iter().filter(|image| image.url == url);
                    let images = images.as_ref().map(|_| own.chain(&shared).cloned().collect());
                    ProductRecord { images, ..record }
                }),
            };
            if record.is_ok() && line.cell(&self.columns.sku).is_empty() {
                out.note("variants whose missing SKU was derived from handle and options", 1);
            }
            seen.push((values, line));
            out.push(line.line, line.fields.clone(), context.clone(), record);
        }
    }

    fn category(&self, line: &Line) -> Vec<String> {
        cells::list(line.cell(&self.columns.category), '>').iter().map(|name| cells::text(name)).collect()
    }

    fn is_variant(&self, line: &Line) -> bool {
        let columns = &self.columns;
        let options = columns.options.iter().map(|(_, value)| value);
        options.chain([&columns.sku, &columns.price]).any(|column| !line.cell(column).is_empty())
    }

    /// Returns whether a line repeats another line's variant.
    fn is_same_variant(&self, one: &Line, other: &Line) -> bool {
        let columns =
            [&self.columns.sku, &self.columns.price, &self.columns.barcode, self.columns.inventory.quantity()];
        columns.iter().all(|column| one.cell(column) == other.cell(column))
    }

    /// Returns all images of the product, in display order.
    fn images(&self, lines: &[Line], out: &mut Output) -> Option<Vec<ImageRecord>> {
        let columns = &self.columns;
        if !columns.image.is_present() && !columns.variant_image.is_present() {
            return None;
        }
        let mut found: Vec<(u32, String, Option<String>)> = Vec::new();
        for line in lines.iter().filter(|line| !line.cell(&columns.image).is_empty()) {
            let position = line.cell(&columns.position).parse().unwrap_or(u32::MAX);
            let alt = columns.alt.is_present().then(|| cells::text(line.cell(&columns.alt)));
            found.push((position, line.cell(&columns.image).to_owned(), alt));
        }
        found.sort_by_key(|(position, ..)| *position);
        let own = lines.iter().map(|line| line.cell(&columns.variant_image)).filter(|url| !url.is_empty());
        let found = found.into_iter().map(|(_, url, alt)| (url, alt)).chain(own.map(|url| (url.into(), None)));
        out.select_images(found)
    }

    fn variant(&self, product: &Product, line: &Line) -> Result<ProductRecord, Rejection> {
        let columns = &self.columns;
        let mut options = Vec::new();
        for (name, (_, column)) in product.options.iter().zip(&columns.options) {
            let value = cells::optional(line.cell(column))
                .ok_or_else(|| column.rejection(format!("the variant has no value for the option {name}")))?;
            options.push((name.clone(), value));
        }
        let values: Vec<&str> = options.iter().map(|(_, value)| value.as_str()).collect();
        let key: Vec<&str> = [product.handle.as_str()].into_iter().chain(values.iter().copied()).collect();
        let sku = cells::code(line.cell(&columns.sku)).map_err(|rule| columns.sku.rejection(rule))?;
        let price = cells::price(line, &columns.price, &self.amounts)?;
        let compare_at = cells::price(line, &columns.compare_at, &self.amounts)?;
        let barcode = cells::code(line.cell(&columns.barcode)).map_err(|rule| columns.barcode.rejection(rule))?;
        let inventory = columns.inventory.read(line, &self.amounts)?;
        let variant = Some(values.join(" / ")).filter(|text| !text.is_empty());
        Ok(ProductRecord {
            external_id: Some(external_id(&key)),
            sku: sku.unwrap_or_else(|| cells::derive_key(&key, MAX_DERIVED_SKU).to_uppercase()),
            slug: Some(slugify(&key.join("-"))),
            barcode: columns.barcode.is_present().then_some(barcode),
            variant: columns.options[0].1.is_present().then_some(variant),
            price,
            compare_at_price: columns
                .compare_at
                .is_present()
                .then(|| compare_at.filter(|before| price.is_some_and(|price| *before > price))),
            cost_price: if columns.cost.is_present() {
                Some(cells::price(line, &columns.cost, &self.amounts)?)
            } else {
                None
            },
            group: columns.options[0].0.is_present().then(|| {
                let group = || GroupRecord { slug: slugify(&product.handle), name: product.title.clone(), options };
                (!product.options.is_empty()).then(group)
            }),
            inventory_policy: inventory.policy,
            backorders: inventory.backorders,
            stock: inventory.stock,
            weight: weights::of_grams(line, [&columns.grams, &columns.weight_unit], &self.amounts)?,
            ..product.common.clone()
        })
    }
}

impl ShopParser for Shopify {
    fn scan(&mut self, line: &Line) {
        for column in [&self.columns.price, &self.columns.compare_at, &self.columns.cost] {
            self.amounts.observe(line.cell(column));
        }
    }

    /// A line that cannot be parsed belongs to the product that its handle names, so that it can be corrected there.
    fn reject(&mut self, line: Line, rejection: Rejection, out: &mut Output) {
        match line.fields.is_empty() {
            true => out.push(line.line, line.fields, Context::default(), Err(rejection)),
            false => self.parse(Line { rejection: Some(rejection), ..line }, out),
        }
    }

    fn parse(&mut self, line: Line, out: &mut Output) {
        let handle = match (line.cell(&self.columns.handle), line.cell(&self.columns.title)) {
            ("", "") => self.handle.clone(),
            ("", title) => slugify(title),
            (handle, _) => handle.to_owned(),
        };
        if handle.is_empty() {
            let no_handle =
                || self.columns.handle.rejection("the line has no handle and there is no product before it");
            let rejection = line.rejection.unwrap_or_else(no_handle);
            return out.push(line.line, line.fields, Context::default(), Err(rejection));
        }
        if handle != self.handle {
            self.finish_product(out);
            self.handle = handle;
            self.bytes = 0;
        }
        let length = |line: &Line| line.fields.as_slice().len();
        self.bytes += length(&line) + self.lines.first().map_or(0, length);
        if self.lines.len() < MAX_LINES && self.bytes <= MAX_BYTES {
            self.lines.push(line);
        } else {
            let message = format!("a product has at most {MAX_LINES} lines and {} MB of text", MAX_BYTES >> 20);
            let rejection = self.columns.handle.rejection(message);
            out.push(line.line, line.fields, Context::default(), Err(rejection));
        }
    }

    fn finish(&mut self, out: &mut Output) {
        self.finish_product(out);
    }
}

/// Data of a product that applies to all variants.
struct Product {
    handle: String,
    title: String,
    options: Vec<String>,
    common: ProductRecord,
}

impl Product {
    fn new(shop: &Shopify, head: &Line) -> Result<Self, Rejection> {
        let columns = &shop.columns;
        let title = cells::optional(head.cell(&columns.title)).ok_or_else(|| {
            columns.title.rejection("the title is missing; it must be on the first of a product's lines")
        })?;
        if cells::flag(head.cell(&columns.gift_card)) == Ok(Some(true)) {
            return Err(columns.gift_card.rejection("gift cards are not supported"));
        }
        let mut options: Vec<String> =
            columns.options.iter().map_while(|(name, _)| cells::optional(head.cell(name))).collect();
        // Shopify's placeholder for products without options.
        if options == ["Title"] && head.cell(&columns.options[0].1) == "Default Title" {
            options.clear();
        }
        let category = columns.category.is_present() || columns.kind.is_present();
        let kind = || cells::optional(head.cell(&columns.kind)).into_iter().collect();
        let tags = || head.cell(&columns.tags).split(',').filter_map(cells::optional).collect();
        let common = ProductRecord {
            name: Some(title.clone()),
            description: columns.body.is_present().then(|| to_text(head.cell(&columns.body), false)),
            category: category.then(|| [shop.category(head), kind()].into_iter().find(|path| cells::is_category(path))),
            brand: cells::clearable_text(head, &columns.vendor),
            tags: columns.tags.is_present().then(tags),
            seo_title: cells::clearable_text(head, &columns.seo_title),
            seo_description: cells::clearable_text(head, &columns.seo_description),
            is_active: is_active(columns, head)?,
            ..ProductRecord::default()
        };
        Ok(Self { handle: shop.handle.clone(), title, options, common })
    }
}

fn is_active(columns: &Columns, head: &Line) -> Result<Option<bool>, Rejection> {
    let published = cells::flag(head.cell(&columns.published)).map_err(|rule| columns.published.rejection(rule))?;
    let active = match head.cell(&columns.status).to_ascii_lowercase().as_str() {
        "" => None,
        "active" => Some(true),
        "draft" | "archived" | "unlisted" => Some(false),
        other => {
            return Err(columns
                .status
                .rejection(format!("{other:?} is not a status; use active, draft, archived or unlisted")));
        }
    };
    let has_status = columns.published.is_present() || columns.status.is_present();
    Ok(has_status.then(|| published != Some(false) && active != Some(false)))
}

/// Returns the handle followed by the option values.
fn external_id(key: &[&str]) -> String {
    let plain = match key {
        [handle] => (*handle).to_owned(),
        [handle, values @ ..] => format!("{handle}?{}", values.join("/")),
        [] => String::new(),
    };
    if plain.chars().count() <= MAX_EXTERNAL_ID { plain } else { cells::derive_key(key, MAX_EXTERNAL_ID) }
}

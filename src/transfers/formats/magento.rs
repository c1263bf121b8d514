//! Magento 2's product CSV: one line per product, one per configurable product, which lists its variants by SKU, and
//! one per store view in which a product has other texts.
//! Rule: a configurable product becomes the group of its variants, wherever these are in the file. Lines of store views
//! are translations and are skipped.

use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Options, Output, ShopParser,
    amounts::AmountParser,
    cells,
    csv_reader::{Column, Header, Line},
    html::to_text,
    inventory::MagentoInventory,
    magento_groups::{GroupTexts, Groups, NewGroup},
    pairs::pairs,
    unread_columns::{MAGENTO_EMPTY as EMPTY, has_value},
    weights::WeightColumn,
};
use crate::{
    error::Result,
    products::model::attributes::WeightUnit,
    text::slugify,
    transfers::record::{ImageRecord, ProductRecord, Rejection},
};

const HINT: &str = "Is it a product CSV of Magento 2?";
const NO_IMAGE: &str = "no_selection";
/// Attributes that may contain a barcode, most likely first. Magento has no standard one.
const BARCODES: [&str; 7] = ["gtin", "ean", "ean13", "ean_code", "upc", "barcode", "isbn"];
const BRANDS: [&str; 2] = ["brand", "manufacturer"];
/// Attribute with tags, of shops that have added one.
const TAGS: &str = "tags";

pub(super) struct Magento {
    columns: Columns,
    amounts: AmountParser,
    today: NaiveDate,
    image_base_url: Option<String>,
    groups: Groups,
}

struct Columns {
    sku: Column,
    store_view: Column,
    kind: Column,
    categories: Column,
    name: Column,
    description: Column,
    short_description: Column,
    online: Column,
    visibility: Column,
    price: Column,
    special_price: Column,
    special_from: Column,
    special_to: Column,
    cost: Column,
    url_key: Column,
    base_image: Column,
    base_label: Column,
    images: Column,
    labels: Column,
    attributes: Column,
    barcodes: Vec<Column>,
    brands: Vec<Column>,
    inventory: MagentoInventory,
    notify: Column,
    default_notify: Column,
    variations: Column,
    variation_labels: Column,
    tags: Column,
    weight: WeightColumn,
    seo_title: Column,
    seo_description: Column,
}

impl Magento {
    pub(super) fn new(header: &Header, options: &Options) -> Result<Self> {
        let all = |names: &[&str]| -> Vec<Column> {
            names.iter().map(|name| header.find(&[name])).filter(Column::is_present).collect()
        };
        let columns = Columns {
            sku: header.require(&["sku"], HINT)?,
            store_view: header.find(&["store_view_code"]),
            kind: header.require(&["product_type"], HINT)?,
            categories: header.find(&["categories"]),
            name: header.require(&["name"], HINT)?,
            description: header.find(&["description"]),
            short_description: header.find(&["short_description"]),
            online: header.find(&["product_online"]),
            visibility: header.find(&["visibility"]),
            price: header.find(&["price"]),
            special_price: header.find(&["special_price"]),
            special_from: header.find(&["special_price_from_date"]),
            special_to: header.find(&["special_price_to_date"]),
            cost: header.find(&["cost"]),
            url_key: header.find(&["url_key"]),
            base_image: header.find(&["base_image"]),
            base_label: header.find(&["base_image_label"]),
            images: header.find(&["additional_images"]),
            labels: header.find(&["additional_image_labels"]),
            attributes: header.find(&["additional_attributes"]),
            barcodes: all(&BARCODES),
            brands: all(&BRANDS),
            inventory: MagentoInventory::find(header),
            notify: header.find(&["notify_on_stock_below"]),
            default_notify: header.find(&["use_config_notify_stock_qty"]),
            variations: header.find(&["configurable_variations"]),
            variation_labels: header.find(&["configurable_variation_labels"]),
            tags: header.find(&[TAGS]),
            // Magento's default; the file does not say which unit the shop uses.
            weight: WeightColumn::find(header, WeightUnit::Pound),
            seo_title: header.find(&["meta_title"]),
            seo_description: header.find(&["meta_description"]),
        };
        Ok(Self {
            columns,
            amounts: AmountParser::new(options.decimal_separator, options.digits),
            today: options.today,
            image_base_url: options.image_base_url.clone(),
            groups: Groups::default(),
        })
    }

    fn product(
        &self,
        line: &Line,
        attributes: &HashMap<String, String>,
        out: &mut Output,
    ) -> Result<ProductRecord, Rejection> {
        let columns = &self.columns;
        let sku = cells::code(line.cell(&columns.sku)).map_err(|rule| columns.sku.rejection(rule))?;
        let sku = sku.ok_or_else(|| columns.sku.rejection("a product must have a SKU"))?;
        let regular = cells::price(line, &columns.price, &self.amounts)?;
        let (price, compare_at_price) = cells::price_and_compare_at(regular, self.special(line)?);
        let barcode = cells::code(&first_value(line, &columns.barcodes, &BARCODES, attributes))
            .map_err(|rule| columns.barcodes.first().unwrap_or(&columns.attributes).rejection(rule))?;
        let brand = Some(cells::decoded_text(&first_value(line, &columns.brands, &BRANDS, attributes)))
            .filter(|brand| !brand.is_empty());
        let (category, others) = self.categories(line);
        out.note("additional categories of products", others);
        let described = columns.description.is_present() || columns.short_description.is_present();
        let has = |column| !self.cell_value(line, column).is_empty();
        let is_shortened = has(&columns.description) && has(&columns.short_description);
        out.note("short descriptions of products that also have a long one", is_shortened.into());
        let group_texts = self.groups.texts(line.cell(&columns.sku));
        let own_tags = self.tags(line, attributes);
        let inherits_tags = own_tags.as_ref().is_none_or(Vec::is_empty) && !group_texts.tags.is_empty();
        let group = self
            .groups
            .find(line.cell(&columns.sku), self.is_hidden(line))
            .map_err(|rule| columns.variations.rejection(rule))?;
        let inventory = columns.inventory.read(line, &self.amounts)?;
        let variant = group
            .as_ref()
            .map(|group| group.options.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / "));
        Ok(ProductRecord {
            external_id: Some(sku.clone()),
            sku,
            name: Some(cells::decoded_text(self.cell_value(line, &columns.name))).filter(|name| !name.is_empty()),
            slug: Some(line.cell(&columns.url_key)).filter(|key| !key.is_empty()).map(slugify),
            barcode: barcode.map(Some),
            variant: variant.map(Some),
            description: described.then(|| {
                let long = to_text(self.cell_value(line, &columns.description), false);
                if long.is_empty() { to_text(self.cell_value(line, &columns.short_description), false) } else { long }
            }),
            price,
            compare_at_price,
            cost_price: match cells::price(line, &columns.cost, &self.amounts)? {
                None => None,
                cost => Some(cost),
            },
            category: columns.categories.is_present().then_some(category),
            brand: brand.map(Some),
            is_active: self.is_active(line, group.is_some())?,
            group: group.map(Some),
            low_stock_threshold: match line.cell(&columns.default_notify) {
                "0" => cells::quantity(line, &columns.notify, &self.amounts)?,
                _ => None,
            },
            inventory_policy: inventory.policy,
            backorders: inventory.backorders,
            stock: inventory.stock,
            images: self.images(line, out),
            tags: if inherits_tags { Some(group_texts.tags) } else { own_tags },
            weight: columns.weight.parse(blank_if_empty(columns.weight.cell(line)), &self.amounts)?,
            seo_title: self.seo_text(line, &columns.seo_title).map(|own| own.or(group_texts.seo_title)),
            seo_description: self
                .seo_text(line, &columns.seo_description)
                .map(|own| own.or(group_texts.seo_description)),
            ..ProductRecord::default()
        })
    }

    /// Returns the text of a column, where a blank clears the value; none if the file has no such column.
    fn seo_text(&self, line: &Line, column: &Column) -> Option<Option<String>> {
        let text = || Some(cells::decoded_text(self.cell_value(line, column))).filter(|text| !text.is_empty());
        column.is_present().then(text)
    }

    /// Returns the tags, which an own column or attribute of the shop contains; none without either.
    fn tags(&self, line: &Line, attributes: &HashMap<String, String>) -> Option<Vec<String>> {
        let cell: &str = match self.columns.tags.is_present() {
            true => line.cell(&self.columns.tags),
            false => attributes.get(TAGS)?,
        };
        let tags = blank_if_empty(cell).split([',', '|']).map(cells::decoded_text);
        Some(tags.filter(|tag| !tag.is_empty()).collect())
    }

    /// Counts the attributes of a line that Souk has no place for. Those whose values are the options of its group have one.
    fn count_ignored(&self, line: &Line, attributes: &HashMap<String, String>, out: &Output) {
        let group = self.groups.find(line.cell(&self.columns.sku), false).ok().flatten();
        let is_option = |value: &str| {
            group.iter().flat_map(|group| &group.options).any(|(_, option)| *option == cells::decoded_text(value))
        };
        let is_read = |code: &str| code == TAGS || BARCODES.contains(&code) || BRANDS.contains(&code);
        let ignored = attributes.iter().filter(|(code, value)| has_value(value) && !is_read(code) && !is_option(value));
        let names: Vec<String> = ignored.map(|(code, _)| format!("additional_attributes: {code}")).collect();
        out.ignored_columns.count_row(names.iter().map(String::as_str));
    }

    fn cell_value<'l>(&self, line: &'l Line, column: &Column) -> &'l str {
        blank_if_empty(line.cell(column))
    }

    fn attributes(&self, line: &Line) -> HashMap<String, String> {
        pairs(line.cell(&self.columns.attributes)).into_iter().collect()
    }

    fn special(&self, line: &Line) -> Result<Option<Decimal>, Rejection> {
        let columns = &self.columns;
        if self.cell_value(line, &columns.special_price).is_empty() {
            return Ok(None);
        }
        let special = cells::price(line, &columns.special_price, &self.amounts)?;
        let (from, to) = (self.cell_value(line, &columns.special_from), self.cell_value(line, &columns.special_to));
        let is_in_force =
            cells::is_date_in_range(from, to, self.today).map_err(|rule| columns.special_from.rejection(rule))?;
        Ok(special.filter(|_| is_in_force))
    }

    /// Returns the main category; the paths are without their root, which is not displayed. A name with a comma is
    /// split in two parts, the second of which has no root.
    fn categories(&self, line: &Line) -> (Option<Vec<String>>, u64) {
        let mut paths: Vec<String> = Vec::new();
        let cell = self.cell_value(line, &self.columns.categories);
        let root = cell.split(['/', ',']).next().unwrap_or_default().trim();
        for part in cell.split(',') {
            let has_root = part.trim().split('/').next() == Some(root);
            match paths.last_mut().filter(|_| !has_root) {
                Some(path) => {
                    path.push(',');
                    path.push_str(part);
                }
                None => paths.push(part.to_owned()),
            }
        }
        let path =
            |path: String| cells::list(&path, '/').iter().skip(1).map(|name| cells::decoded_text(name)).collect();
        cells::main_category(paths.into_iter().map(path).collect())
    }

    /// `product_online` is 1 for active and 2 or 0 for inactive. Products that are neither visible individually nor
    /// variants are inactive, too.
    fn is_active(&self, line: &Line, is_variant: bool) -> Result<Option<bool>, Rejection> {
        let columns = &self.columns;
        match line.cell(&columns.online) {
            _ if self.is_hidden(line) && !is_variant => Ok(Some(false)),
            "" => Ok(None),
            "1" => Ok(Some(true)),
            "0" | "2" => Ok(Some(false)),
            other => Err(columns.online.rejection(format!("{other:?} is not one of 1, 2 and 0"))),
        }
    }

    fn is_hidden(&self, line: &Line) -> bool {
        line.cell(&self.columns.visibility).eq_ignore_ascii_case("not visible individually")
    }

    /// Returns whether the type of a line is that of a product. A line that lists variants is none without a type.
    fn is_product(&self, line: &Line) -> bool {
        match line.cell(&self.columns.kind).to_ascii_lowercase().as_str() {
            "" => line.cell(&self.columns.variations).is_empty(),
            kind => matches!(kind, "simple" | "virtual" | "downloadable"),
        }
    }

    fn images(&self, line: &Line, out: &mut Output) -> Option<Vec<ImageRecord>> {
        let columns = &self.columns;
        if !columns.base_image.is_present() && !columns.images.is_present() {
            return None;
        }
        let alt = |column: &Column, label: &str| column.is_present().then(|| cells::decoded_text(label));
        let base =
            (line.cell(&columns.base_image).to_owned(), alt(&columns.base_label, line.cell(&columns.base_label)));
        let labels = line.cell(&columns.labels).split(',').chain(std::iter::repeat(""));
        let labels = labels.map(|label| alt(&columns.labels, label));
        let others = line.cell(&columns.images).split(',').map(|path| path.trim().to_owned()).zip(labels);
        let images =
            [base].into_iter().chain(others).filter(|(path, _)| !matches!(path.as_str(), "" | EMPTY | NO_IMAGE));
        let full = |path: String| match &self.image_base_url {
            Some(base) if !path.contains("://") => {
                format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
            }
            _ => path,
        };
        out.select_images(images.map(|(path, label)| (full(path), label)))
    }
}

impl ShopParser for Magento {
    fn scan(&mut self, line: &Line) {
        for column in [&self.columns.price, &self.columns.special_price, &self.columns.cost] {
            self.amounts.observe(line.cell(column));
        }
        let (columns, sku) = (&self.columns, line.cell(&self.columns.sku));
        match line.cell(&columns.store_view).is_empty() {
            true if line.cell(&columns.kind).eq_ignore_ascii_case("configurable") => {
                let (name, key) = (cells::decoded_text(line.cell(&columns.name)), line.cell(&columns.url_key));
                let new = NewGroup {
                    slug: slugify(if key.is_empty() { sku } else { key }),
                    name: if name.is_empty() { sku.to_owned() } else { name },
                    variations: line.cell(&columns.variations),
                    labels: line.cell(&columns.variation_labels),
                    texts: GroupTexts {
                        tags: self.tags(line, &self.attributes(line)).unwrap_or_default(),
                        seo_title: self.seo_text(line, &columns.seo_title).flatten(),
                        seo_description: self.seo_text(line, &columns.seo_description).flatten(),
                    },
                };
                self.groups.add(line, new);
            }
            true if !self.is_product(line) && !line.cell(&columns.variations).is_empty() => {
                self.groups.add_rejected(line.line, line.cell(&columns.variations));
            }
            true => self.groups.add_sku(sku),
            false => {}
        }
    }

    fn retained_bytes(&self) -> usize {
        self.groups.retained_bytes()
    }

    fn scan_rejected(&mut self, line: &Line) {
        self.groups.add_unreadable(line);
    }

    fn finish_scan(&mut self) {
        self.groups.finish();
    }

    fn reject(&mut self, line: Line, rejection: Rejection, out: &mut Output) {
        out.push(line.line, line.fields, self.groups.context(""), Err(rejection));
    }

    fn parse(&mut self, line: Line, out: &mut Output) {
        let attributes = self.attributes(&line);
        self.count_ignored(&line, &attributes, out);
        if !line.cell(&self.columns.store_view).is_empty() {
            return out.note("lines of store views (translations)", 1);
        }
        let record = match line.cell(&self.columns.kind).to_ascii_lowercase().as_str() {
            "configurable" => return out.note("configurable products, imported as groups", 1),
            _ if self.is_product(&line) => self.product(&line, &attributes, out),
            kind => Err(self.columns.kind.rejection(format!("products of type {kind:?} are not supported"))),
        };
        let context = self.groups.context(line.cell(&self.columns.sku));
        out.push(line.line, line.fields, context, record);
    }
}

/// Returns a cell; blank if it is to clear the field.
fn blank_if_empty(cell: &str) -> &str {
    if cell == EMPTY { "" } else { cell }
}

/// Returns the first value that is set, of columns and then of attributes.
fn first_value(line: &Line, columns: &[Column], names: &[&str], attributes: &HashMap<String, String>) -> String {
    let cells = columns.iter().map(|column| line.cell(column));
    let values = names.iter().filter_map(|name| attributes.get(*name).map(String::as_str));
    cells.chain(values).find(|value| !value.is_empty() && *value != EMPTY).unwrap_or_default().to_owned()
}

//! WooCommerce's product CSV: one line per product, one per variable product, one per variation.
//! Rule: a variation becomes a product, and a variable product becomes the group of its variations, which inherit
//! missing data from it. It can be anywhere in the file.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Options, Output, ShopParser,
    amounts::AmountParser,
    cells, context_line,
    csv_reader::{Column, Header, Line},
    html::to_text,
    inventory::WooCommerceInventory,
    seo::SeoColumns,
    weights::WeightColumn,
    woocommerce_parents::{Parent, Parents},
};
use crate::{
    error::Result,
    products::model::attributes::WeightUnit,
    text::{MAX_DESCRIPTION, slugify},
    transfers::record::{GroupRecord, ProductRecord, Rejection},
};

const HINT: &str = "Is it a WooCommerce product CSV? Export it with English as your profile's language.";
/// Maximum number of attribute columns.
const MAX_ATTRIBUTES: u8 = 50;
const MAX_OPTIONS: usize = 5;

pub(super) struct WooCommerce {
    columns: Columns,
    amounts: AmountParser,
    today: NaiveDate,
    parents: Parents,
}

struct Columns {
    id: Column,
    kind: Column,
    sku: Column,
    gtin: Column,
    name: Column,
    published: Column,
    visibility: Column,
    short_description: Column,
    description: Column,
    sale_starts: Column,
    sale_ends: Column,
    inventory: WooCommerceInventory,
    low_stock: Column,
    sale_price: Column,
    regular_price: Column,
    cost: Column,
    categories: Column,
    images: Column,
    parent: Column,
    brands: Column,
    attributes: Vec<(Column, Column)>,
    tags: Column,
    weight: WeightColumn,
    seo_title: SeoColumns,
    seo_description: SeoColumns,
}

impl WooCommerce {
    pub(super) fn new(header: &Header, options: &Options) -> Result<Self> {
        let attribute = |number: u8| {
            let names = [format!("attribute {number} name"), format!("attribute {number} value(s)")];
            (header.find(&[&names[0]]), header.find(&[&names[1]]))
        };
        let columns = Columns {
            id: header.find(&["id"]),
            kind: header.require(&["type"], HINT)?,
            sku: header.require(&["sku"], HINT)?,
            gtin: header.find(&["gtin, upc, ean, or isbn"]),
            name: header.require(&["name"], HINT)?,
            published: header.find(&["published"]),
            visibility: header.find(&["visibility in catalog"]),
            short_description: header.find(&["short description"]),
            description: header.find(&["description"]),
            sale_starts: header.find(&["date sale price starts"]),
            sale_ends: header.find(&["date sale price ends"]),
            inventory: WooCommerceInventory::find(header),
            low_stock: header.find(&["low stock amount"]),
            sale_price: header.find(&["sale price"]),
            regular_price: header.find(&["regular price"]),
            cost: header.find(&["cost of goods"]),
            categories: header.find(&["categories"]),
            images: header.find(&["images"]),
            parent: header.find(&["parent"]),
            brands: header.find(&["brands"]),
            attributes: (1..=MAX_ATTRIBUTES).map(attribute).filter(|(name, _)| name.is_present()).collect(),
            tags: header.find(&["tags"]),
            weight: WeightColumn::find(header, WeightUnit::Kilogram),
            seo_title: SeoColumns::find(header, &["meta: _yoast_wpseo_title", "meta: rank_math_title"]),
            seo_description: SeoColumns::find(header, &["meta: _yoast_wpseo_metadesc", "meta: rank_math_description"]),
        };
        Ok(Self {
            columns,
            amounts: AmountParser::new(options.decimal_separator, options.digits),
            today: options.today,
            parents: Parents::default(),
        })
    }

    fn kind(&self, line: &Line) -> String {
        let kinds = cells::list(line.cell(&self.columns.kind), ',');
        // The column also contains how a product is delivered.
        let kind =
            kinds.into_iter().map(|kind| kind.to_lowercase()).find(|kind| kind != "virtual" && kind != "downloadable");
        kind.unwrap_or_else(|| "simple".into())
    }

    /// Returns names and values of the attributes that have both.
    fn attributes(&self, line: &Line) -> Vec<(String, String)> {
        let cell = |column| cells::decoded_text(line.cell(column));
        let attributes = self.columns.attributes.iter().map(|(name, value)| (cell(name), cell(value)));
        attributes.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect()
    }

    /// Returns the data that products and variable products have in common.
    fn common(&self, line: &Line) -> ProductRecord {
        let columns = &self.columns;
        let text = |column| to_text(&line.cell(column).replace("\\n", "\n"), true);
        let described = columns.description.is_present() || columns.short_description.is_present();
        let description = described.then(|| {
            let long = text(&columns.description);
            if long.is_empty() { text(&columns.short_description) } else { long }
        });
        let (main_category, _) = self.categories(line);
        let brand = || {
            cells::list(line.cell(&columns.brands), ',')
                .first()
                .and_then(|path| path.rsplit('>').next().map(cells::decoded_text))
        };
        ProductRecord {
            name: Some(cells::decoded_text(line.cell(&columns.name))).filter(|name| !name.is_empty()),
            description,
            category: columns.categories.is_present().then_some(main_category),
            brand: columns.brands.is_present().then(|| brand().filter(|brand| !brand.is_empty())),
            tags: columns.tags.is_present().then(|| {
                let tags = cells::list(line.cell(&columns.tags), ',').into_iter();
                tags.map(|tag| cells::decoded_text(&tag)).filter(|tag| !tag.is_empty()).collect()
            }),
            seo_title: columns.seo_title.text(line),
            seo_description: columns.seo_description.text(line),
            ..ProductRecord::default()
        }
    }

    fn categories(&self, line: &Line) -> (Option<Vec<String>>, u64) {
        let paths = cells::list(line.cell(&self.columns.categories), ',');
        let path = |path: String| cells::list(&path, '>').iter().map(|name| cells::decoded_text(name)).collect();
        cells::main_category(paths.into_iter().map(path).collect())
    }

    /// Counts the data of a line that Souk reads but does not use.
    fn note_unused(&self, line: &Line, kind: &str, out: &mut Output) {
        let columns = &self.columns;
        let has = |column| !line.cell(column).is_empty();
        let is_shortened = has(&columns.description) && has(&columns.short_description);
        out.note("short descriptions of products that also have a long one", is_shortened.into());
        let brands = cells::list(line.cell(&columns.brands), ',').len() as u64;
        out.note("additional brands of products", brands.saturating_sub(1));
        let templates = [&columns.seo_title, &columns.seo_description].map(|text| u64::from(text.has_template(line)));
        out.note("SEO texts with variables of a plugin, such as %%title%%", templates.iter().sum());
        let keys = match kind {
            "variable" => vec![format!("id:{}", line.cell(&columns.id)), line.cell(&columns.sku).to_owned()],
            "simple" => Vec::new(),
            _ => return,
        };
        let is_option = |name: &String| keys.iter().any(|key| self.parents.varying_attributes(key).contains(name));
        let others = self.attributes(line).into_iter().filter(|(name, _)| !is_option(name)).count();
        out.note("attributes of products that are not options", others as u64);
    }

    fn new_parent(&self, line: &Line) -> Parent {
        let columns = &self.columns;
        let mut common = self.common(line);
        let (id, sku) = (line.cell(&columns.id), line.cell(&columns.sku));
        let name = common.name.clone().unwrap_or_default();
        // Truncated because it is copied for each variation; one character above the limit, so that it is still
        // rejected.
        common.description = common.description.map(|text| text.chars().take(MAX_DESCRIPTION + 1).collect());
        Parent {
            slug: slugify(&format!("{name} {}", if id.is_empty() { sku } else { id })),
            attributes: self.attributes(line).into_iter().map(|(name, _)| name).collect(),
            images: cells::list(line.cell(&columns.images), ','),
            weight: columns.weight.cell(line).to_owned(),
            line: context_line(line),
            common,
        }
    }

    fn product(&self, line: &Line, kind: &str, out: &mut Output) -> Result<ProductRecord, Rejection> {
        let columns = &self.columns;
        let code = |column: &Column| cells::code(line.cell(column)).map_err(|rule| column.rejection(rule));
        let id = cells::optional(line.cell(&columns.id));
        let sku = match (code(&columns.sku)?, &id) {
            (Some(sku), _) => sku,
            (None, Some(id)) => {
                out.note("products whose missing SKU was derived from their ID", 1);
                format!("WC-{id}")
            }
            (None, None) => return Err(columns.sku.rejection("the product has neither a SKU nor an ID")),
        };
        let regular = cells::price(line, &columns.regular_price, &self.amounts)?;
        let (price, compare_at_price) = cells::price_and_compare_at(regular, self.sale(line)?);
        let inventory = columns.inventory.read(line, &self.amounts)?;
        if columns.inventory.is_shared(line) {
            out.note(
                "variations that share the stock of their parent, which is not imported: new ones are out of stock",
                1,
            );
        }
        let mut record = ProductRecord {
            external_id: id,
            sku,
            barcode: if columns.gtin.is_present() { Some(code(&columns.gtin)?) } else { None },
            price,
            compare_at_price,
            cost_price: if columns.cost.is_present() {
                Some(cells::price(line, &columns.cost, &self.amounts)?)
            } else {
                None
            },
            low_stock_threshold: cells::quantity(line, &columns.low_stock, &self.amounts)?,
            inventory_policy: inventory.policy,
            backorders: inventory.backorders,
            stock: inventory.stock,
            is_active: self.is_active(line)?,
            weight: columns.weight.parse(columns.weight.cell(line), &self.amounts)?,
            ..self.common(line)
        };
        let mut images = cells::list(line.cell(&columns.images), ',');
        if kind == "variation" {
            images = self.make_variation(line, images, &mut record)?;
        } else {
            record.variant = Some(None);
            record.group = Some(None);
            out.note("additional categories of products", self.categories(line).1);
        }
        let images = out.select_images(images.into_iter().map(|url| (url, None)));
        record.images = images.filter(|_| columns.images.is_present());
        Ok(record)
    }

    /// Completes the record of a variation with data of its parent. Returns the variation's images followed by those of
    /// the parent.
    fn make_variation(
        &self,
        line: &Line,
        mut images: Vec<String>,
        record: &mut ProductRecord,
    ) -> Result<Vec<String>, Rejection> {
        let key = line.cell(&self.columns.parent);
        let parent = self.parents.find(key).ok_or_else(|| {
            self.columns
                .parent
                .rejection(format!("the file has no variable product {key:?}, the parent of this variation"))
        })?;
        let own = self.attributes(line);
        let varying_attributes = self.parents.varying_attributes(key);
        let value = |name: &String| own.iter().find(|(own, _)| own == name).map_or("Any", |(_, value)| value.as_str());
        let options: Vec<(String, String)> =
            varying_attributes.iter().map(|name| (name.clone(), value(name).to_owned())).collect();
        if options.is_empty() || options.len() > MAX_OPTIONS {
            let (column, _) = self.columns.attributes.first().cloned().unwrap_or_default();
            return Err(column.rejection(format!(
                "variations must differ in 1 to {MAX_OPTIONS} attributes, not in {}",
                options.len()
            )));
        }
        let values: Vec<&str> = options.iter().map(|(_, value)| value.as_str()).collect();
        record.variant = Some(Some(values.join(" / ")));
        let name = parent.common.name.clone().or_else(|| record.name.clone()).unwrap_or_default();
        record.name = Some(name.clone()).filter(|name| !name.is_empty());
        record.group = Some(Some(GroupRecord { slug: parent.slug.clone(), name, options }));
        if record.description.as_deref() == Some("") {
            record.description.clone_from(&parent.common.description);
        }
        if record.brand == Some(None) {
            record.brand.clone_from(&parent.common.brand);
        }
        if record.category == Some(None) {
            record.category.clone_from(&parent.common.category);
        }
        if record.tags.as_ref().is_some_and(Vec::is_empty) {
            record.tags.clone_from(&parent.common.tags);
        }
        if record.weight == Some(None) {
            record.weight = self.columns.weight.parse(&parent.weight, &self.amounts)?;
        }
        if record.seo_title == Some(None) {
            record.seo_title.clone_from(&parent.common.seo_title);
        }
        if record.seo_description == Some(None) {
            record.seo_description.clone_from(&parent.common.seo_description);
        }
        images.extend(parent.images.iter().cloned());
        Ok(images)
    }

    /// Returns the sale price, if it is in effect.
    fn sale(&self, line: &Line) -> Result<Option<Decimal>, Rejection> {
        let columns = &self.columns;
        let Some(sale) = cells::price(line, &columns.sale_price, &self.amounts)? else { return Ok(None) };
        let (from, to) = (line.cell(&columns.sale_starts), line.cell(&columns.sale_ends));
        let is_in_force =
            cells::is_date_in_range(from, to, self.today).map_err(|rule| columns.sale_starts.rejection(rule))?;
        Ok(is_in_force.then_some(sale))
    }

    /// `published` is 1 for published, 0 for private, -1 for draft and 2 for pending.
    fn is_active(&self, line: &Line) -> Result<Option<bool>, Rejection> {
        let columns = &self.columns;
        let hidden = line.cell(&columns.visibility).eq_ignore_ascii_case("hidden");
        let published = match cells::text(line.cell(&columns.published)).to_ascii_lowercase().as_str() {
            "" => None,
            "1" | "true" | "yes" => Some(true),
            "0" | "-1" | "2" | "false" | "no" => Some(false),
            other => return Err(columns.published.rejection(format!("{other:?} is not one of 1, 0, -1 and 2"))),
        };
        Ok(if hidden { Some(false) } else { published })
    }
}

impl ShopParser for WooCommerce {
    fn scan(&mut self, line: &Line) {
        for column in [&self.columns.regular_price, &self.columns.sale_price, &self.columns.cost] {
            self.amounts.observe(line.cell(column));
        }
        match self.kind(line).as_str() {
            "variable" => {
                let parent = self.new_parent(line);
                self.parents.add(line.cell(&self.columns.id), line.cell(&self.columns.sku), parent, line);
            }
            "variation" => {
                let names = self.attributes(line).into_iter().map(|(name, _)| name);
                self.parents.add_variation(line.cell(&self.columns.parent), names, line);
            }
            _ => {}
        }
    }

    fn retained_bytes(&self) -> usize {
        self.parents.retained_bytes()
    }

    fn finish_scan(&mut self) {
        self.parents.finish();
    }

    fn reject(&mut self, line: Line, rejection: Rejection, out: &mut Output) {
        let context = self.parents.context_of_unreadable(&line);
        out.push(line.line, line.fields, context, Err(rejection));
    }

    fn parse(&mut self, line: Line, out: &mut Output) {
        let kind = self.kind(&line);
        self.note_unused(&line, &kind, out);
        let record = match kind.as_str() {
            "variable" => return out.note("variable products, imported as groups", 1),
            kind @ ("simple" | "variation") => self.product(&line, kind, out),
            kind => Err(self.columns.kind.rejection(format!("products of type {kind:?} are not supported"))),
        };
        let context = self.parents.context(line.cell(&self.columns.parent));
        out.push(line.line, line.fields, context, record);
    }
}

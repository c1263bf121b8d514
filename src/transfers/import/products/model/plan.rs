//! The plan of a batch: what becomes of each row, decided from what the database has.
//! Rule: it decides without I/O, so that it can be made again when the products are locked.

use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;

use super::{
    super::super::{
        super::record::{GroupRecord, ProductRecord, Rejection},
        model::{RowOutcome, Run},
        references::model::{References, slug_with_fingerprint},
    },
    check_state,
};
use crate::{ids::ProductId, products::model::bulk::BulkProduct, text::slugify};

/// What the database has of the products of a batch.
#[derive(Debug, Default)]
pub struct ExistingProducts {
    rows: Vec<BulkProduct>,
    by_sku: HashMap<String, usize>,
    by_external_id: HashMap<String, usize>,
}

impl ExistingProducts {
    /// Rows by both of their names.
    pub fn new(rows: Vec<BulkProduct>) -> Self {
        let by_sku = rows.iter().enumerate().map(|(at, row)| (row.sku.clone(), at)).collect();
        let ids = rows.iter().enumerate().filter_map(|(at, row)| Some((row.external_id.clone()?, at)));
        Self { by_external_id: ids.collect(), by_sku, rows }
    }

    /// The product that a row means: the shop's own id tells before the SKU.
    fn find(&self, record: &ProductRecord) -> Option<&BulkProduct> {
        let by_id = record.external_id.as_ref().and_then(|id| self.by_external_id.get(id));
        by_id.or_else(|| self.by_sku.get(&record.sku)).map(|at| &self.rows[*at])
    }
}

/// What becomes of a row.
#[derive(Debug)]
pub enum Step {
    /// It is a new product.
    Create(Box<BulkProduct>),
    /// A product becomes this.
    Update {
        /// Its key.
        id: i64,
        /// What it becomes; none where only its stock changes.
        state: Option<Box<BulkProduct>>,
        /// Pieces that come or go.
        delta: i32,
    },
    /// It says nothing new.
    Keep {
        /// The product's key.
        id: i64,
    },
    /// It is refused.
    Reject(Rejection),
}

impl Step {
    /// For the report.
    pub fn outcome(self) -> RowOutcome {
        match self {
            Self::Create(_) => RowOutcome::Created,
            Self::Update { .. } => RowOutcome::Updated,
            Self::Keep { .. } => RowOutcome::Unchanged,
            Self::Reject(rejection) => RowOutcome::Rejected(rejection),
        }
    }
}

/// What becomes of each row, in order.
#[derive(Debug)]
pub struct Plan {
    /// A step for each row.
    pub steps: Vec<Step>,
}

/// Stands for the key of a product that this batch makes.
const NEW_PRODUCT_ID: i64 = -1;

/// The slug that a row insists on. That of another shop is no more than the first choice for a new product: several
/// shops may call a product the same.
fn requested_slug<'a>(run: &Run<'_>, record: &'a ProductRecord) -> Option<&'a String> {
    record.slug.as_ref().filter(|_| run.options.format.is_native())
}

/// The slugs that the rows may ask for.
pub fn candidate_slugs(run: &Run<'_>, records: &[&ProductRecord], found: &ExistingProducts) -> Vec<String> {
    let mut slugs = Vec::with_capacity(records.len() * 2);
    for record in records {
        slugs.extend(requested_slug(run, record).cloned());
        if found.find(record).is_none() {
            slugs.extend(slug_candidates(record, &run.website.code));
        }
    }
    slugs
}

/// A slug of the shop's own or of the name, and one with website and SKU behind it, of which a long name leaves room.
fn slug_candidates(record: &ProductRecord, website: &str) -> [String; 2] {
    let name = record.slug.as_deref().or(record.name.as_deref()).unwrap_or_default();
    let name: String = slugify(name).chars().take(100).collect();
    let end: String = slugify(&format!("{website} {}", record.sku)).chars().take(90).collect();
    [slugify(&name), slugify(&format!("{name} {end}"))]
}

impl Plan {
    /// Decides. `taken` has the slugs that are in use; `is_update_only` refuses products that are not there.
    pub fn make(
        run: &Run<'_>,
        references: &References,
        records: &[&ProductRecord],
        found: &ExistingProducts,
        taken: HashMap<String, i64>,
        is_update_only: bool,
    ) -> Self {
        let requested_slugs: HashSet<&str> =
            records.iter().filter_map(|record| requested_slug(run, record)).map(String::as_str).collect();
        let mut planner =
            Planner { run, references, found, requested_slugs, taken, is_update_only, matched: HashSet::new() };
        let steps = records.iter().map(|record| planner.step(record).unwrap_or_else(Step::Reject)).collect();
        Self { steps }
    }

    /// The products that change, in id order.
    pub fn changed_ids(&self) -> Vec<ProductId> {
        let id = |step: &Step| if let Step::Update { id, .. } = step { Some(ProductId(*id)) } else { None };
        let mut ids: Vec<_> = self.steps.iter().filter_map(id).collect();
        ids.sort_unstable();
        ids
    }

    /// Pieces that come or go, in order of the products.
    pub fn movements(&self) -> Vec<(ProductId, i32)> {
        let moves = self.steps.iter().filter_map(|step| match step {
            Step::Update { id, delta, .. } if *delta != 0 => Some((ProductId(*id), *delta)),
            _ => None,
        });
        let mut moves: Vec<_> = moves.collect();
        moves.sort_unstable();
        moves
    }

    /// Those that are to be made.
    pub fn new_states(&self) -> Vec<&BulkProduct> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Create(state) = step { Some(&**state) } else { None })
            .collect()
    }

    /// Those of which more than the stock changes.
    pub fn changed_states(&self) -> Vec<&BulkProduct> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Update { state: Some(state), .. } = step { Some(&**state) } else { None })
            .collect()
    }
}

/// Decides row by row.
struct Planner<'a> {
    run: &'a Run<'a>,
    references: &'a References,
    found: &'a ExistingProducts,
    /// The slugs that rows ask for by name; these are not chosen for other products.
    requested_slugs: HashSet<&'a str>,
    /// The slugs that are in use, and by which product.
    taken: HashMap<String, i64>,
    /// Whether products that do not exist are refused.
    is_update_only: bool,
    /// The existing products that earlier rows name.
    matched: HashSet<i64>,
}

impl Planner<'_> {
    fn step(&mut self, record: &ProductRecord) -> Result<Step, Rejection> {
        let found = self.found;
        let known = found.find(record);
        if let Some(known) = known
            && !self.matched.insert(known.id)
        {
            return Err(Rejection::at("external_id", "an earlier row of the file is the same product"));
        }
        if known.is_some_and(|known| found.by_sku.get(&record.sku).is_some_and(|at| found.rows[*at].id != known.id)) {
            return Err(Rejection::at("sku", "another product of this website has this SKU"));
        }
        if known.is_none() && self.is_update_only {
            return Err(Rejection::at("sku", "there is no such product"));
        }
        let mut state = match known {
            Some(known) => known.clone(),
            None => new_state(record)?,
        };
        apply(record, self.run, self.references, &mut state)?;
        self.set_slug(record, known, &mut state)?;
        match known {
            Some(known) if *known == state => return Ok(Step::Keep { id: known.id }),
            _ => check_state(&state)?,
        }
        Ok(match known {
            None => Step::Create(Box::new(state)),
            Some(known) => {
                let delta = state.stock - known.stock;
                let id = known.id;
                let is_same = BulkProduct { stock: known.stock, ..state.clone() } == *known;
                Step::Update { id, state: (!is_same).then(|| Box::new(state)), delta }
            }
        })
    }

    /// Gives a product the slug that its row asks for, or chooses one for a new product.
    fn set_slug(
        &mut self,
        record: &ProductRecord,
        known: Option<&BulkProduct>,
        state: &mut BulkProduct,
    ) -> Result<(), Rejection> {
        let run = self.run;
        let holder =
            requested_slug(run, record).and_then(|slug| self.taken.get(slug)).copied().filter(|id| *id != state.id);
        let [first, second] = slug_candidates(record, &run.website.code);
        let last = || slug_with_fingerprint(&second, &format!("{} {}", run.website.code, state.sku));
        match (requested_slug(run, record), holder, known) {
            (Some(slug), None, _) => {
                self.taken.insert(slug.clone(), if state.id == 0 { NEW_PRODUCT_ID } else { state.id });
            }
            (Some(_), Some(NEW_PRODUCT_ID), _) => {
                return Err(Rejection::at("slug", "an earlier row of the file has this slug"));
            }
            // The slug belongs to a product of another website; the product keeps the slug that was chosen for it then.
            (Some(_), Some(_), Some(known)) if known.slug == second || known.slug == last() => {
                state.slug.clone_from(&known.slug);
            }
            (Some(_), Some(_), Some(_)) => return Err(Rejection::at("slug", "another product has this slug")),
            (_, _, None) => {
                let is_free =
                    |slug: &String| !self.taken.contains_key(slug) && !self.requested_slugs.contains(slug.as_str());
                state.slug = [first, second.clone()].into_iter().find(is_free).unwrap_or_else(last);
                self.taken.insert(state.slug.clone(), NEW_PRODUCT_ID);
            }
            (None, ..) => {}
        }
        Ok(())
    }
}

fn new_state(record: &ProductRecord) -> Result<BulkProduct, Rejection> {
    let name = record.name.clone().ok_or_else(|| Rejection::at("name", "a new product has a name"))?;
    let price: Decimal = record.price.ok_or_else(|| Rejection::at("price", "a new product has a price"))?;
    Ok(BulkProduct { name, price, low_stock_threshold: 5, is_active: true, ..BulkProduct::default() })
}

/// Puts what a row says into a product.
fn apply(
    record: &ProductRecord,
    run: &Run<'_>,
    references: &References,
    state: &mut BulkProduct,
) -> Result<(), Rejection> {
    fn set<T: Clone>(into: &mut T, given: Option<&T>) {
        if let Some(given) = given {
            into.clone_from(given);
        }
    }
    state.sku.clone_from(&record.sku);
    if record.external_id.is_some() {
        state.external_id.clone_from(&record.external_id);
    }
    set(&mut state.name, record.name.as_ref());
    set(&mut state.slug, requested_slug(run, record));
    set(&mut state.barcode, record.barcode.as_ref());
    set(&mut state.variant, record.variant.as_ref());
    set(&mut state.description, record.description.as_ref());
    set(&mut state.price, record.price.as_ref());
    set(&mut state.compare_at_price, record.compare_at_price.as_ref());
    set(&mut state.cost_price, record.cost_price.as_ref());
    set(&mut state.supplier_sku, record.supplier_sku.as_ref());
    set(&mut state.low_stock_threshold, record.low_stock_threshold.as_ref());
    set(&mut state.stock, record.stock.as_ref());
    set(&mut state.is_active, record.is_active.as_ref());
    let unknown = |column| Rejection::at(column, "it could not be made");
    if let Some(path) = &record.category {
        let id = path.as_ref().map(|path| references.category(path).ok_or_else(|| unknown("category")));
        state.category_id = id.transpose()?;
    }
    if let Some(name) = &record.brand {
        state.brand_id =
            name.as_ref().map(|name| references.brand(name).ok_or_else(|| unknown("brand"))).transpose()?;
    }
    if let Some(name) = &record.supplier {
        let id = name.as_ref().map(|name| references.supplier(name).ok_or_else(|| unknown("supplier")));
        state.supplier_id = id.transpose()?;
    }
    match &record.group {
        None => {}
        Some(None) => (state.group_id, state.option_values) = (None, Vec::new()),
        Some(Some(group)) => set_group(group, run, references, state)?,
    }
    Ok(())
}

fn set_group(
    record: &GroupRecord,
    run: &Run<'_>,
    references: &References,
    state: &mut BulkProduct,
) -> Result<(), Rejection> {
    let group = references.group(&record.slug).ok_or_else(|| Rejection::at("group", "it could not be made"))?;
    if group.website != run.website.id.0 {
        return Err(Rejection::at("group", "a group of another website has this slug"));
    }
    let names: Vec<&str> = record.options.iter().map(|(name, _)| name.as_str()).collect();
    if names != group.varies_by {
        let rule = format!("the group varies by {}, the row by {}", group.varies_by.join(", "), names.join(", "));
        return Err(Rejection::at("options", rule));
    }
    state.group_id = Some(group.id);
    state.option_values = record.options.iter().map(|(_, value)| value.clone()).collect();
    Ok(())
}

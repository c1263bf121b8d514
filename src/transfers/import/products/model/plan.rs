//! The plan of a batch: determines the outcome of each row by comparing it with the database.
//! Rule: it does no I/O, so that it can be made again once the products are locked.

use std::collections::{HashMap, HashSet};

use super::{
    super::super::{
        super::{
            model::MatchBy,
            record::{ProductRecord, Rejection},
        },
        model::{RowOutcome, Run},
        references::model::{References, slug_with_fingerprint},
    },
    apply::{apply, new_state},
    check_state, requested_slug,
};
use crate::{
    ids::ProductId,
    products::model::{Backorders, bulk::BulkProduct},
    text::slugify,
};

/// Existing products for the rows of a batch.
#[derive(Debug, Default)]
pub struct ExistingProducts {
    rows: Vec<BulkProduct>,
    by_sku: HashMap<String, usize>,
    by_external_id: HashMap<String, usize>,
}

impl ExistingProducts {
    /// Indexes the products by SKU and external ID.
    pub fn new(rows: Vec<BulkProduct>) -> Self {
        let by_sku = rows.iter().enumerate().map(|(at, row)| (row.sku.clone(), at)).collect();
        let ids = rows.iter().enumerate().filter_map(|(at, row)| Some((row.external_id.clone()?, at)));
        Self { by_external_id: ids.collect(), by_sku, rows }
    }

    /// Returns the product with the external ID of a row.
    fn by_external_id(&self, record: &ProductRecord) -> Option<&BulkProduct> {
        self.by_external_id.get(record.external_id.as_ref()?).map(|at| &self.rows[*at])
    }

    /// Returns the product with this SKU.
    fn by_sku(&self, sku: &str) -> Option<&BulkProduct> {
        self.by_sku.get(sku).map(|at| &self.rows[*at])
    }

    /// Returns whether a row may update the product that has its SKU: without an option, a row never takes over a
    /// product that has another external ID.
    fn may_update(run: &Run<'_>, record: &ProductRecord, holder: &BulkProduct) -> bool {
        run.options.rules.match_by == MatchBy::Sku || record.external_id.is_none() || holder.external_id.is_none()
    }

    /// Returns the product of a row.
    pub fn find(&self, run: &Run<'_>, record: &ProductRecord) -> Option<&BulkProduct> {
        let by_sku = || self.by_sku(&record.sku).filter(|holder| Self::may_update(run, record, holder));
        self.by_external_id(record).or_else(by_sku)
    }
}

/// Action for a row.
#[derive(Debug)]
pub enum Step {
    /// Create a product.
    Create(Box<BulkProduct>),
    /// Update a product.
    Update {
        /// Primary key.
        id: i64,
        /// New state; none if only the stock changes.
        state: Option<Box<BulkProduct>>,
        /// Change of the stock, in units.
        delta: i32,
    },
    /// Nothing changes.
    Keep {
        /// Primary key.
        id: i64,
    },
    /// The row is rejected.
    Reject(Rejection),
}

impl Step {
    /// Returns the outcome for the report.
    pub fn outcome(self) -> RowOutcome {
        match self {
            Self::Create(_) => RowOutcome::Created,
            Self::Update { .. } => RowOutcome::Updated,
            Self::Keep { .. } => RowOutcome::Unchanged,
            Self::Reject(rejection) => RowOutcome::Rejected(rejection),
        }
    }
}

/// The action for each row, in order.
#[derive(Debug)]
pub struct Plan {
    /// One action per row.
    pub steps: Vec<Step>,
    /// Number of accepted rows whose negative stock is imported as 0.
    pub shortfalls: u64,
}

/// Placeholder for the key of a product that this batch creates.
const NEW_PRODUCT_ID: i64 = -1;

/// Returns the slugs that the rows may use.
pub fn candidate_slugs(run: &Run<'_>, records: &[&ProductRecord], found: &ExistingProducts) -> Vec<String> {
    let mut slugs = Vec::with_capacity(records.len() * 2);
    for record in records {
        slugs.extend(requested_slug(run, record).cloned());
        if found.find(run, record).is_none() {
            slugs.extend(slug_candidates(record, &run.website.code));
        }
    }
    slugs
}

/// Returns two slugs: the preferred one or one from the name, and a longer one with website and SKU appended; the name
/// is truncated to leave room.
fn slug_candidates(record: &ProductRecord, website: &str) -> [String; 2] {
    let name = record.slug.as_deref().or(record.name.as_deref()).unwrap_or_default();
    let name: String = slugify(name).chars().take(100).collect();
    let end: String = slugify(&format!("{website} {}", record.sku)).chars().take(90).collect();
    [slugify(&name), slugify(&format!("{name} {end}"))]
}

impl Plan {
    /// Makes the plan. `taken` contains the slugs in use; `is_update_only` rejects products that do not exist.
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
        let planned_skus = HashMap::new();
        let mut planner =
            Planner { run, references, found, requested_slugs, taken, is_update_only, planned_skus, shortfalls: 0 };
        let steps = records.iter().map(|record| planner.step(record).unwrap_or_else(Step::Reject)).collect();
        Self { steps, shortfalls: planner.shortfalls }
    }

    /// Returns the products that change, sorted by ID.
    pub fn changed_ids(&self) -> Vec<ProductId> {
        let id = |step: &Step| if let Step::Update { id, .. } = step { Some(ProductId(*id)) } else { None };
        let mut ids: Vec<_> = self.steps.iter().filter_map(id).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns the stock changes, sorted by product.
    pub fn movements(&self) -> Vec<(ProductId, i32)> {
        let moves = self.steps.iter().filter_map(|step| match step {
            Step::Update { id, delta, .. } if *delta != 0 => Some((ProductId(*id), *delta)),
            _ => None,
        });
        let mut moves: Vec<_> = moves.collect();
        moves.sort_unstable();
        moves
    }

    /// Returns the products to create.
    pub fn new_states(&self) -> Vec<&BulkProduct> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Create(state) = step { Some(&**state) } else { None })
            .collect()
    }

    /// Returns the products of which more than the stock changes.
    pub fn changed_states(&self) -> Vec<&BulkProduct> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Update { state: Some(state), .. } = step { Some(&**state) } else { None })
            .collect()
    }
}

/// Plans row by row.
struct Planner<'a> {
    run: &'a Run<'a>,
    references: &'a References,
    found: &'a ExistingProducts,
    /// Slugs that rows require; they are not chosen for other products.
    requested_slugs: HashSet<&'a str>,
    /// Slugs in use, with the ID of the product.
    taken: HashMap<String, i64>,
    /// Whether products that do not exist are rejected.
    is_update_only: bool,
    /// SKUs of the existing products of earlier rows, which may have given up others.
    planned_skus: HashMap<i64, String>,
    /// See [`Plan`].
    shortfalls: u64,
}

impl<'a> Planner<'a> {
    fn step(&mut self, record: &ProductRecord) -> Result<Step, Rejection> {
        let known = self.known(record)?;
        if known.is_none() && self.is_update_only {
            return Err(Rejection::at("sku", "there is no such product"));
        }
        let mut state = match known {
            Some(known) => known.clone(),
            None => new_state(record)?,
        };
        apply(record, self.run, self.references, &mut state)?;
        // More units were sold than were in stock, and the difference is not on backorder.
        let has_shortfall = state.backorders == Backorders::Deny && state.stock < 0;
        if has_shortfall {
            state.stock = 0;
        }
        self.set_slug(record, known, &mut state)?;
        let is_same = known.is_some_and(|known| *known == state);
        if !is_same {
            check_state(&mut state, self.run.website.currency())?;
        }
        // Only accepted rows count as earlier ones, and for the report.
        self.shortfalls += u64::from(has_shortfall);
        self.taken.insert(state.slug.clone(), if state.id == 0 { NEW_PRODUCT_ID } else { state.id });
        if let Some(known) = known {
            self.planned_skus.insert(known.id, state.sku.clone());
            if is_same {
                return Ok(Step::Keep { id: known.id });
            }
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

    /// Returns the existing product of a row.
    fn known(&self, record: &ProductRecord) -> Result<Option<&'a BulkProduct>, Rejection> {
        let has_sku = |holder: &&BulkProduct| self.planned_skus.get(&holder.id).is_none_or(|sku| *sku == record.sku);
        let holder = self.found.by_sku(&record.sku).filter(has_sku);
        let known = match (self.found.by_external_id(record), holder) {
            (Some(known), Some(holder)) if known.id != holder.id => return Err(sku_conflict(record, holder)),
            (Some(known), _) => known,
            (None, Some(holder)) if ExistingProducts::may_update(self.run, record, holder) => holder,
            (None, Some(holder)) => return Err(sku_conflict(record, holder)),
            (None, None) => return Ok(None),
        };
        match self.planned_skus.contains_key(&known.id) {
            true => Err(Rejection::at("external_id", "an earlier row of the file has the same product")),
            false => Ok(Some(known)),
        }
    }

    /// Sets the slug that a row requires, or chooses one for a new product.
    fn set_slug(
        &self,
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
            (Some(_), None, _) => {}
            (Some(_), Some(NEW_PRODUCT_ID), _) => {
                return Err(Rejection::at("slug", "an earlier row of the file has this slug"));
            }
            // The slug belongs to another website's product; the product keeps the slug that was chosen for it earlier.
            (Some(_), Some(_), Some(known)) if known.slug == second || known.slug == last() => {
                state.slug.clone_from(&known.slug);
            }
            (Some(_), Some(_), Some(_)) => return Err(Rejection::at("slug", "another product has this slug")),
            (_, _, None) => {
                let is_free =
                    |slug: &String| !self.taken.contains_key(slug) && !self.requested_slugs.contains(slug.as_str());
                state.slug = [first, second.clone()].into_iter().find(is_free).unwrap_or_else(last);
            }
            (None, ..) => {}
        }
        Ok(())
    }
}

/// Returns the rejection of a row whose SKU belongs to another product.
fn sku_conflict(record: &ProductRecord, holder: &BulkProduct) -> Rejection {
    let id = |id: &Option<String>| {
        id.as_ref().map_or_else(|| "no external ID".to_owned(), |id| format!("the external ID {id:?}"))
    };
    let (own, other) = (id(&record.external_id), id(&holder.external_id));
    let rule = format!(
        "another product has this SKU: the row has {own} and the SKU {:?}, the product has {other} and the SKU {:?}; correct \
         the row, or match products by SKU if both are the same product",
        record.sku, holder.sku
    );
    Rejection::at("sku", rule)
}

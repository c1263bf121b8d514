//! Stock: adjustments, the ledger, and who sees the available quantity.

mod adjustments;
mod ledger;
mod visibility;

//! Stock: adjustments, the ledger, and who sees the available quantity.

mod adjustments;
mod inventory_policy;
mod ledger;
mod visibility;

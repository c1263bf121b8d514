//! Stock: corrections, the ledger, and who sees the available quantity.

mod corrections;
mod ledger;
mod visibility;

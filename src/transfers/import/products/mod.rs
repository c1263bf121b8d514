//! Products of a batch: found, compared, created and updated.
//! Rule: existing products are compared without locks; only products that change are locked, read again and written, so
//! that importing unchanged data blocks no other transaction.

pub mod actions;
pub mod model;
pub mod renames;
mod store;

//! Products of a batch: found, compared, created and changed.
//! Rule: existing products are compared without locks; only the products that change are locked, read again and written, so
//! that a file that says nothing new blocks nobody.

pub mod actions;
pub mod model;
mod store;

//! Sources: which website calls which thing what, and when a transfer last said so. Owns `sources`.
//! Rule: one row for each thing and website; what was made here, by hand or by a sale, has none.

pub mod model;
pub mod store;

//! Souk's own formats, CSV and JSON Lines: one table of columns for each resource, which both formats share.
//! Rule: a column that is absent leaves what is there, an empty cell clears it; what an export writes an import reads back
//! as the same value.

pub mod cells;
pub mod fields;
pub mod read;
pub mod rows;
pub mod write;

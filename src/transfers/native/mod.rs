//! Souk's own formats, CSV and JSON Lines, which share one list of columns per resource.
//! Rule: an absent column keeps the existing value, an empty cell clears it; importing an exported file gives the same
//! values.

pub mod cells;
pub mod fields;
pub mod read;
pub mod rows;
pub mod write;

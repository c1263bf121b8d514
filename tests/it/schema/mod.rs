//! The schema as a whole, across domains: its conventions, text inputs, and what every actor may select, see and write.
//! Rule: a matrix is generated from the printed schema, so that it covers every type and field without naming it.

mod catalog_access;
mod contract;
mod description;
mod federation;
mod field_access;
mod root_field_access;
mod row_access;
mod text_edges;
mod text_inputs;
mod uploads;

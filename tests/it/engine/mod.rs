//! The GraphQL engine: documents and their limits, field order, lists, filters, total counts, and batching.
//! Rule: what is tested here holds for every domain.

mod batching;
mod documents;
mod field_order;
mod filter_rows;
mod filters;
mod limits;
mod lists;
mod literals;
mod loaders;
mod name_order;
mod partial_results;
mod plain_fields;
mod shared_loads;
mod total_count;
mod variables;

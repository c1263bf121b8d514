//! Imports and exports: the importers of every resource, sales files, files of other shop systems, and exports.

mod addresses;
mod attributes;
mod currencies;
mod exports;
mod faulty_files;
mod ignored_columns;
mod image_imports;
mod import_edge_cases;
mod import_matching;
mod import_texts;
mod imported_stock;
pub(crate) mod imports;
mod imports_follow_the_file;
pub(crate) mod mutations;
mod rejects_round_trip;
mod sales_import;
mod shop_format_imports;
mod shop_formats;

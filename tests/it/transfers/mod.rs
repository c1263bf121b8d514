//! Imports and exports: the importers of every resource, sales files, files of other shop systems, and exports.

mod currencies;
mod exports;
mod import_edge_cases;
mod import_texts;
mod imports;
mod mutations;
mod sales_import;
mod shop_format_imports;
mod shop_formats;

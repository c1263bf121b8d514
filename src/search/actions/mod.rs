//! Use cases of search: finding, suggesting, search rules, and the jobs that keep the index up to date.

mod facets;
mod find;
mod interpret;
pub mod popularity;
pub mod reindex;
pub mod rules;
mod snippets;
pub mod suggest;
mod words;

pub use self::{
    find::{SearchResults, Selection, search},
    interpret::{Interpretation, interpret},
};

//! What can be done with the search: finding, suggesting, rules of merchants, and the jobs that keep the index up to date.

mod find;
pub mod reindex;
pub mod rules;
mod snippets;
pub mod suggest;
pub mod popularity;
mod interpret;

pub use self::{
    find::{SearchResults, Selection, search},
    interpret::{Interpretation, interpret},
};

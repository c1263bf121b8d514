//! What can be done with the search: finding, suggesting, rules of merchants, and the jobs that keep the index up to date.

mod find;
pub mod index;
pub mod rules;
mod snippets;
pub mod suggest;
pub mod tend;
mod understand;

pub use self::{
    find::{Found, Selected, search},
    understand::{Understood, understand},
};

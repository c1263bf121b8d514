//! Pictures of products. Owns `media` and `images`.
//! Rule: a picture is its content. `media` is named by the SHA-256 of the file that came, its renditions lie in the store under
//! that name, and a row or a file that nothing names any more is swept an hour later.

pub mod actions;
pub mod fetch;
pub mod model;
pub mod renditions;
pub mod store;

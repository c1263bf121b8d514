//! Images of products. Owns `media` and `images`.
//! Rule: images are content-addressed. `media` is identified by the SHA-256 of the original file and its renditions are
//! stored under that name; rows and files that nothing references are deleted after one hour.

pub mod actions;
pub mod fetch;
pub mod model;
pub mod renditions;
pub mod store;

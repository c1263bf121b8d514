//! Sources: the websites that resources come from, their external IDs there, and the transfers that last saw them. Owns
//! `sources`.
//! Rule: one row for each resource and website; resources created here, manually or by a sale, have none.

pub mod model;
pub mod store;

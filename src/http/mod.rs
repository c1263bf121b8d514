//! The doors over HTTP.

pub mod graphql;
pub mod ide;
pub mod params;
pub mod request_id;

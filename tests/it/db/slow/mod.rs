//! Slow tests of the database layer: they start PostgreSQL servers, or fill a database with tens of thousands of rows.

mod embedded;
mod plans;

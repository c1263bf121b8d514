//! Slow tests of categories: they fill a database with tens of thousands of rows.

mod subtrees;

//! What the tests stand on.

mod app;
pub mod build;
pub mod bulk;
mod db;
mod write;
mod plans;

pub use self::{
    app::{Actor, Answer, SECRET, TestApp},
    build::ProductSpec,
    db::{TestDb, ask},
};

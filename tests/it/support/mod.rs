//! What the tests stand on.

mod app;
pub mod build;
pub mod bulk;
mod db;
mod plans;
mod write;
pub mod process;
mod proxy;

pub use self::{
    app::{Actor, Answer, SECRET, TestApp},
    build::ProductSpec,
    db::{TestDb, ask},
    proxy::Proxy,
};

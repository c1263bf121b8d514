//! What the tests stand on.

mod answer;
pub mod app;
pub mod build;
pub mod bulk;
pub mod calls;
mod client;
mod db;
pub mod edges;
pub mod eml;
pub mod forge;
pub mod form;
mod gate;
pub mod mailbox;
pub mod pay;
pub mod people;
mod plans;
pub mod process;
pub mod proof;
mod proxy;
pub mod psql;
pub mod sdl;
pub mod shopper;
pub mod smtp;
pub mod source;
pub mod visitors;
mod write;

pub use self::{
    answer::Answer,
    app::{Actor, PAYMENT_SECRET, SECRET, TestApp},
    build::ProductSpec,
    client::Client,
    db::{TestDb, ask},
    gate::{Gate, Stop},
    proxy::Proxy,
};

//! Mail: what souk writes to people. Owns no table: mail is queued as jobs, so it leaves after the transaction that wrote it
//! has committed, and never in a request.
//! Rule: what is queued is a template's name and its values. A token among them is a secret: the row is gone as soon as the
//! mail is sent, and an error never repeats it.

pub mod actions;
pub mod model;
pub mod templates;
pub mod transport;

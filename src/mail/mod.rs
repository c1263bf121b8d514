//! Emails sent by souk. The module owns no table: emails are queued as jobs, so they are sent after the transaction
//! that caused them has committed, and never during a request.
//! Rule: a queued email consists of a template name and its values. Tokens among the values are secret: the row is
//! deleted as soon as the email is sent, and errors never contain them.

pub mod actions;
pub mod model;
pub mod templates;
pub mod transport;

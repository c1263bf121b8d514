//! Emails: their text and templates, and how they are delivered.

mod delivery;
mod messages;

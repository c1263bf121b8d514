//! Search analytics: how searches and clicks are recorded, which searches are suggested to others, retention, and
//! reports.

mod recording;
mod reports;
mod suggestions_and_retention;

//! Search analytics: what is recorded of searches and clicks, when searches may be shared, and what the reports say.

mod recording;
mod reports;
mod suggestions_and_retention;

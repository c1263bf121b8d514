//! Subscriptions: which events there are, who gets them, and what they show.

mod columns;
mod resume;
mod slow;
mod visibility;

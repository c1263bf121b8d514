//! Products: creating, changing and deleting them, tags, weights and SEO texts, the order of lists, and offers of the
//! same product on several websites.

mod attributes;
mod creation;
mod lists;
mod mutations;
mod name_orders;
mod offers;

//! Products: creating, changing and deleting them, and offers of the same product on several websites.

mod mutations;
mod offers;

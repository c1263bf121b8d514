//! Products: creating, changing and deleting them, the order of lists, and offers of the same product on several
//! websites.

mod creation;
mod lists;
mod mutations;
mod offers;

//! `souk schema`.
//! Rule: it needs neither settings nor a database.

use super::{Outcome, print};
use crate::graphql;

pub(super) fn schema() -> Outcome {
    print(&graphql::sdl())
}

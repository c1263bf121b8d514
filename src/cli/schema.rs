//! `souk schema`.

use super::{Outcome, print};
use crate::graphql;

pub(super) fn schema() -> Outcome {
    print(&graphql::sdl())
}

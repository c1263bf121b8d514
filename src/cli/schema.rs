//! `souk schema`.
//! Rule: it needs neither settings nor a database.

use super::{CommandResult, print};
use crate::graphql;

pub(super) fn run() -> CommandResult {
    print(&graphql::sdl())
}

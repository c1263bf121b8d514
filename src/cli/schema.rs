//! `souk schema`: prints the GraphQL schema.
//! Rule: it requires neither settings nor a database.

use super::{CommandResult, print};
use crate::graphql;

pub(super) fn run() -> CommandResult {
    print(&graphql::sdl())
}

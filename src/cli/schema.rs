//! `souk schema`.

use super::Outcome;
use crate::graphql;

pub(super) fn schema() -> Outcome {
    print!("{}", graphql::sdl());
    Ok(())
}

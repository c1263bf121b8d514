//! What the response to an operation depends on, collected while the operation runs.
//! Rule: a response is cached only if all of its dependencies are known. A read without tags makes them unknown.

use std::sync::{Arc, Mutex};

use super::{Tag, Tags};
use crate::{auth::RequestOrigin, sync::lock};

/// What happens besides the response each time that an operation runs, such as recording a search.
#[derive(Clone)]
pub struct Effect {
    /// Does it for a request.
    pub run: Arc<dyn Fn(&RequestOrigin) + Send + Sync>,
    /// The text from which another server can make the effect again.
    pub text: Arc<str>,
}

/// The dependencies of one operation. Clones belong to the same operation.
#[derive(Clone, Default)]
pub struct Dependencies(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    tags: Tags,
    is_unknown: bool,
    effects: Vec<Effect>,
}

impl Dependencies {
    /// Notes that the response depends on these tags.
    pub fn add(&self, tags: impl IntoIterator<Item = Tag>) {
        lock(&self.0).tags.extend(tags);
    }

    /// Notes that the response depends on something without a tag, so that it must not be cached.
    pub fn add_unknown(&self) {
        lock(&self.0).is_unknown = true;
    }

    /// Adds what has to happen also when the response is taken from a cache.
    pub fn add_effect(&self, effect: Effect) {
        lock(&self.0).effects.push(effect);
    }

    /// Returns the tags and the effects, unless the response depends on something without a tag.
    pub fn take_known(&self) -> Option<(Tags, Vec<Effect>)> {
        let mut state = lock(&self.0);
        let taken = std::mem::take(&mut *state);
        state.is_unknown = taken.is_unknown;
        (!taken.is_unknown).then_some((taken.tags, taken.effects))
    }
}

//! The keys of nested lists: a page of the rows of one parent.
//! Rule: pages of the same list are one statement for all parents, and so are their counts.

use std::{collections::HashMap, sync::Arc};

use super::batching::LoaderKey;

/// A page of a nested list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageKey<P, L> {
    /// The kind of the parent.
    pub parent: P,
    /// The parent's key.
    pub id: i64,
    /// Which rows in which order.
    pub list: Arc<L>,
}

/// The keys of a batch by kind of parent and list: one statement for each, and a document has few.
pub fn group_by_list<P: LoaderKey, L: LoaderKey>(keys: Vec<PageKey<P, L>>) -> HashMap<(P, Arc<L>), Vec<i64>> {
    let mut groups: HashMap<(P, Arc<L>), Vec<i64>> = HashMap::new();
    for key in keys {
        groups.entry((key.parent, key.list)).or_default().push(key.id);
    }
    groups
}

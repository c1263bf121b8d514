//! Loader keys of nested lists: one page of the rows of one parent.
//! Rule: pages of the same list are read by one statement for all parents, and so are their counts.

use std::{collections::HashMap, sync::Arc};

use super::batching::LoaderKey;

/// Loader key of a page of a nested list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageKey<P, L> {
    /// Type of the parent.
    pub parent: P,
    /// Id of the parent.
    pub id: i64,
    /// Page, filter and sort order of the list.
    pub list: Arc<L>,
}

/// Groups the keys of a batch by parent type and list. Each group is one statement; a document has few of them.
pub fn group_by_list<P: LoaderKey, L: LoaderKey>(keys: Vec<PageKey<P, L>>) -> HashMap<(P, Arc<L>), Vec<i64>> {
    let mut groups: HashMap<(P, Arc<L>), Vec<i64>> = HashMap::new();
    for key in keys {
        groups.entry((key.parent, key.list)).or_default().push(key.id);
    }
    groups
}

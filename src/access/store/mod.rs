//! SQL statements of access control, by topic.

pub mod keys;
pub mod roles;
pub mod sessions;
pub mod throttle;
pub mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    auth::{Grant, Permissions},
    ids::WebsiteId,
};

/// A row joined with one of its permissions and one of its websites.
type Joined<R> = (R, Option<String>, Option<WebsiteId>);

/// Groups joined rows into one item per key, ordered by key.
fn gather<R, K: Ord>(rows: Vec<Joined<R>>, key: impl Fn(&R) -> K) -> impl DoubleEndedIterator<Item = (R, Grant)> {
    let mut gathered: BTreeMap<K, (R, BTreeSet<String>, BTreeSet<WebsiteId>)> = BTreeMap::new();
    for (row, permission, website) in rows {
        let one = gathered.entry(key(&row)).or_insert_with(|| (row, BTreeSet::new(), BTreeSet::new()));
        one.1.extend(permission);
        one.2.extend(website);
    }
    gathered.into_values().map(|(row, codes, websites)| {
        let permissions = Permissions::from_codes(codes.iter().map(String::as_str));
        let websites = (!websites.is_empty()).then(|| websites.into_iter().collect());
        (row, Grant { permissions, websites })
    })
}

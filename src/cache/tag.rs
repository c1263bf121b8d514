//! Tags: names of what a cached value was made of.

use std::fmt;

/// What a cached value was made of: a resource, such as `product:17`, or the rows of a list, such as `list:products`.
/// The triggers that write the table `changes` use the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    name: &'static str,
    id: Option<i64>,
}

impl Tag {
    /// Returns the tag of a resource, or of a list of the products of a category or another parent.
    pub const fn of(name: &'static str, id: i64) -> Self {
        Self { name, id: Some(id) }
    }

    /// Returns the tag of all rows of a type.
    pub const fn list(name: &'static str) -> Self {
        Self { name, id: None }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.id.map_or(Ok(()), |id| write!(f, ":{id}"))
    }
}

/// Tags, each once.
pub type Tags = std::collections::BTreeSet<Tag>;

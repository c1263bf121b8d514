//! Rows, inputs and validation of categories.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::categories},
    error::Result,
    ids::CategoryId,
    paging::SortKey,
    text::{Validator, check_page_texts},
};

/// A row of `categories`: a node of the tree.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = categories, check_for_backend(diesel::pg::Pg))]
pub struct CategoryRow {
    /// Primary key.
    pub id: CategoryId,
    /// Parent category; none for a root.
    pub parent_id: Option<CategoryId>,
    /// Display name.
    pub name: String,
    /// Unique name in URLs.
    pub slug: String,
    /// Description.
    pub description: String,
    /// Sort position among its siblings.
    pub position: i32,
    /// Ids from the root to the category itself.
    pub path: Vec<CategoryId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

/// Fields of a new category.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = categories)]
pub struct NewCategory {
    /// See [`CategoryRow`].
    pub parent_id: Option<CategoryId>,
    /// See [`CategoryRow`].
    pub name: String,
    /// See [`CategoryRow`]; empty to derive one from the name.
    pub slug: String,
    /// See [`CategoryRow`].
    pub description: String,
    /// See [`CategoryRow`]; after its siblings if absent.
    pub position: Option<i32>,
    /// Set by the database.
    pub path: Vec<CategoryId>,
}

/// Changes to a category; absent fields keep their values, an inner `None` clears them.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = categories)]
pub struct CategoryPatch {
    /// See [`CategoryRow`].
    pub parent_id: Option<Option<CategoryId>>,
    /// See [`CategoryRow`].
    pub name: Option<String>,
    /// See [`CategoryRow`].
    pub slug: Option<String>,
    /// See [`CategoryRow`].
    pub description: Option<String>,
    /// See [`CategoryRow`].
    pub position: Option<i32>,
}

impl CategoryPatch {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        check_page_texts(&mut validator, self.name.as_mut(), self.slug.as_mut(), self.description.as_mut());
        validator.finish()?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl NewCategory {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        let slug = Some(&mut self.slug).filter(|slug| !slug.is_empty());
        check_page_texts(&mut validator, Some(&mut self.name), slug, Some(&mut self.description));
        validator.finish()?;
        Ok(self)
    }
}

/// A target position of a category among its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiblingPosition {
    /// Last child of this category, or last root without one.
    Last(Option<CategoryId>),
    /// Directly before this category.
    Before(CategoryId),
    /// Directly after this category.
    After(CategoryId),
}

/// Default gap between the positions of two siblings, so that most moves update no other category. The database uses
/// the same for new categories.
const POSITION_GAP: i32 = 1024;

/// Returns the position of a category at this index among its siblings, and the siblings that must be shifted with
/// their new positions. The siblings are in order and do not include the category itself.
pub fn allocate_position(siblings: &[(CategoryId, i32)], index: usize) -> (i32, Vec<(CategoryId, i32)>) {
    let (before, following) = siblings.split_at(index.min(siblings.len()));
    let (previous, next) =
        (before.last().map(|(_, at)| i64::from(*at)), following.first().map(|(_, at)| i64::from(*at)));
    let gap = i64::from(POSITION_GAP);
    let position = match (previous, next) {
        (None, None) => 0,
        (None, Some(next)) => next - gap,
        (Some(previous), None) => previous + gap,
        (Some(previous), Some(next)) if next - previous >= 2 => previous + (next - previous) / 2,
        (Some(previous), Some(_)) => previous + gap,
    };
    match (i32::try_from(position), push(following, position)) {
        (Ok(position), Some(pushed)) => (position, pushed),
        _ => renumber(siblings, index),
    }
}

/// Returns the requested position of a category, and the siblings that must be shifted because one of them has it. The
/// siblings are in order and do not include the category itself.
pub fn claim_position(siblings: &[(CategoryId, i32)], position: i32) -> (i32, Vec<(CategoryId, i32)>) {
    let index = siblings.partition_point(|(_, at)| *at < position);
    match push(&siblings[index..], i64::from(position)) {
        Some(pushed) => (position, pushed),
        None => renumber(siblings, index),
    }
}

/// Shifts the siblings after a position as far as necessary; none if a position would overflow.
fn push(following: &[(CategoryId, i32)], position: i64) -> Option<Vec<(CategoryId, i32)>> {
    let mut taken = position;
    let pushed = following.iter().map_while(|(id, at)| {
        (i64::from(*at) <= taken).then(|| {
            taken += i64::from(POSITION_GAP);
            (*id, taken)
        })
    });
    pushed.map(|(id, at)| Some((id, i32::try_from(at).ok()?))).collect()
}

/// Like [`allocate_position`], for positions that would overflow: renumbers all siblings.
fn renumber(siblings: &[(CategoryId, i32)], index: usize) -> (i32, Vec<(CategoryId, i32)>) {
    let at = |rank: usize| i32::try_from(rank).unwrap_or(i32::MAX).saturating_mul(POSITION_GAP);
    let rank = |sibling: usize| if sibling < index { sibling } else { sibling + 1 };
    (at(index), siblings.iter().enumerate().map(|(sibling, (id, _))| (*id, at(rank(sibling)))).collect())
}

/// A filter condition on categories.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CategoryCondition {
    /// By id.
    Id(Op<CategoryId>),
    /// By name.
    Name(Op<String>),
    /// By slug.
    Slug(Op<String>),
    /// By parent; `IsNull(true)` for roots.
    Parent(Op<CategoryId>),
    /// Descendants of any of these categories, at any depth.
    Below(Vec<CategoryId>),
}

/// Fields that categories can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum CategoryOrderField {
    /// Position among its siblings.
    #[default]
    Position,
    /// Name of the category.
    Name,
}

impl CategoryOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::Position => "categories:position",
            Self::Name => "categories:name",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &CategoryRow) -> SortKey {
        match self {
            Self::Position => SortKey::Int(row.position),
            Self::Name => SortKey::Text(row.name.clone()),
        }
    }
}

/// A category with all columns that an import writes.
#[derive(Debug, Clone, Copy)]
pub struct ImportedCategory<'a> {
    /// Primary key.
    pub id: i64,
    /// Parent, if it is not a root.
    pub parent_id: Option<i64>,
    /// Name.
    pub name: &'a str,
    /// Name in URLs.
    pub slug: &'a str,
    /// Description.
    pub description: &'a str,
    /// Position among its siblings; if absent, a category with a new parent becomes its last child, and others stay.
    pub position: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inserts a category at this index among siblings with these positions, checks the resulting order, and returns
    /// the number of shifted siblings.
    fn put(positions: &[i32], index: usize) -> usize {
        let siblings: Vec<_> = (1..).map(CategoryId).zip(positions.iter().copied()).collect();
        let (position, pushed) = allocate_position(&siblings, index);
        let mut after: Vec<_> = siblings
            .iter()
            .map(|(id, at)| (pushed.iter().find(|(moved, _)| moved == id).map_or(*at, |(_, at)| *at), *id))
            .collect();
        // The new category has the largest id, so an equal position would sort it wrongly.
        after.push((position, CategoryId(i64::MAX)));
        after.sort_unstable();
        let mut expected: Vec<_> = siblings.iter().map(|(id, _)| *id).collect();
        expected.insert(index, CategoryId(i64::MAX));
        assert_eq!(after.iter().map(|(_, id)| *id).collect::<Vec<_>>(), expected, "{positions:?} at {index}");
        pushed.len()
    }

    #[test]
    fn inserting_moves_as_few_siblings_as_possible() {
        for (positions, index, moved) in [
            (&[][..], 0, 0),
            (&[0], 0, 0),
            (&[0], 1, 0),
            (&[0, 1024], 1, 0),
            (&[0, 2], 1, 0),
            (&[0, 1, 5000, 5001], 1, 1),
            (&[0, 0, 0, 0], 0, 0),
            (&[0, 0, 0, 0], 2, 2),
            (&[0, 0, 0, 0], 4, 0),
            (&[i32::MIN, 0], 0, 2),
            (&[0, i32::MAX], 2, 2),
            (&[i32::MAX - 1, i32::MAX], 1, 2),
            (&[i32::MIN, i32::MAX], 1, 0),
        ] {
            assert_eq!(put(positions, index), moved, "{positions:?} at {index}");
        }
    }

    #[test]
    fn a_requested_position_is_kept_and_shifts_only_those_who_have_it() {
        for (positions, wanted, expected) in [
            (&[][..], 7, (7, vec![])),
            (&[0, 1024], 5, (5, vec![])),
            (&[0, 1, 2], 1, (1, vec![(2, 1025), (3, 2049)])),
            (&[0, 1, 5000], 1, (1, vec![(2, 1025)])),
            (&[i32::MAX], i32::MAX, (0, vec![(1, 1024)])),
            (&[0, i32::MAX], i32::MIN, (i32::MIN, vec![])),
        ] {
            let siblings: Vec<_> = (1..).map(CategoryId).zip(positions.iter().copied()).collect();
            let (position, pushed) = claim_position(&siblings, wanted);
            let pushed: Vec<_> = pushed.into_iter().map(|(id, at)| (id.0, at)).collect();
            assert_eq!((position, pushed), expected, "{wanted} among {positions:?}");
        }
    }

    #[test]
    fn repeated_inserts_at_one_position_keep_the_order() {
        let mut positions = vec![0; 5];
        for round in 0..200 {
            for index in 0..=positions.len() {
                put(&positions, index);
            }
            let siblings: Vec<_> = (1..).map(CategoryId).zip(positions.iter().copied()).collect();
            let (position, pushed) = allocate_position(&siblings, 2);
            for (id, at) in pushed {
                positions[usize::try_from(id.0 - 1).expect("an index")] = at;
            }
            positions.insert(2, position);
            assert!(positions[2..].is_sorted_by(|a, b| a < b) || round == 0, "{positions:?}");
        }
    }
}

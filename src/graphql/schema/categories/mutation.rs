//! Mutations of categories.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    auth::Permission,
    categories::{
        actions,
        model::{CategoryPatch, NewCategory, SiblingPosition},
    },
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            guards::PermissionGuard,
            patch,
            payload::payload,
            scalars::{optional_id, patch_id},
        },
        schema::{
            categories::{Category, category},
            context::ContextExt,
        },
    },
    ids::{CategoryId, RowId},
    products::actions::categories::{ContentsPolicy, delete},
};

/// Input for `categoryCreate`.
#[derive(Debug, InputObject)]
pub struct CategoryCreateInput {
    /// ID of the parent category; omit it to create a root category.
    parent_id: Option<ID>,
    /// Display name, 1 to 255 characters.
    name: String,
    /// Unique name for URLs: `a-z`, `0-9` and single dashes, at most 200 characters. Defaults to a slug of the name.
    slug: Option<String>,
    /// Description, at most 20,000 characters. Defaults to an empty text.
    #[graphql(default)]
    description: String,
    /// Sort position among the categories with the same parent, in ascending order. A category that has this position,
    /// and as many after it as necessary, move down. Defaults to the last position.
    position: Option<i32>,
}

/// Input for `categoryUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct CategoryUpdateInput {
    /// ID of the category.
    id: ID,
    /// ID of the new parent category, of which the category becomes the last child unless `position` is given; null makes
    /// the category a root. Its descendants move with it.
    parent_id: MaybeUndefined<ID>,
    /// Display name, 1 to 255 characters. Cannot be null.
    name: MaybeUndefined<String>,
    /// Unique name for URLs: `a-z`, `0-9` and single dashes, at most 200 characters. Cannot be null.
    slug: MaybeUndefined<String>,
    /// Description, at most 20,000 characters.
    description: MaybeUndefined<String>,
    /// Sort position among the categories with the same parent, in ascending order. A category that has this position,
    /// and as many after it as necessary, move down. Cannot be null. Use `categoryMove` to place the category between two
    /// others.
    position: MaybeUndefined<i32>,
}

/// Input for `categoryMove`. Exactly one of `parentId` (which may be null), `before` and `after` must be
/// given.
#[derive(Debug, InputObject)]
pub struct CategoryMoveInput {
    /// ID of the category to move.
    id: ID,
    /// ID of the new parent category, of which the category becomes the last child; null makes it the last root
    /// category.
    parent_id: MaybeUndefined<ID>,
    /// ID of the category before which to place it.
    before: Option<ID>,
    /// ID of the category after which to place it.
    after: Option<ID>,
}

/// Input for `categoryDelete`. At most one of `moveTo` and `moveToParent` can be set.
#[derive(Debug, InputObject)]
pub struct CategoryDeleteInput {
    /// ID of the category.
    id: ID,
    /// ID of the category to which the children and products are moved.
    move_to: Option<ID>,
    /// Whether to move the children and products to the parent category. For a root category, the children become roots
    /// and the products have no category.
    #[graphql(default)]
    move_to_parent: bool,
}

payload! {
    /// Result of `categoryCreate`.
    CategoryCreatePayload {
        /// The created category.
        category: Category
    }
}
payload! {
    /// Result of `categoryUpdate`.
    CategoryUpdatePayload {
        /// The updated category.
        category: Category
    }
}
payload! {
    /// Result of `categoryMove`.
    CategoryMovePayload {
        /// The moved category.
        category: Category
    }
}
payload! {
    /// Result of `categoryDelete`.
    CategoryDeletePayload {
        /// ID of the deleted category.
        deleted_id: ID
    }
}

impl CategoryMoveInput {
    fn into_move(self) -> Result<(CategoryId, SiblingPosition)> {
        let id = CategoryId::parse("id", &self.id)?;
        let place = match (patch_id("parentId", self.parent_id)?, self.before, self.after) {
            (Some(parent), None, None) => SiblingPosition::Last(parent),
            (None, Some(sibling), None) => SiblingPosition::Before(CategoryId::parse("before", &sibling)?),
            (None, None, Some(sibling)) => SiblingPosition::After(CategoryId::parse("after", &sibling)?),
            _ => {
                let rule = "set exactly one of parentId, before and after";
                return Err(Error::user(UserErrorCode::Invalid, "parentId", rule));
            }
        };
        Ok((id, place))
    }
}

impl CategoryDeleteInput {
    fn contents(&self) -> Result<(CategoryId, ContentsPolicy)> {
        let id = CategoryId::parse("id", &self.id)?;
        let contents = match (&self.move_to, self.move_to_parent) {
            (None, false) => ContentsPolicy::RequireEmpty,
            (None, true) => ContentsPolicy::MoveToParent,
            (Some(other), false) => ContentsPolicy::MoveTo(CategoryId::parse("moveTo", other)?),
            (Some(_), true) => {
                let rule = "set only one of moveTo and moveToParent";
                return Err(Error::user(UserErrorCode::Invalid, "moveTo", rule));
            }
        };
        Ok((id, contents))
    }
}

/// Mutations of categories.
#[derive(Default)]
pub struct CategoryMutation;

#[object]
impl CategoryMutation {
    /// Creates a category. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category to create.")] input: CategoryCreateInput,
    ) -> Result<CategoryCreatePayload> {
        let created = async {
            let new = NewCategory {
                parent_id: optional_id("parentId", input.parent_id)?,
                slug: input.slug.unwrap_or_default(),
                name: input.name,
                description: input.description,
                position: input.position,
                path: Vec::new(),
            };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        CategoryCreatePayload::of(created.await.map(category))
    }

    /// Updates a category. With `parentId`, also moves it with its descendants. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the category.")] input: CategoryUpdateInput,
    ) -> Result<CategoryUpdatePayload> {
        let updated = async {
            let id = CategoryId::parse("id", &input.id)?;
            let patch = CategoryPatch {
                parent_id: patch_id("parentId", input.parent_id)?,
                name: patch::required("name", input.name)?,
                slug: patch::required("slug", input.slug)?,
                description: patch::text(input.description),
                position: patch::required("position", input.position)?,
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        CategoryUpdatePayload::of(updated.await.map(category))
    }

    /// Moves a category with its descendants to another parent, or before or after another category. Requires
    /// `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category and its new place.")] input: CategoryMoveInput,
    ) -> Result<CategoryMovePayload> {
        let moved = async {
            let (id, place) = input.into_move()?;
            actions::relocate(ctx.db(), ctx.viewer(), id, place).await
        };
        CategoryMovePayload::of(moved.await.map(category))
    }

    /// Deletes a category. Fails with the number of children and products if it has any, unless the input says where to
    /// move them. Requires `MANAGE_CATALOGUE`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category to delete.")] input: CategoryDeleteInput,
    ) -> Result<CategoryDeletePayload> {
        let deleted = async {
            let (id, contents) = input.contents()?;
            delete(ctx.db(), ctx.viewer(), id, contents).await?;
            Ok(input.id.clone())
        };
        CategoryDeletePayload::of(deleted.await)
    }
}

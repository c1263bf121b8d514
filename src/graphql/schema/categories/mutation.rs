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
    text::slugify,
};

/// A category to be.
#[derive(Debug, InputObject)]
pub struct CategoryCreateInput {
    /// The category above; absent for a root.
    parent_id: Option<ID>,
    /// Name for people, 1 to 255 characters.
    name: String,
    /// Name in URLs, unique; made from the name where absent.
    slug: Option<String>,
    /// Text for people, at most 20,000 characters.
    #[graphql(default)]
    description: String,
    /// Place among its siblings, the smallest first; behind all of them where absent.
    position: Option<i32>,
}

/// A change of a category: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct CategoryUpdateInput {
    /// Which category.
    id: ID,
    /// The category above; null makes it a root. All that is below moves along.
    parent_id: MaybeUndefined<ID>,
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Name in URLs, unique.
    slug: MaybeUndefined<String>,
    /// Text for people, at most 20,000 characters.
    description: MaybeUndefined<String>,
    /// Place among its siblings, the smallest first; `categoryMove` finds one between two others.
    position: MaybeUndefined<i32>,
}

/// Where a category goes, with all that is below it: the last of those below `parentId`, or beside another one.
#[derive(Debug, InputObject)]
pub struct CategoryMoveInput {
    /// Which category.
    id: ID,
    /// Below which category, as the last; null makes it the last of the roots.
    parent_id: MaybeUndefined<ID>,
    /// Right before this category.
    before: Option<ID>,
    /// Right behind this category.
    after: Option<ID>,
}

/// Which category to delete, and where that goes which is in it.
#[derive(Debug, InputObject)]
pub struct CategoryDeleteInput {
    /// Which category.
    id: ID,
    /// The category to which its children and products go.
    move_to: Option<ID>,
    /// Whether its children and products go to the category above it. From a root the children become roots, and the
    /// products have no category.
    #[graphql(default)]
    move_to_parent: bool,
}

payload! {
    /// The answer of `categoryCreate`.
    CategoryCreatePayload {
        /// The new category.
        category: Category
    }
}
payload! {
    /// The answer of `categoryUpdate`.
    CategoryUpdatePayload {
        /// The category as it is now.
        category: Category
    }
}
payload! {
    /// The answer of `categoryMove`.
    CategoryMovePayload {
        /// The category as it is now.
        category: Category
    }
}
payload! {
    /// The answer of `categoryDelete`.
    CategoryDeletePayload {
        /// The id of the category that is gone.
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
                let rule = "say one of these: below which category, or right before or behind which";
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
                let rule = "what is in it goes to one category: say moveTo or moveToParent";
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
    /// Makes a category. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category to be.")] input: CategoryCreateInput,
    ) -> Result<CategoryCreatePayload> {
        let created = async {
            let new = NewCategory {
                parent_id: optional_id("parentId", input.parent_id)?,
                slug: input.slug.unwrap_or_else(|| slugify(&input.name)),
                name: input.name.trim().to_owned(),
                description: input.description,
                position: 0,
                path: Vec::new(),
            };
            actions::create(ctx.db(), ctx.viewer(), new, input.position).await
        };
        CategoryCreatePayload::of(created.await.map(category))
    }

    /// Changes a category, or moves it with all that is below it. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: CategoryUpdateInput,
    ) -> Result<CategoryUpdatePayload> {
        let updated = async {
            let id = CategoryId::parse("id", &input.id)?;
            let patch = CategoryPatch {
                parent_id: patch_id("parentId", input.parent_id)?,
                name: patch::required("name", input.name)?.map(|name: String| name.trim().to_owned()),
                slug: patch::required("slug", input.slug)?,
                description: patch::text(input.description),
                position: patch::required("position", input.position)?,
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        CategoryUpdatePayload::of(updated.await.map(category))
    }

    /// Moves a category with all that is below it: below another one, or to a place among its siblings. Requires
    /// MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes where.")] input: CategoryMoveInput,
    ) -> Result<CategoryMovePayload> {
        let moved = async {
            let (id, place) = input.into_move()?;
            actions::relocate(ctx.db(), ctx.viewer(), id, place).await
        };
        CategoryMovePayload::of(moved.await.map(category))
    }

    /// Deletes a category. Where it has children or products it says how many, and stays, unless told where they go. Requires
    /// MANAGE_CATALOGUE.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageCatalogue])")]
    async fn category_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] input: CategoryDeleteInput,
    ) -> Result<CategoryDeletePayload> {
        let deleted = async {
            let (id, contents) = input.contents()?;
            delete(ctx.db(), ctx.viewer(), id, contents).await?;
            Ok(input.id.clone())
        };
        CategoryDeletePayload::of(deleted.await)
    }
}

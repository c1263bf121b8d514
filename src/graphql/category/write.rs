//! Mutations of categories.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};

use super::{Category, category};
use crate::graphql::{
    context::ContextExt,
    guards::Needs,
    patch,
    payload::payload,
    scalars::{optional_id, patch_id},
};
use crate::{
    auth::Permission,
    categories::{
        actions,
        model::{CategoryPatch, NewCategory},
    },
    error::Result,
    ids::{CategoryId, RowId},
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
    /// Place among its siblings, the smallest first.
    #[graphql(default)]
    position: i32,
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
    /// Place among its siblings, the smallest first.
    position: MaybeUndefined<i32>,
}

/// Which category to delete.
#[derive(Debug, InputObject)]
pub struct CategoryDeleteInput {
    /// Which category.
    id: ID,
}

payload! {
    /// The answer of `categoryCreate`.
    CategoryCreatePayload / CategoryCreateObject {
        /// The new category.
        category: Category
    }
}
payload! {
    /// The answer of `categoryUpdate`.
    CategoryUpdatePayload / CategoryUpdateObject {
        /// The category as it is now.
        category: Category
    }
}
payload! {
    /// The answer of `categoryDelete`.
    CategoryDeletePayload / CategoryDeleteObject {
        /// The id of the category that is gone.
        deleted_id: ID
    }
}

/// Mutations of categories.
#[derive(Default)]
pub struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Makes a category. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
    async fn category_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category to be.")] input: CategoryCreateInput,
    ) -> Result<CategoryCreatePayload> {
        let created = async {
            let new = NewCategory {
                parent_id: optional_id("parentId", input.parent_id)?,
                slug: input.slug.unwrap_or_else(|| slugify(&input.name)),
                name: input.name,
                description: input.description,
                position: input.position,
                path: Vec::new(),
            };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        CategoryCreateObject::of(created.await.map(category))
    }

    /// Changes a category, or moves it with all that is below it. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
    async fn category_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: CategoryUpdateInput,
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
        CategoryUpdateObject::of(updated.await.map(category))
    }

    /// Deletes a category that has neither children nor products. Requires MANAGE_CATALOGUE.
    #[graphql(guard = "Needs(&[Permission::ManageCatalogue])")]
    async fn category_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] input: CategoryDeleteInput,
    ) -> Result<CategoryDeletePayload> {
        let deleted = async {
            let id = CategoryId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        CategoryDeleteObject::of(deleted.await)
    }
}

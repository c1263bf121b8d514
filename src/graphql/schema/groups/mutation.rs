//! Mutations of groups, and how a product tells its options.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, patch, payload::payload},
        schema::{
            context::ContextExt,
            groups::{ProductGroup, product_group},
        },
    },
    groups::{
        actions,
        model::{NewProductGroup, OptionValue, ProductGroupPatch},
    },
    ids::{ProductGroupId, RowId, WebsiteId},
    text::slugify,
};

/// What a product has for an option of its group.
#[derive(Debug, InputObject)]
pub struct ProductOptionInput {
    /// The option's name, as the group has it in `variesBy`.
    name: String,
    /// The value, 1 to 100 characters.
    value: String,
}

/// The options of an input.
pub fn into_option_values(given: Vec<ProductOptionInput>) -> Vec<OptionValue> {
    given.into_iter().map(|ProductOptionInput { name, value }| OptionValue { name, value }).collect()
}

/// A group to be.
#[derive(Debug, InputObject)]
pub struct ProductGroupCreateInput {
    /// The website that sells its products; it can never be changed.
    source_website_id: ID,
    /// Name for people, 1 to 255 characters.
    name: String,
    /// Name in URLs, unique; made from the name where absent.
    slug: Option<String>,
    /// Text for people, at most 20,000 characters.
    #[graphql(default)]
    description: String,
    /// The names of the options that its products differ in: 1 to 5, each 1 to 50 characters.
    varies_by: Vec<String>,
}

/// A change of a group: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct ProductGroupUpdateInput {
    /// Which group.
    id: ID,
    /// Name for people, 1 to 255 characters.
    name: MaybeUndefined<String>,
    /// Name in URLs, unique.
    slug: MaybeUndefined<String>,
    /// Text for people, at most 20,000 characters.
    description: MaybeUndefined<String>,
    /// The names of the options that its products differ in: 1 to 5, each 1 to 50 characters. While it has products, an
    /// option may get another name, but none comes, goes or changes its place.
    varies_by: MaybeUndefined<Vec<String>>,
}

/// Which group to delete.
#[derive(Debug, InputObject)]
pub struct ProductGroupDeleteInput {
    /// Which group.
    id: ID,
}

payload! {
    /// The answer of `productGroupCreate`.
    ProductGroupCreatePayload {
        /// The new group.
        product_group: ProductGroup
    }
}
payload! {
    /// The answer of `productGroupUpdate`.
    ProductGroupUpdatePayload {
        /// The group as it is now.
        product_group: ProductGroup
    }
}
payload! {
    /// The answer of `productGroupDelete`.
    ProductGroupDeletePayload {
        /// The id of the group that is gone.
        deleted_id: ID
    }
}

/// Mutations of groups.
#[derive(Default)]
pub struct ProductGroupMutation;

#[object]
impl ProductGroupMutation {
    /// Makes a group of products without any: `productCreate` and `productUpdate` put them in. Requires MANAGE_PRODUCTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_group_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group to be.")] input: ProductGroupCreateInput,
    ) -> Result<ProductGroupCreatePayload> {
        let created = async {
            let new = NewProductGroup {
                source_website_id: WebsiteId::parse("sourceWebsiteId", &input.source_website_id)?,
                slug: input.slug.unwrap_or_else(|| slugify(&input.name)),
                name: input.name,
                description: input.description,
                varies_by: input.varies_by,
            };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        ProductGroupCreatePayload::of(created.await.map(product_group))
    }

    /// Changes a group of products. Requires MANAGE_PRODUCTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_group_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ProductGroupUpdateInput,
    ) -> Result<ProductGroupUpdatePayload> {
        let updated = async {
            let id = ProductGroupId::parse("id", &input.id)?;
            let patch = ProductGroupPatch {
                name: patch::required("name", input.name)?,
                slug: patch::required("slug", input.slug)?,
                description: patch::text(input.description),
                varies_by: patch::required("variesBy", input.varies_by)?,
            };
            actions::update(ctx.db(), ctx.viewer(), id, patch).await
        };
        ProductGroupUpdatePayload::of(updated.await.map(product_group))
    }

    /// Deletes a group that no product is in. Requires MANAGE_PRODUCTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_group_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which group.")] input: ProductGroupDeleteInput,
    ) -> Result<ProductGroupDeletePayload> {
        let deleted = async {
            let id = ProductGroupId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        ProductGroupDeletePayload::of(deleted.await)
    }
}

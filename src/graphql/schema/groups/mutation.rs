//! Mutations of product groups, and the input of a product's option values.

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
};

/// Value of a product for an option of its group.
#[derive(Debug, InputObject)]
pub struct ProductOptionInput {
    /// Name of the option, as in the group's `variesBy`.
    name: String,
    /// Value of the option, 1 to 100 characters.
    value: String,
}

/// Converts the options of an input.
pub fn into_option_values(given: Vec<ProductOptionInput>) -> Vec<OptionValue> {
    given.into_iter().map(|ProductOptionInput { name, value }| OptionValue { name, value }).collect()
}

/// Input for `productGroupCreate`.
#[derive(Debug, InputObject)]
pub struct ProductGroupCreateInput {
    /// ID of the website that sells the products. It cannot be changed later.
    source_website_id: ID,
    /// Display name, 1 to 255 characters.
    name: String,
    /// Unique name for URLs: `a-z`, `0-9` and single dashes, at most 200 characters. Defaults to a slug of the name.
    slug: Option<String>,
    /// Description, at most 20,000 characters. Defaults to an empty text.
    #[graphql(default)]
    description: String,
    /// Names of the options in which the products differ: 1 to 5 names of 1 to 50 characters.
    varies_by: Vec<String>,
}

/// Input for `productGroupUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct ProductGroupUpdateInput {
    /// ID of the product group.
    id: ID,
    /// Display name, 1 to 255 characters. Cannot be null.
    name: MaybeUndefined<String>,
    /// Unique name for URLs: `a-z`, `0-9` and single dashes, at most 200 characters. Cannot be null.
    slug: MaybeUndefined<String>,
    /// Description, at most 20,000 characters.
    description: MaybeUndefined<String>,
    /// Names of the options in which the products differ: 1 to 5 names of 1 to 50 characters. While the group has
    /// products, options can be renamed, but not added, removed or reordered. Cannot be null.
    varies_by: MaybeUndefined<Vec<String>>,
}

/// Input for `productGroupDelete`.
#[derive(Debug, InputObject)]
pub struct ProductGroupDeleteInput {
    /// ID of the product group.
    id: ID,
}

payload! {
    /// Result of `productGroupCreate`.
    ProductGroupCreatePayload {
        /// The created product group.
        product_group: ProductGroup
    }
}
payload! {
    /// Result of `productGroupUpdate`.
    ProductGroupUpdatePayload {
        /// The updated product group.
        product_group: ProductGroup
    }
}
payload! {
    /// Result of `productGroupDelete`.
    ProductGroupDeletePayload {
        /// ID of the deleted product group.
        deleted_id: ID
    }
}

/// Mutations of product groups.
#[derive(Default)]
pub struct ProductGroupMutation;

#[object]
impl ProductGroupMutation {
    /// Creates an empty product group. Use `productCreate` and `productUpdate` to add products. Requires
    /// `MANAGE_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_group_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product group to create.")] input: ProductGroupCreateInput,
    ) -> Result<ProductGroupCreatePayload> {
        let created = async {
            let new = NewProductGroup {
                source_website_id: WebsiteId::parse("sourceWebsiteId", &input.source_website_id)?,
                slug: input.slug.unwrap_or_default(),
                name: input.name,
                description: input.description,
                varies_by: input.varies_by,
            };
            actions::create(ctx.db(), ctx.viewer(), new).await
        };
        ProductGroupCreatePayload::of(created.await.map(product_group))
    }

    /// Updates a product group. Requires `MANAGE_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_group_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the product group.")] input: ProductGroupUpdateInput,
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

    /// Deletes a product group that has no products. Requires `MANAGE_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_group_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product group to delete.")] input: ProductGroupDeleteInput,
    ) -> Result<ProductGroupDeletePayload> {
        let deleted = async {
            let id = ProductGroupId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        ProductGroupDeletePayload::of(deleted.await)
    }
}

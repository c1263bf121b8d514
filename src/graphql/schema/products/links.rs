//! Mutations that link products as offers of the same item.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, payload::payload, scalars::parse_ids},
        schema::{
            context::ContextExt,
            products::{Product, product},
        },
    },
    ids::{ProductId, RowId},
    products::actions::links,
};

/// Input for `productLink`.
#[derive(Debug, InputObject)]
pub struct ProductLinkInput {
    /// IDs of the products to link, 2 to 50, from any websites.
    product_ids: Vec<ID>,
}

/// Input for `productUnlink`.
#[derive(Debug, InputObject)]
pub struct ProductUnlinkInput {
    /// ID of the product to unlink.
    product_id: ID,
}

payload! {
    /// Result of `productLink`.
    ProductLinkPayload {
        /// The first of the linked products; its `offers` are all of them.
        product: Product
    }
}
payload! {
    /// Result of `productUnlink`.
    ProductUnlinkPayload {
        /// The updated product.
        product: Product
    }
}

/// Mutation root for product links.
#[derive(Default)]
pub struct ProductLinkMutation;

#[object]
impl ProductLinkMutation {
    /// Links products that are the same item, together with all products that they are already linked with. Each linked
    /// product appears in the `offers` of the others. Products with the same GTIN need no link. Requires
    /// `MANAGE_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Products to link.")] input: ProductLinkInput,
    ) -> Result<ProductLinkPayload> {
        let linked = async {
            let ids = parse_ids::<ProductId>("productIds", &input.product_ids)?;
            links::link(ctx.db(), ctx.viewer(), ids).await
        };
        ProductLinkPayload::of(linked.await.map(product))
    }

    /// Removes a product from its linked products; the others stay linked. Requires `MANAGE_PRODUCTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_unlink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product to unlink.")] input: ProductUnlinkInput,
    ) -> Result<ProductUnlinkPayload> {
        let unlinked = async {
            let id = ProductId::parse("productId", &input.product_id)?;
            links::unlink(ctx.db(), ctx.viewer(), id).await
        };
        ProductUnlinkPayload::of(unlinked.await.map(product))
    }
}

//! Mutations that say which products are the same thing.

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

/// Products that are the same thing.
#[derive(Debug, InputObject)]
pub struct ProductLinkInput {
    /// Which products, 2 to 50, of whatever websites.
    product_ids: Vec<ID>,
}

/// A product that is not the same thing as those it is linked with.
#[derive(Debug, InputObject)]
pub struct ProductUnlinkInput {
    /// Which product.
    product_id: ID,
}

payload! {
    /// The answer of `productLink`.
    ProductLinkPayload {
        /// The first of the products; its `offers` are all of them.
        product: Product
    }
}
payload! {
    /// The answer of `productUnlink`.
    ProductUnlinkPayload {
        /// The product as it is now.
        product: Product
    }
}

/// Mutations of links.
#[derive(Default)]
pub struct ProductLinkMutation;

#[object]
impl ProductLinkMutation {
    /// Says that products are the same thing, with all that they were linked with before: each is in the `offers` of the
    /// others. Products with the same GTIN need no link. Requires MANAGE_PRODUCTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which products.")] input: ProductLinkInput,
    ) -> Result<ProductLinkPayload> {
        let linked = async {
            let ids = parse_ids::<ProductId>("productIds", &input.product_ids)?;
            links::link(ctx.db(), ctx.viewer(), ids).await
        };
        ProductLinkPayload::of(linked.await.map(product))
    }

    /// Takes a product out of what it is linked with; the others stay linked. Requires MANAGE_PRODUCTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageProducts])")]
    async fn product_unlink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which product.")] input: ProductUnlinkInput,
    ) -> Result<ProductUnlinkPayload> {
        let unlinked = async {
            let id = ProductId::parse("productId", &input.product_id)?;
            links::unlink(ctx.db(), ctx.viewer(), id).await
        };
        ProductUnlinkPayload::of(unlinked.await.map(product))
    }
}

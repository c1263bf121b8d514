//! GraphQL types of categories.

mod mutation;
mod query;

use self::query::{cursor, list_from_args};
pub use self::{
    mutation::*,
    query::{CategoryFilter, CategoryOrder, CategoryQuery, CategoryWhere},
};
use souk_macros::object;

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};

use crate::{
    cache::Tag,
    categories::{self, model::CategoryRow, store::CategoryList},
    db::PlanMode,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, TotalCount, short_list_cost},
            list_args::ListArgs,
            scalars::global_id,
        },
        schema::{
            context::ContextExt,
            media::{self, Image},
            nested_lists::{connection_of, nested_list},
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
        },
    },
    ids::{CategoryId, RowId},
    products::model::ProductParent,
};

/// A category of the category tree.
#[derive(Clone)]
pub struct Category(Arc<CategoryRow>);

resource! {
    Category(category) by CategoryId of CategoryRow,
    |conn, context, ids| categories::store::by_ids(conn, &ids), row => row.id,
    tag "category",
    cached Everyone, |row| row.description.len(),
}

nested_list! {
    /// Direct children of categories.
    ChildPages of ((), CategoryList) => CategoryRow,
    |conn, _, (), list, ids|
    rows categories::store::pages_by_parent_ids(conn, list, ids),
    counts categories::store::counts_by_parent_ids(conn, list, ids),
    plans PlanMode::Generic,
    tags |(), _| vec![Tag::list("list:categories")]
}

/// A category of products. Categories form a tree that all websites share.
#[object]
impl Category {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Display name of the category.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Unique name for URLs.
    fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Description of the category; empty if there is none.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// Image of the category. Null if it has none.
    async fn image(&self, ctx: &Context<'_>) -> Result<Option<Image>> {
        media::image_of(ctx, self.0.id).await
    }

    /// Sort position among the categories with the same parent, in ascending order.
    fn position(&self) -> i32 {
        self.0.position
    }

    /// Number of ancestors; 0 for a root category.
    fn depth(&self) -> i32 {
        i32::try_from(self.0.path.len()).unwrap_or(i32::MAX) - 1
    }

    /// Parent category; null for a root category.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        let Some(id) = self.0.parent_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(category))
    }

    /// Ancestors from the root to the parent, as needed for breadcrumbs. Empty for a root category.
    #[graphql(complexity = "4 * child_complexity")]
    async fn ancestors(&self, ctx: &Context<'_>) -> Result<Vec<Category>> {
        let above = self.0.path.iter().copied().filter(|id| *id != self.0.id);
        Ok(ctx.loaders().rows(above).await?.into_iter().map(category).collect())
    }

    /// Direct child categories, by default sorted by position.
    #[graphql(complexity = "short_list_cost(first, last, child_complexity)")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<CategoryWhere, CategoryOrder>,
    ) -> Result<Connection<Category>> {
        connection_of::<ChildPages, _>(ctx, (), self.0.id.key(), list_from_args(list_args)?, cursor, category).await
    }

    /// Products of the category that the viewer may see, by default newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
        #[graphql(desc = "Whether to include the products of all descendant categories; default: false.", default)]
        include_descendants: bool,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args, None).await?;
        products::of_parent(ctx, product_parent(include_descendants), self.0.id.key(), list).await
    }

    /// Number of products of the category that the viewer may see.
    async fn product_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether to include the products of all descendant categories; default: true.",
            default = true
        )]
        include_descendants: bool,
    ) -> Result<TotalCount> {
        products::count_of_parent(ctx, product_parent(include_descendants), self.0.id.key()).await
    }

    /// When the category was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the category was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

fn product_parent(include_descendants: bool) -> ProductParent {
    if include_descendants { ProductParent::CategoryTree } else { ProductParent::Category }
}

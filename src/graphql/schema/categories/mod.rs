//! Categories in the graph.

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
    categories::{self, model::CategoryRow, store::CategoryList},
    db::PlanMode,
    error::Result,
    graphql::{
        engine::{
            connections::{Connection, TotalCount},
            list_args::ListArgs,
            scalars::global_id,
        },
        schema::{
            context::ContextExt,
            loaders::{connection_of, nested_list},
            products::{self, Product, ProductOrder, ProductWhere},
            resource::resource,
        },
    },
    ids::{CategoryId, RowId},
    products::model::ProductParent,
};

/// A node of the tree of categories.
#[derive(Clone)]
pub struct Category(Arc<CategoryRow>);

resource! {
    Category(category) by CategoryId of CategoryRow,
    |conn, context, ids| categories::store::by_ids(conn, &ids), row => row.id,
}

nested_list! {
    /// The categories right below others.
    ChildPages of ((), CategoryList) => CategoryRow,
    |conn, _, (), list, ids|
    rows categories::store::pages_by_parent_ids(conn, list, ids),
    counts categories::store::counts_by_parent_ids(conn, list, ids),
    plans PlanMode::Generic
}

/// A node of the tree of categories, which all websites share.
#[object]
impl Category {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Name for people.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Name in URLs, unique.
    fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Text for people; empty where there is none.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// Place among its siblings, the smallest first.
    fn position(&self) -> i32 {
        self.0.position
    }

    /// How many categories lie above it; 0 for a root.
    fn depth(&self) -> i32 {
        i32::try_from(self.0.path.len()).unwrap_or(i32::MAX) - 1
    }

    /// The category above; null for a root.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        let Some(id) = self.0.parent_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(category))
    }

    /// The categories above, from the root down: the breadcrumbs.
    #[graphql(complexity = "4 * child_complexity")]
    async fn ancestors(&self, ctx: &Context<'_>) -> Result<Vec<Category>> {
        let above = self.0.path.iter().copied().filter(|id| *id != self.0.id);
        Ok(ctx.loaders().rows(above).await?.into_iter().map(category).collect())
    }

    /// The categories right below, by default in the order of their positions.
    async fn children(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<CategoryWhere, CategoryOrder>,
    ) -> Result<Connection<Category>> {
        connection_of::<ChildPages, _>(ctx, (), self.0.id.key(), list_from_args(list_args)?, cursor, category).await
    }

    /// The products of this category, by default the newest first.
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
        #[graphql(desc = "Whether those of the categories below, at any depth, are in it as well.", default)]
        include_descendants: bool,
    ) -> Result<Connection<Product>> {
        let list = products::list_from_args(ctx, list_args)?;
        products::of_parent(ctx, product_parent(include_descendants), self.0.id.key(), list).await
    }

    /// How many products there are in it that you may see.
    async fn product_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether those of the categories below, at any depth, count as well.", default = true)]
        include_descendants: bool,
    ) -> Result<TotalCount> {
        products::count_of_parent(ctx, product_parent(include_descendants), self.0.id.key()).await
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

fn product_parent(include_descendants: bool) -> ProductParent {
    if include_descendants { ProductParent::CategoryTree } else { ProductParent::Category }
}

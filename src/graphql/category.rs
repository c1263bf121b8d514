//! Categories in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};

use super::{
    connection::{Connection, connect, cost, list, nested, wants_total},
    container::{Ordered, Plain},
    context::ContextExt,
    filters::{Conditions, IdFilter, StringFilter},
    guards::Needs,
    loaders::PageKey,
    payload::payload,
    product::{self, Product, ProductOrder, ProductWhere, optional_id, patch_id},
    scalars::global,
};
use crate::{
    auth::Permission,
    categories::{
        actions,
        model::{CategoryCondition, CategoryOrderField, CategoryPatch, CategoryRow, NewCategory},
        store::{self, CategoryList},
    },
    db::filter::Filter,
    error::{Error, Result},
    ids::{CategoryId, RowId},
    paging::{Cursor, Direction},
    products::model::ProductParent,
    text::slugify,
};

/// See [`CategoryObject`].
pub type Category = Ordered<CategoryObject>;

/// A node of the tree of categories.
#[derive(Clone)]
pub struct CategoryObject(Arc<CategoryRow>);

impl Plain for CategoryObject {
    const PLAIN: &'static [&'static str] =
        &["id", "name", "slug", "description", "position", "depth", "createdAt", "updatedAt"];
}

/// The object of a row.
pub fn category(row: impl Into<Arc<CategoryRow>>) -> Category {
    Ordered(CategoryObject(row.into()))
}

/// A node of the tree of categories, which all websites share.
#[Object(name = "Category")]
impl CategoryObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Name in URLs, unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Text for people; empty where there is none.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Place among its siblings, the smallest first.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// How many categories lie above it; 0 for a root.
    async fn depth(&self) -> i32 {
        i32::try_from(self.0.path.len()).unwrap_or(i32::MAX) - 1
    }

    /// The category above; null for a root.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        let Some(id) = self.0.parent_id else { return Ok(None) };
        Ok(ctx.loaders().categories.load(id).await?.map(category))
    }

    /// The categories above, from the root down: the breadcrumbs.
    #[graphql(complexity = "4 * child_complexity")]
    async fn ancestors(&self, ctx: &Context<'_>) -> Result<Vec<Category>> {
        let above = self.0.path.iter().copied().filter(|id| *id != self.0.id);
        Ok(ctx.loaders().categories.load_many(above).await?.into_iter().map(category).collect())
    }

    /// The categories right below, by default in the order of their positions.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<CategoryWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<CategoryOrder>,
    ) -> Result<Connection<Category>> {
        let list = Arc::new(list_of(first, after, last, before, r#where, order_by)?);
        let key = PageKey { parent: (), id: self.0.id.key(), list: Arc::clone(&list) };
        nested(ctx, &ctx.loaders().children, key, |row| cursor(&list, row), category).await
    }

    /// The products of this very category, by default the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<ProductWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<ProductOrder>,
    ) -> Result<Connection<Product>> {
        let list = product::list_of(ctx, first, after, last, before, r#where, order_by)?;
        product::of_parent(ctx, ProductParent::Category, self.0.id.key(), list).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Which categories. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct CategoryWhere {
    /// All of these hold.
    and: Option<Vec<CategoryWhere>>,
    /// At least one of these holds.
    or: Option<Vec<CategoryWhere>>,
    /// This does not hold.
    not: Option<Box<CategoryWhere>>,
    /// By id.
    id: Option<IdFilter>,
    /// By name.
    name: Option<StringFilter>,
    /// By slug.
    slug: Option<StringFilter>,
    /// By the category above; `isNull: true` for the roots.
    parent: Option<IdFilter>,
}

impl CategoryWhere {
    fn filter(self) -> Result<Filter<CategoryCondition>> {
        use CategoryCondition as C;
        let mut all = Conditions::nested(self.and, self.or, self.not, Self::filter)?;
        all.id("id", self.id, C::Id)?;
        all.text("name", self.name, C::Name)?;
        all.text("slug", self.slug, C::Slug)?;
        all.id("parent", self.parent, C::Parent)?;
        all.all()
    }
}

/// The order of a list of categories.
#[derive(Debug, InputObject)]
pub struct CategoryOrder {
    /// By what.
    field: CategoryOrderField,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

fn list_of(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: Option<CategoryWhere>,
    order: Option<CategoryOrder>,
) -> Result<CategoryList> {
    let order = order.map(|by| (by.field, by.direction)).unwrap_or_default();
    list(first, after, last, before, filter.unwrap_or_default().filter()?, order, CategoryOrderField::list)
}

fn cursor(list: &CategoryList, row: &CategoryRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// Queries of categories.
#[derive(Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// One category, by its id or by its slug. Null where there is none.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
        #[graphql(desc = "Its slug.")] slug: Option<String>,
    ) -> Result<Option<Category>> {
        let found = match (id, slug) {
            (Some(id), None) => {
                let id = CategoryId::parse("id", &id)?;
                ctx.db().read(async |conn| Ok(store::by_ids(conn, &[id]).await?.pop())).await?
            }
            (None, Some(slug)) => ctx.db().read(async |conn| store::find_by_slug(conn, &slug).await).await?,
            _ => return Err(Error::bad_input("id", "name the category by id or by slug")),
        };
        Ok(found.map(category))
    }

    /// The categories, by default in the order of their positions; `where: {parent: {isNull: true}}` gives the roots.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end of the list, 1 to 100; not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only rows for which this holds.")] r#where: Option<CategoryWhere>,
        #[graphql(desc = "In which order; the id breaks ties.")] order_by: Option<CategoryOrder>,
    ) -> Result<Connection<Category>> {
        let list = list_of(first, after, last, before, r#where, order_by)?;
        let total = async {
            if !wants_total(ctx) {
                return Ok(None);
            }
            ctx.db().read(async |conn| store::count(conn, &list).await).await.map(Some)
        };
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let (rows, total) = futures_util::future::try_join(rows, total).await?;
        Ok(connect(list.page.finish(rows), total, |row| cursor(&list, row), category))
    }
}

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
    name: Option<String>,
    /// Name in URLs, unique.
    slug: Option<String>,
    /// Text for people, at most 20,000 characters.
    description: Option<String>,
    /// Place among its siblings, the smallest first.
    position: Option<i32>,
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
                name: input.name,
                slug: input.slug,
                description: input.description,
                position: input.position,
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

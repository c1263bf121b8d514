//! Queries of categories, with their filters and sort orders.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    cache::Tag,
    categories::{
        model::{CategoryCondition, CategoryOrderField, CategoryRow},
        store::{self, CategoryList},
    },
    db::filter::{Filter, Op},
    error::{Error, Result},
    graphql::{
        engine::{
            connections::{Connection, root_connection},
            filters::{FilterBuilder, IdFilter, StringFilter},
            list_args::{ListArgs, Where, order_by, where_input},
        },
        schema::{
            categories::{Category, category},
            context::ContextExt,
        },
    },
    ids::{CategoryId, RowId},
    paging::Cursor,
    text::trim,
};

/// Filter by ancestor category; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct AncestorFilter {
    /// Matches descendants of this category.
    eq: Option<ID>,
    /// Matches descendants of any of these categories (at most 100).
    r#in: Option<Vec<ID>>,
}

/// Filter by category; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct CategoryFilter {
    /// Matches this category.
    pub eq: Option<ID>,
    /// Matches any of these categories (at most 100).
    pub r#in: Option<Vec<ID>>,
    /// Matches items with (false) or without (true) a category.
    pub is_null: Option<bool>,
    /// Whether items of descendant categories match too; default: false.
    #[graphql(default)]
    pub include_descendants: bool,
}

impl CategoryFilter {
    /// Splits the filter into the condition on the id and whether descendants are included.
    pub fn split(self) -> (IdFilter, bool) {
        (IdFilter { eq: self.eq, r#in: self.r#in, is_null: self.is_null }, self.include_descendants)
    }
}

where_input! {
    /// Filters for categories; conditions are combined with AND.
    CategoryWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by slug.
        slug: Option<StringFilter>,
        /// Filter by parent category; `isNull: true` matches the root categories.
        parent: Option<IdFilter>,
        /// Filter by ancestor category, at any depth.
        ancestor: Option<AncestorFilter>,
    }
}

impl Where for CategoryWhere {
    type Condition = CategoryCondition;

    fn into_filter(self) -> Result<Filter<CategoryCondition>> {
        use CategoryCondition as C;
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, Self::into_filter)?;
        filter.id("id", self.id, C::Id)?;
        filter.text("name", self.name, C::Name)?;
        filter.text("slug", self.slug, C::Slug)?;
        filter.id("parent", self.parent, C::Parent)?;
        if let Some(AncestorFilter { eq, r#in }) = self.ancestor {
            filter.id("ancestor", Some(IdFilter { eq, r#in, is_null: None }), |op| match op {
                Op::In(ids) => C::Below(ids),
                Op::Eq(id) => C::Below(vec![id]),
                _ => C::Below(Vec::new()),
            })?;
        }
        filter.build()
    }
}

order_by! {
    /// Sort order of categories.
    CategoryOrder by CategoryOrderField
}

pub(super) fn list_from_args(list_args: ListArgs<CategoryWhere, CategoryOrder>) -> Result<CategoryList> {
    list_args.into_list(Default::default(), CategoryOrderField::list)
}

pub(super) fn cursor(list: &CategoryList, row: &CategoryRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// Tag of all categories.
const CATEGORIES: Tag = Tag::list("list:categories");

/// Queries of categories.
#[derive(Default)]
pub struct CategoryQuery;

#[object]
impl CategoryQuery {
    /// Returns a category by its ID or its slug. Exactly one of the two must be given. Null if there is none.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the category.")] id: Option<ID>,
        #[graphql(desc = "Slug of the category.")] slug: Option<String>,
    ) -> Result<Option<Category>> {
        let found = match (id, slug) {
            (Some(id), None) => {
                let id = CategoryId::parse("id", &id)?;
                let read = ctx.db().read(async |conn| Ok(store::by_ids(conn, &[id]).await?.pop()));
                ctx.read_tagged([Tag::of("category", id.key())], read).await?
            }
            (None, Some(slug)) => {
                let read = ctx.db().read(async |conn| store::find_by_slug(conn, trim(&slug)).await);
                ctx.read_tagged([CATEGORIES], read).await?
            }
            _ => return Err(Error::bad_input("id", "set either id or slug")),
        };
        Ok(found.map(category))
    }

    /// Categories, by default sorted by position; `where: {parent: {isNull: true}}` returns the root categories.
    async fn categories(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<CategoryWhere, CategoryOrder>,
    ) -> Result<Connection<Category>> {
        let list = list_from_args(list_args)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        let (rows, count) = (ctx.read_tagged([CATEGORIES], rows), ctx.read_tagged([CATEGORIES], count));
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), category).await
    }
}

//! Lists of categories: filters, orders, queries.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
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
};

/// Conditions on the categories above another one. Both hold together.
#[derive(Debug, Default, InputObject)]
pub struct AncestorFilter {
    /// This is one of them.
    eq: Option<ID>,
    /// One of these is, at most 100.
    r#in: Option<Vec<ID>>,
}

/// Conditions on a category. Several hold together.
#[derive(Debug, Default, InputObject)]
pub struct CategoryFilter {
    /// It is this one.
    pub eq: Option<ID>,
    /// It is one of these, at most 100.
    pub r#in: Option<Vec<ID>>,
    /// There is none (true), or any (false).
    pub is_null: Option<bool>,
    /// Whether what is in the categories below, at any depth, counts as well.
    #[graphql(default)]
    pub include_descendants: bool,
}

impl CategoryFilter {
    /// The condition on the id, and whether what is below counts.
    pub fn split(self) -> (IdFilter, bool) {
        (IdFilter { eq: self.eq, r#in: self.r#in, is_null: self.is_null }, self.include_descendants)
    }
}

where_input! {
    /// Which categories. Several fields hold together.
    CategoryWhere {
        /// By id.
        id: Option<IdFilter>,
        /// By name.
        name: Option<StringFilter>,
        /// By slug.
        slug: Option<StringFilter>,
        /// By the category above; `isNull: true` for the roots.
        parent: Option<IdFilter>,
        /// By the categories above, at any depth: those below this one, or below one of these.
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
    /// The order of a list of categories.
    CategoryOrder by CategoryOrderField
}

pub(super) fn list_from_args(list_args: ListArgs<CategoryWhere, CategoryOrder>) -> Result<CategoryList> {
    list_args.into_list(Default::default(), CategoryOrderField::list)
}

pub(super) fn cursor(list: &CategoryList, row: &CategoryRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// Queries of categories.
#[derive(Default)]
pub struct CategoryQuery;

#[object]
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
    async fn categories(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<CategoryWhere, CategoryOrder>,
    ) -> Result<Connection<Category>> {
        let list = list_from_args(list_args)?;
        let rows = ctx.db().read(async |conn| store::page(conn, &list).await);
        let count = ctx.db().read(async |conn| store::count(conn, &list).await);
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), category).await
    }
}

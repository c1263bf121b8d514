//! Every statement on categories.

use diesel::{pg::Pg, prelude::*};
use diesel_async::RunQueryDsl;

use super::model::{CategoryCondition, CategoryOrderField, CategoryPatch, CategoryRow, NewCategory};
use crate::{
    db::{
        Conn,
        filter::Condition,
        sql::{CountUpTo, ParentId, PerParent, op, text_op},
        tables::categories,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::CategoryId,
    paged,
    paging::List,
};

/// A list of categories.
pub type CategoryList = List<CategoryCondition, CategoryOrderField>;

type Rows =
    diesel::dsl::IntoBoxed<'static, diesel::dsl::Select<categories::table, diesel::dsl::AsSelect<CategoryRow, Pg>>, Pg>;

fn condition(condition: &CategoryCondition) -> Condition<'static, categories::table> {
    match condition {
        CategoryCondition::Id(id) => op!(id, categories::id),
        CategoryCondition::Name(name) => text_op!(name, categories::name),
        CategoryCondition::Slug(slug) => text_op!(slug, categories::slug),
        CategoryCondition::Parent(parent) => {
            op!(parent, categories::parent_id.assume_not_null(), categories::parent_id)
        }
    }
}

fn rows(list: &CategoryList) -> Rows {
    categories::table.select(CategoryRow::as_select()).into_boxed().filter(list.filter.condition(&condition))
}

fn on_page(query: Rows, list: &CategoryList) -> Result<Rows> {
    Ok(match list.order {
        CategoryOrderField::Position => {
            paged!(query, &list.page, list.direction, categories::position, i32, categories::id)
        }
        CategoryOrderField::Name => paged!(query, &list.page, list.direction, categories::name, String, categories::id),
    })
}

/// The rows with these ids, in no order.
pub async fn by_ids(mut conn: &Conn, ids: &[CategoryId]) -> Result<Vec<CategoryRow>> {
    Ok(categories::table.filter(categories::id.eq_any(ids)).select(CategoryRow::as_select()).load(&mut conn).await?)
}

/// The category with this slug.
pub async fn find_by_slug(mut conn: &Conn, slug: &str) -> Result<Option<CategoryRow>> {
    let query = categories::table.filter(categories::slug.eq(slug)).select(CategoryRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// A page.
pub async fn page(mut conn: &Conn, list: &CategoryList) -> Result<Vec<CategoryRow>> {
    Ok(on_page(rows(list), list)?.load(&mut conn).await?)
}

/// How many match.
pub async fn count(mut conn: &Conn, list: &CategoryList) -> Result<i64> {
    Ok(CountUpTo(rows(list)).get_result(&mut conn).await?)
}

/// A page of children for each of these categories, one statement.
pub async fn pages_by_parent_ids(
    mut conn: &Conn,
    list: &CategoryList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, CategoryRow)>> {
    let query = rows(list).filter(categories::parent_id.assume_not_null().eq(ParentId));
    Ok(PerParent { parents, query: on_page(query, list)? }.load(&mut conn).await?)
}

/// How many children each of these categories has, one statement.
pub async fn counts_by_parent_ids(mut conn: &Conn, list: &CategoryList, parents: Vec<i64>) -> Result<Vec<(i64, i64)>> {
    let query = rows(list).filter(categories::parent_id.assume_not_null().eq(ParentId));
    Ok(PerParent { parents, query: CountUpTo(query) }.load(&mut conn).await?)
}

/// Adds a category.
/// # Errors
/// TAKEN for the slug; NOT_FOUND for the parent; OUT_OF_RANGE for a tree deeper than 32.
pub async fn insert(mut conn: &Conn, new: &NewCategory) -> Result<CategoryRow> {
    let query = diesel::insert_into(categories::table).values(new).returning(CategoryRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Changes a category; none where the id is unknown.
/// # Errors
/// As [`insert`], and CYCLE for a category below itself.
pub async fn update(mut conn: &Conn, id: CategoryId, patch: &CategoryPatch) -> Result<Option<CategoryRow>> {
    let query = diesel::update(categories::table.find(id)).set(patch).returning(CategoryRow::as_returning());
    query.get_result(&mut conn).await.optional().map_err(refused)
}

/// Deletes a category; false where the id is unknown.
/// # Errors
/// IN_USE while it has children or products.
pub async fn delete(mut conn: &Conn, id: CategoryId) -> Result<bool> {
    Ok(diesel::delete(categories::table.find(id)).execute(&mut conn).await.map_err(refused)? == 1)
}

fn refused(error: diesel::result::Error) -> Error {
    let is_delete = matches!(&error, diesel::result::Error::DatabaseError(_, info)
        if info.message().starts_with("update or delete on table"));
    Error::from(error)
        .on_constraint("categories_slug_key", || {
            UserError::new(UserErrorCode::Taken, "slug", "another category has this slug")
        })
        .on_constraint("categories_acyclic", || {
            UserError::new(UserErrorCode::Cycle, "parentId", "a category cannot be its own ancestor")
        })
        .on_constraint("categories_depth", || {
            UserError::new(UserErrorCode::OutOfRange, "parentId", "the tree of categories is at most 32 deep")
        })
        .on_constraint("categories_parent_id_fkey", || match is_delete {
            true => UserError::new(UserErrorCode::InUse, "id", "the category has children: move or delete them first"),
            false => UserError::new(UserErrorCode::NotFound, "parentId", "there is no such category"),
        })
        .on_constraint("products_category_id_fkey", || {
            UserError::new(UserErrorCode::InUse, "id", "the category has products: move them first")
        })
}

//! SQL statements on categories.

use diesel::{
    QueryResult,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_query,
    sql_types::{Array, BigInt, Integer, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::model::{CategoryCondition, CategoryOrderField, CategoryPatch, CategoryRow, ImportedCategory, NewCategory};
use crate::{
    auth::Permission,
    db::{
        Conn,
        export::{Export, columns},
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::{CountUpTo, ParentId, PerParent, hashtext, name_op, op, pg_advisory_xact_lock, text_op},
        tables::categories,
        write_statements::{free_slug, write_statements},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::CategoryId,
};

fn condition(condition: &CategoryCondition) -> Condition<'static, categories::table> {
    match condition {
        CategoryCondition::Id(id) => op!(id, categories::id),
        CategoryCondition::Name(name) => name_op!(name, categories::name),
        CategoryCondition::Slug(slug) => text_op!(slug, categories::slug),
        CategoryCondition::Parent(parent) => {
            op!(parent, categories::parent_id.assume_not_null(), categories::parent_id)
        }
        CategoryCondition::Below(roots) => {
            let below = |root: &CategoryId| -> Condition<'static, categories::table> {
                Box::new(categories::path.contains(vec![*root]).and(categories::id.ne(*root)))
            };
            roots.iter().map(below).reduce(|a, b| Box::new(a.or(b))).unwrap_or_else(|| constant(false))
        }
    }
}

list_statements! {
    /// A list of categories.
    CategoryList of CategoryRow in categories where CategoryCondition by CategoryOrderField {
        Position => position: i32,
        Name => name by name_order: String,
    }
}

/// Returns the rows with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[CategoryId]) -> Result<Vec<CategoryRow>> {
    Ok(categories::table.filter(categories::id.eq_any(ids)).select(CategoryRow::as_select()).load(&mut conn).await?)
}

/// Returns the path of each of these categories.
pub async fn paths(mut conn: &Conn, ids: &[CategoryId]) -> Result<Vec<(CategoryId, Vec<CategoryId>)>> {
    let query = categories::table.filter(categories::id.eq_any(ids)).select((categories::id, categories::path));
    Ok(query.load(&mut conn).await?)
}

/// Returns the category with this slug.
pub async fn find_by_slug(mut conn: &Conn, slug: &str) -> Result<Option<CategoryRow>> {
    let query = categories::table.filter(categories::slug.eq(slug)).select(CategoryRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the IDs of the categories with these slugs.
pub async fn ids_by_slugs(mut conn: &Conn, slugs: &[String]) -> Result<Vec<(String, CategoryId)>> {
    let query = categories::table.filter(categories::slug.eq_any(slugs)).select((categories::slug, categories::id));
    Ok(query.load(&mut conn).await?)
}

/// Returns a page of children for each of these categories, in one statement.
pub async fn pages_by_parent_ids(
    mut conn: &Conn,
    list: &CategoryList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, CategoryRow)>> {
    let query = rows(list).filter(categories::parent_id.assume_not_null().eq(ParentId));
    Ok(PerParent { parents, query: on_page(query, list)? }.load(&mut conn).await?)
}

/// Counts the children of each of these categories, in one statement.
pub async fn counts_by_parent_ids(mut conn: &Conn, list: &CategoryList, parents: Vec<i64>) -> Result<Vec<(i64, i64)>> {
    let query = rows(list).filter(categories::parent_id.assume_not_null().eq(ParentId));
    Ok(PerParent { parents, query: CountUpTo(query) }.load(&mut conn).await?)
}

/// Returns the ids of these categories and their descendants, in no particular order.
pub async fn subtree_ids(mut conn: &Conn, roots: &[CategoryId]) -> Result<Vec<CategoryId>> {
    let below = categories::table.filter(categories::path.overlaps_with(roots)).select(categories::id);
    Ok(below.load(&mut conn).await?)
}

/// Takes the lock that serializes moves of categories, until the transaction ends. The table's triggers take the same
/// lock.
pub async fn lock_moves(mut conn: &Conn) -> Result<()> {
    let lock = pg_advisory_xact_lock(hashtext("categories_lock_moves"));
    diesel::select(lock).execute(&mut conn).await?;
    Ok(())
}

fn child_of(parent: Option<CategoryId>) -> Condition<'static, categories::table> {
    match parent {
        Some(id) => Box::new(categories::parent_id.is_not_null().and(categories::parent_id.assume_not_null().eq(id))),
        None => Box::new(categories::parent_id.is_null()),
    }
}

/// Returns the children of a category (or the roots) with their positions, in order.
pub async fn positions(mut conn: &Conn, parent: Option<CategoryId>) -> Result<Vec<(CategoryId, i32)>> {
    let query = categories::table
        .filter(child_of(parent))
        .order((categories::position, categories::id))
        .select((categories::id, categories::position));
    Ok(query.load(&mut conn).await?)
}

/// Counts the children of a category, up to one more than [`crate::paging::MAX_COUNT`].
pub async fn count_children(mut conn: &Conn, id: CategoryId) -> Result<i64> {
    let below = categories::table.filter(categories::parent_id.assume_not_null().eq(id)).select(categories::id);
    Ok(CountUpTo(below).get_result(&mut conn).await?)
}

/// The statement that updates positions.
#[derive(Debug, Clone)]
struct Positions {
    ids: Vec<i64>,
    positions: Vec<i32>,
}

impl QueryId for Positions {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl QueryFragment<Pg> for Positions {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE categories SET position = placed.position FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.positions)?;
        out.push_sql(") AS placed (id, position) WHERE categories.id = placed.id");
        Ok(())
    }
}

/// Updates the positions of categories.
pub async fn update_positions(mut conn: &Conn, placed: &[(CategoryId, i32)]) -> Result<()> {
    if !placed.is_empty() {
        let (ids, positions) = placed.iter().map(|(id, at)| (id.0, *at)).unzip();
        Positions { ids, positions }.execute(&mut conn).await?;
    }
    Ok(())
}

/// Moves all children of a category to another parent, or makes them roots.
/// # Errors
/// As [`update`].
pub async fn update_parents(mut conn: &Conn, from: CategoryId, to: Option<CategoryId>) -> Result<()> {
    let children = categories::table.filter(categories::parent_id.assume_not_null().eq(from));
    diesel::update(children).set(categories::parent_id.eq(to)).execute(&mut conn).await.map_err(refused)?;
    Ok(())
}

write_statements! { CategoryRow in categories by CategoryId as NewCategory, CategoryPatch, deletable }

free_slug! { categories }

/// Inserts categories with these parents, names and slugs and returns their ids and slugs. A constraint violation
/// remains [`Error::Constraint`].
pub async fn insert_named(
    mut conn: &Conn,
    rows: &[(Option<i64>, &str)],
    slugs: &[String],
) -> Result<Vec<(CategoryId, String)>> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = BigInt)]
        id: CategoryId,
        #[diesel(sql_type = Text)]
        slug: String,
    }
    let query = sql_query(
        "INSERT INTO categories (parent_id, name, slug, path)
         SELECT c.parent, c.name, c.slug, '{}' FROM unnest($1, $2, $3) WITH ORDINALITY AS c (parent, name, slug, place)
         ORDER BY c.place RETURNING slug, id",
    );
    let parents: Vec<Option<i64>> = rows.iter().map(|(parent, _)| *parent).collect();
    let names: Vec<&str> = rows.iter().map(|(_, name)| *name).collect();
    let query =
        query.bind::<Array<Nullable<BigInt>>, _>(parents).bind::<Array<Text>, _>(names).bind::<Array<Text>, _>(slugs);
    let rows: Vec<Inserted> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.slug)).collect())
}

/// Updates imported categories, and separates siblings with equal positions. A constraint violation remains [`Error::Constraint`].
pub async fn update_imported(mut conn: &Conn, changed: &[ImportedCategory<'_>]) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    macro_rules! all {
        ($of:expr) => {
            changed.iter().map($of).collect::<Vec<_>>()
        };
    }
    let query = sql_query(
        "UPDATE categories c SET parent_id = r.parent_id, name = r.name, slug = r.slug, description = r.description,
                position = coalesce(r.position, CASE WHEN c.parent_id IS DISTINCT FROM r.parent_id THEN
                    (SELECT max(s.position) + 1024 FROM categories s
                     WHERE coalesce(s.parent_id, 0) = coalesce(r.parent_id, 0)) ELSE c.position END, 0)
         FROM unnest($1, $2, $3, $4, $5, $6) AS r (id, parent_id, name, slug, description, position) WHERE c.id = r.id",
    );
    query
        .bind::<Array<BigInt>, _>(all!(|c| c.id))
        .bind::<Array<Nullable<BigInt>>, _>(all!(|c| c.parent_id))
        .bind::<Array<Text>, _>(all!(|c| c.name))
        .bind::<Array<Text>, _>(all!(|c| c.slug))
        .bind::<Array<Text>, _>(all!(|c| c.description))
        .bind::<Array<Nullable<Integer>>, _>(all!(|c| c.position))
        .execute(&mut conn)
        .await?;
    // A file can have equal positions, and moves of several categories to one parent get the same one.
    sql_query(
        "SELECT categories_renumber(nullif(p.parent, 0)) FROM (SELECT coalesce(parent_id, 0) AS parent FROM categories
         GROUP BY 1 HAVING count(*) > count(DISTINCT position)) p",
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Converts constraint violations: TAKEN if the slug is in use; NOT_FOUND, CYCLE or OUT_OF_RANGE for the parent; IN_USE
/// if the category has children or products.
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
            UserError::new(UserErrorCode::OutOfRange, "parentId", "categories can be nested at most 32 levels deep")
        })
        .on_constraint("categories_parent_id_fkey", || match is_delete {
            true => {
                UserError::new(UserErrorCode::InUse, "id", "the category has subcategories; move or delete them first")
            }
            false => UserError::new(UserErrorCode::NotFound, "parentId", "there is no such category"),
        })
        .on_constraint("products_category_id_fkey", || {
            UserError::new(UserErrorCode::InUse, "id", "the category has products; move them first")
        })
}

/// The export of categories: parents before their children.
pub const CATEGORIES: Export = Export {
    permission: Permission::ManageCatalogue,
    has_website: false,
    is_importable: true,
    with: "",
    table: "categories c",
    joins: "LEFT JOIN sources s ON s.resource_type = 'Category' AND s.resource_id = c.id AND cardinality($1) = 1 AND s.website_id = ANY ($1)",
    filter: "true",
    order: "cardinality(c.path), c.position, c.id",
    columns: columns! {
        external_id: Text = "s.external_id",
        path: Path = "SELECT json_agg(a.name ORDER BY cardinality(a.path)) FROM categories a WHERE a.id = ANY (c.path)",
        slug: Text = "c.slug",
        description: Text = "c.description",
        position: Integer = "c.position",
    },
};

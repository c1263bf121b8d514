//! SQL statements on brands.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;

use super::model::{BrandCondition, BrandOrderField, BrandPatch, BrandRow, NewBrand};
use crate::{
    auth::Permission,
    db::{
        Conn,
        export::{Export, columns},
        filter::Condition,
        list_statements::list_statements,
        sql::{name_op, op, text_op},
        tables::brands,
        write_statements::{free_slug, write_statements},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::BrandId,
};

fn condition(condition: &BrandCondition) -> Condition<'static, brands::table> {
    match condition {
        BrandCondition::Id(id) => op!(id, brands::id),
        BrandCondition::Name(name) => name_op!(name, brands::name),
        BrandCondition::Slug(slug) => text_op!(slug, brands::slug),
    }
}

list_statements! {
    /// A list of brands.
    BrandList of BrandRow in brands where BrandCondition by BrandOrderField { Name => name by name_order: String }
}

/// Returns the rows with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[BrandId]) -> Result<Vec<BrandRow>> {
    Ok(brands::table.filter(brands::id.eq_any(ids)).select(BrandRow::as_select()).load(&mut conn).await?)
}

/// Returns the brand with this slug.
pub async fn find_by_slug(mut conn: &Conn, slug: &str) -> Result<Option<BrandRow>> {
    let query = brands::table.filter(brands::slug.eq(slug)).select(BrandRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the IDs of the brands with these slugs.
pub async fn ids_by_slugs(mut conn: &Conn, slugs: &[String]) -> Result<Vec<(String, BrandId)>> {
    let query = brands::table.filter(brands::slug.eq_any(slugs)).select((brands::slug, brands::id));
    Ok(query.load(&mut conn).await?)
}

write_statements! { BrandRow in brands by BrandId as NewBrand, BrandPatch, deletable }

free_slug! { brands }

/// Inserts brands with these names and slugs and returns their ids and names.
pub async fn insert_named(mut conn: &Conn, names: &[&str], slugs: &[String]) -> Result<Vec<(BrandId, String)>> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        id: BrandId,
        #[diesel(sql_type = Text)]
        name: String,
    }
    let query = sql_query("INSERT INTO brands (name, slug) SELECT * FROM unnest($1, $2) RETURNING name, id");
    let query = query.bind::<Array<Text>, _>(names).bind::<Array<Text>, _>(slugs);
    let rows: Vec<Inserted> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Converts constraint violations: TAKEN if the slug is in use, IN_USE if products refer to the brand.
fn refused(error: diesel::result::Error) -> Error {
    Error::from(error)
        .on_constraint("brands_slug_key", || {
            UserError::new(UserErrorCode::Taken, "slug", "another brand has this slug")
        })
        .on_constraint("products_brand_id_fkey", || {
            UserError::new(UserErrorCode::InUse, "id", "products refer to this brand; change them first")
        })
}

/// The export of brands.
pub const BRANDS: Export = Export {
    permission: Permission::ManageCatalogue,
    has_website: false,
    is_importable: false,
    with: "",
    table: "brands b",
    joins: "",
    filter: "true",
    order: "b.id",
    columns: columns! {
        name: Text = "b.name",
        slug: Text = "b.slug",
        description: Text = "b.description",
    },
};

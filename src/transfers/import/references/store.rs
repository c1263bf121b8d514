//! SQL statements that find references: one per table and batch, rows passed as arrays.
//! Rule: inserts are in the stores of the domains.

use std::collections::HashMap;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::model::Group;
use crate::{db::Conn, error::Result};

/// A table whose rows are found by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedTable {
    /// `brands`
    Brands,
    /// `suppliers`
    Suppliers,
}

/// A table whose rows have slugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SluggedTable {
    /// `brands`
    Brands,
    /// `categories`
    Categories,
    /// `products`
    Products,
}

#[derive(QueryableByName)]
struct NameAndId {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn by_name(rows: Vec<NameAndId>) -> HashMap<String, i64> {
    rows.into_iter().map(|row| (row.name, row.id)).collect()
}

/// Returns those of these slugs that are taken, with the ID of the row.
pub async fn find_taken_slugs(mut conn: &Conn, table: SluggedTable, slugs: &[String]) -> Result<HashMap<String, i64>> {
    let query = sql_query(match table {
        SluggedTable::Brands => "SELECT slug AS name, id FROM brands WHERE slug = ANY ($1)",
        SluggedTable::Categories => "SELECT slug AS name, id FROM categories WHERE slug = ANY ($1)",
        SluggedTable::Products => "SELECT slug AS name, id FROM products WHERE slug = ANY ($1)",
    });
    Ok(by_name(query.bind::<Array<Text>, _>(slugs).load(&mut conn).await?))
}

/// Returns the rows with these names; the oldest one of several.
pub async fn find_named(mut conn: &Conn, table: NamedTable, names: &[&str]) -> Result<HashMap<String, i64>> {
    let query = sql_query(match table {
        NamedTable::Brands => {
            "SELECT name, min(id) AS id FROM brands WHERE name COLLATE name_order = ANY ($1) GROUP BY name"
        }
        NamedTable::Suppliers => "SELECT name, id FROM suppliers WHERE name = ANY ($1)",
    });
    Ok(by_name(query.bind::<Array<Text>, _>(names).load(&mut conn).await?))
}

/// Returns the categories with these parents (0 for none) and names; the first one in display order of several.
pub async fn find_children(mut conn: &Conn, places: &[(Option<i64>, &str)]) -> Result<HashMap<(i64, String), i64>> {
    #[derive(QueryableByName)]
    struct Child {
        #[diesel(sql_type = BigInt)]
        parent: i64,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let query = sql_query(
        "SELECT DISTINCT ON (p.parent, p.name) p.parent, p.name, c.id
         FROM unnest($1, $2) AS p (parent, name)
         JOIN categories c ON c.parent_id IS NOT DISTINCT FROM nullif(p.parent, 0) AND c.name COLLATE name_order = p.name
         ORDER BY p.parent, p.name, c.position, c.id",
    );
    let parents: Vec<i64> = places.iter().map(|(parent, _)| parent.unwrap_or_default()).collect();
    let names: Vec<&str> = places.iter().map(|(_, name)| *name).collect();
    let rows: Vec<Child> =
        query.bind::<Array<BigInt>, _>(parents).bind::<Array<Text>, _>(names).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| ((row.parent, row.name), row.id)).collect())
}

/// Returns the groups with these slugs, at any website.
pub async fn find_groups(mut conn: &Conn, slugs: &[String]) -> Result<HashMap<String, Group>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        slug: String,
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        source_website_id: i64,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Array<Text>)]
        varies_by: Vec<String>,
    }
    let query =
        sql_query("SELECT slug, id, source_website_id, name, varies_by FROM product_groups WHERE slug = ANY ($1)");
    let rows: Vec<Row> = query.bind::<Array<Text>, _>(slugs).load(&mut conn).await?;
    let group = |row: Row| {
        let Row { slug, id, source_website_id, name, varies_by } = row;
        (slug, Group { id, website: source_website_id, name, varies_by })
    };
    Ok(rows.into_iter().map(group).collect())
}

//! Every statement on suppliers.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;

use super::model::{NewSupplier, SupplierCondition, SupplierOrderField, SupplierPatch, SupplierRow};
use crate::{
    auth::Permission,
    db::{
        Conn,
        export::{Export, columns},
        filter::Condition,
        listed::listed,
        sql::{op, text_op},
        tables::suppliers,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::SupplierId,
};

fn condition(condition: &SupplierCondition) -> Condition<'static, suppliers::table> {
    match condition {
        SupplierCondition::Id(id) => op!(id, suppliers::id),
        SupplierCondition::Name(name) => text_op!(name, suppliers::name),
    }
}

listed! {
    /// A list of suppliers.
    SupplierList of SupplierRow in suppliers where SupplierCondition by SupplierOrderField { Name => name: String }
}

/// The rows with these ids, in no order.
pub async fn by_ids(mut conn: &Conn, ids: &[SupplierId]) -> Result<Vec<SupplierRow>> {
    Ok(suppliers::table.filter(suppliers::id.eq_any(ids)).select(SupplierRow::as_select()).load(&mut conn).await?)
}

/// Adds a supplier.
/// # Errors
/// TAKEN for the name.
pub async fn insert(mut conn: &Conn, new: &NewSupplier) -> Result<SupplierRow> {
    let query = diesel::insert_into(suppliers::table).values(new).returning(SupplierRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Changes a supplier; none where the id is unknown. An empty patch only reads the row, since SQL has no UPDATE
/// without columns.
/// # Errors
/// TAKEN for the name.
pub async fn update(mut conn: &Conn, id: SupplierId, patch: &SupplierPatch) -> Result<Option<SupplierRow>> {
    if patch.is_empty() {
        return Ok(by_ids(conn, &[id]).await?.pop());
    }
    let query = diesel::update(suppliers::table.find(id)).set(patch).returning(SupplierRow::as_returning());
    query.get_result(&mut conn).await.optional().map_err(refused)
}

/// Deletes a supplier; false where the id is unknown.
/// # Errors
/// IN_USE while products name it.
pub async fn delete(mut conn: &Conn, id: SupplierId) -> Result<bool> {
    Ok(diesel::delete(suppliers::table.find(id)).execute(&mut conn).await.map_err(refused)? == 1)
}

/// Adds suppliers with these names and returns the id and name of each.
pub async fn insert_named(mut conn: &Conn, names: &[&str]) -> Result<Vec<(SupplierId, String)>> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        id: SupplierId,
        #[diesel(sql_type = Text)]
        name: String,
    }
    let query = sql_query("INSERT INTO suppliers (name) SELECT * FROM unnest($1) RETURNING name, id");
    let rows: Vec<Inserted> = query.bind::<Array<Text>, _>(names).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

fn refused(error: diesel::result::Error) -> Error {
    Error::from(error)
        .on_constraint("suppliers_name_key", || {
            UserError::new(UserErrorCode::Taken, "name", "another supplier has this name")
        })
        .on_constraint("products_supplier_id_fkey", || {
            UserError::new(UserErrorCode::InUse, "id", "the supplier has products: change them first")
        })
}

/// The export of suppliers.
pub const SUPPLIERS: Export = Export {
    permission: Permission::ManageCatalogue,
    has_website: false,
    is_imported: false,
    with: "",
    table: "suppliers u",
    joins: "",
    filter: "true",
    order: "u.id",
    columns: columns! {
        name: Text = "u.name",
        contact_name: Text = "u.contact_name",
        email: Text = "u.email",
        phone: Text = "u.phone",
        lead_time_days: Integer = "u.lead_time_days",
    },
};

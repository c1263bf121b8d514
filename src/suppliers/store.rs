//! SQL statements on suppliers.

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
        list_statements::list_statements,
        sql::{name_op, op},
        tables::suppliers,
        write_statements::write_statements,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::SupplierId,
};

fn condition(condition: &SupplierCondition) -> Condition<'static, suppliers::table> {
    match condition {
        SupplierCondition::Id(id) => op!(id, suppliers::id),
        SupplierCondition::Name(name) => name_op!(name, suppliers::name),
    }
}

list_statements! {
    /// A list of suppliers.
    SupplierList of SupplierRow in suppliers where SupplierCondition by SupplierOrderField { Name => name by name_order: String }
}

/// Returns the rows with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[SupplierId]) -> Result<Vec<SupplierRow>> {
    Ok(suppliers::table.filter(suppliers::id.eq_any(ids)).select(SupplierRow::as_select()).load(&mut conn).await?)
}

write_statements! { SupplierRow in suppliers by SupplierId as NewSupplier, SupplierPatch, deletable }

/// Inserts suppliers with these names and returns their ids and names.
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

/// Converts constraint violations: TAKEN if the name is in use, IN_USE if products refer to the supplier.
fn refused(error: diesel::result::Error) -> Error {
    Error::from(error)
        .on_constraint("suppliers_name_key", || {
            UserError::new(UserErrorCode::Taken, "name", "another supplier has this name")
        })
        .on_constraint("products_supplier_id_fkey", || {
            UserError::new(UserErrorCode::InUse, "id", "products refer to this supplier; change them first")
        })
}

/// The export of suppliers.
pub const SUPPLIERS: Export = Export {
    permission: Permission::ManageCatalogue,
    has_website: false,
    is_importable: false,
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

//! Every statement on roles.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::model::{Role, RoleRow};
use crate::{
    auth::Permissions,
    db::{
        Conn,
        tables::{role_permissions, roles},
    },
    error::Result,
    ids::RoleId,
};

/// The roles with these ids and what they give, in no order. One statement.
pub async fn by_ids(mut conn: &Conn, ids: &[RoleId]) -> Result<Vec<Role>> {
    let query = roles::table
        .left_join(role_permissions::table)
        .filter(roles::id.eq_any(ids))
        .select((RoleRow::as_select(), role_permissions::permission.nullable()));
    Ok(gather(query.load(&mut conn).await?))
}

/// The role with this code.
pub async fn find_by_code(mut conn: &Conn, code: &str) -> Result<Option<Role>> {
    let query = roles::table
        .left_join(role_permissions::table)
        .filter(roles::code.eq(code))
        .select((RoleRow::as_select(), role_permissions::permission.nullable()));
    Ok(gather(query.load(&mut conn).await?).pop())
}

fn gather(rows: Vec<(RoleRow, Option<String>)>) -> Vec<Role> {
    let mut gathered: HashMap<RoleId, (RoleRow, Vec<String>)> = HashMap::new();
    for (row, permission) in rows {
        gathered.entry(row.id).or_insert_with(|| (row, Vec::new())).1.extend(permission);
    }
    gathered
        .into_values()
        .map(|(row, codes)| Role { row, permissions: Permissions::from_codes(codes.iter().map(String::as_str)) })
        .collect()
}

//! SQL statements on roles, their permissions and websites.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    super::model::{NewRole, Role, RoleCondition, RoleOrderField, RolePatch, RoleRow},
    Joined,
};
use crate::{
    auth::{Grant, Permissions},
    db::{
        Conn,
        filter::Condition,
        list_statements::list_statements,
        sql::{op, text_op},
        tables::{role_permissions, role_websites, roles, users},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{CodeOrId, RoleId, UserId, WebsiteId},
};

/// Selects roles with their permissions and websites in one statement: a role has few of both.
macro_rules! joined {
    () => {
        roles::table.left_join(role_permissions::table).left_join(role_websites::table).select((
            RoleRow::as_select(),
            role_permissions::permission.nullable(),
            role_websites::website_id.nullable(),
        ))
    };
}

/// Returns the roles with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[RoleId]) -> Result<Vec<Role>> {
    Ok(gather(joined!().filter(roles::id.eq_any(ids)).load(&mut conn).await?))
}

/// Returns all roles, oldest first.
pub async fn all(mut conn: &Conn) -> Result<Vec<Role>> {
    Ok(gather(joined!().load(&mut conn).await?))
}

fn condition(condition: &RoleCondition) -> Condition<'static, roles::table> {
    match condition {
        RoleCondition::Id(id) => op!(id, roles::id),
        RoleCondition::Code(code) => text_op!(code, roles::code),
        RoleCondition::Name(name) => text_op!(name, roles::name),
        RoleCondition::IsBuiltin(builtin) => Box::new(roles::is_builtin.eq(*builtin)),
    }
}

list_statements! {
    /// A list of roles.
    RoleList of RoleRow in roles where RoleCondition by RoleOrderField { Code => code: String }
}

/// Returns a page of roles with their permissions and websites, in two statements.
/// # Errors
/// A user error if the cursor belongs to another list.
pub async fn page_with_grants(conn: &Conn, list: &RoleList) -> Result<Vec<Role>> {
    let rows = page(conn, list).await?;
    let ids: Vec<RoleId> = rows.iter().map(|row| row.id).collect();
    let mut full: HashMap<RoleId, Role> =
        by_ids(conn, &ids).await?.into_iter().map(|role| (role.row.id, role)).collect();
    Ok(ids.iter().filter_map(|id| full.remove(id)).collect())
}

/// Returns the role of a user.
pub async fn find_by_user(mut conn: &Conn, user: UserId) -> Result<Option<Role>> {
    let role_id = users::table.filter(users::id.eq(user)).select(users::role_id);
    Ok(gather(joined!().filter(roles::id.eq_any(role_id)).load(&mut conn).await?).pop())
}

/// Returns the role with this code.
pub async fn find_by_code(mut conn: &Conn, code: &str) -> Result<Option<Role>> {
    Ok(gather(joined!().filter(roles::code.eq(code)).load(&mut conn).await?).pop())
}

/// Returns the role with this code or id.
pub async fn find(conn: &Conn, role: &CodeOrId<RoleId>) -> Result<Option<Role>> {
    match role {
        CodeOrId::Code(code) => find_by_code(conn, code).await,
        CodeOrId::Id(id) => Ok(by_ids(conn, &[*id]).await?.pop()),
    }
}

fn gather(rows: Vec<Joined<RoleRow>>) -> Vec<Role> {
    let all = super::gather(rows, |row| row.id);
    all.map(|(row, Grant { permissions, websites })| Role { row, permissions, websites }).collect()
}

/// Locks a role for update and returns it.
pub async fn lock(mut conn: &Conn, id: RoleId) -> Result<Option<Role>> {
    let locked: Option<RoleId> =
        roles::table.find(id).select(roles::id).for_no_key_update().first(&mut conn).await.optional()?;
    match locked {
        Some(id) => Ok(by_ids(conn, &[id]).await?.pop()),
        None => Ok(None),
    }
}

/// Inserts a role without permissions.
/// # Errors
/// TAKEN if another role has the code.
pub async fn insert(mut conn: &Conn, new: &NewRole) -> Result<RoleRow> {
    let query = diesel::insert_into(roles::table).values(new).returning(RoleRow::as_returning());
    query.get_result(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("roles_code_key", || {
            UserError::new(UserErrorCode::Taken, "code", "another role has this code")
        })
    })
}

/// Updates a role's name and description.
pub async fn update(mut conn: &Conn, id: RoleId, patch: &RolePatch) -> Result<()> {
    diesel::update(roles::table.find(id)).set(patch).execute(&mut conn).await?;
    Ok(())
}

/// Replaces a role's permissions.
pub async fn update_permissions(mut conn: &Conn, id: RoleId, permissions: Permissions) -> Result<()> {
    let codes: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
    let others = role_permissions::table
        .filter(role_permissions::role_id.eq(id))
        .filter(role_permissions::permission.ne_all(codes.clone()));
    diesel::delete(others).execute(&mut conn).await?;
    let rows: Vec<_> =
        codes.iter().map(|code| (role_permissions::role_id.eq(id), role_permissions::permission.eq(*code))).collect();
    diesel::insert_into(role_permissions::table).values(rows).on_conflict_do_nothing().execute(&mut conn).await?;
    Ok(())
}

/// Replaces a role's websites; without any, the role applies to all websites.
/// # Errors
/// NOT_FOUND for an unknown website.
pub async fn update_websites(mut conn: &Conn, id: RoleId, websites: &[WebsiteId]) -> Result<()> {
    let others = role_websites::table
        .filter(role_websites::role_id.eq(id))
        .filter(role_websites::website_id.ne_all(websites.to_vec()));
    diesel::delete(others).execute(&mut conn).await?;
    let rows: Vec<_> = websites
        .iter()
        .map(|website| (role_websites::role_id.eq(id), role_websites::website_id.eq(*website)))
        .collect();
    let query = diesel::insert_into(role_websites::table).values(rows).on_conflict_do_nothing();
    query.execute(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("role_websites_website_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "websites", "there is no such website")
        })
    })?;
    Ok(())
}

/// Deletes a role.
/// # Errors
/// IN_USE if users have it.
pub async fn delete(mut conn: &Conn, id: RoleId) -> Result<()> {
    diesel::delete(roles::table.find(id)).execute(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("users_role_id_fkey", || {
            UserError::new(UserErrorCode::InUse, "id", "users have this role; assign them another role first")
        })
    })?;
    Ok(())
}

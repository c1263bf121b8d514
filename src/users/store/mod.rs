//! SQL statements on users and addresses.
//! Scopes: `All` includes all users, a user's own scope only themselves, `Websites` also the users who come from these
//! websites, and the public scope none.

mod addresses;

pub use self::addresses::*;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::exists,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::model::{ImportedUser, NewUser, UserCondition, UserOrderField, UserPatch, UserRow};
use crate::{
    auth::{Permission, Scope},
    db::{
        Conn,
        export::{Export, columns},
        filter::{Condition, Op, constant},
        list_statements::list_statements,
        sql::{citext_op, clock_timestamp, name_op, op},
        tables::{roles, users},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{CodeOrId, RoleId, UserId, WebsiteId},
    websites::store::website_op,
};

fn visible(scope: &Scope) -> Condition<'static, users::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Own(user) | Scope::Seller { own: user, .. } => Box::new(users::id.eq(*user)),
        Scope::Websites(user, websites) => Box::new(users::id.eq(*user).or(of_websites(websites))),
        Scope::Public | Scope::Guest(_) => constant(false),
    }
}

fn of_websites(websites: &[WebsiteId]) -> Condition<'static, users::table> {
    let website = users::source_website_id;
    Box::new(website.is_not_null().and(website.assume_not_null().eq_any(websites.to_vec())))
}

fn condition(condition: &UserCondition) -> Condition<'static, users::table> {
    match condition {
        UserCondition::Id(id) => op!(id, users::id),
        UserCondition::Name(name) => name_op!(name, users::name),
        UserCondition::Email(email) => has_email(email),
        UserCondition::Role(role) => has_role(role),
        UserCondition::SourceWebsite(website) => {
            website_op!(website, users::source_website_id.assume_not_null(), users::source_website_id)
        }
        UserCondition::IsActive(active) => Box::new(users::is_active.eq(*active)),
        UserCondition::CreatedAt(at) => op!(at, users::created_at),
    }
}

/// The condition on the email address that is shown: a user has at most one of the two.
fn has_email(email: &Op<String>) -> Condition<'static, users::table> {
    let own: Condition<'static, users::table> = citext_op!(email, users::email);
    let imported: Condition<'static, users::table> = citext_op!(email, users::imported_email);
    match email {
        Op::IsNull(true) => Box::new(own.and(imported)),
        _ => Box::new(own.or(imported)),
    }
}

fn has_role(role: &Op<CodeOrId<RoleId>>) -> Condition<'static, users::table> {
    let (ids, codes) = match role {
        Op::Eq(role) => CodeOrId::split(std::slice::from_ref(role)),
        Op::In(all) => CodeOrId::split(all),
        _ => return constant(false),
    };
    let by_code = |codes| users::role_id.eq_any(roles::table.filter(roles::code.eq_any(codes)).select(roles::id));
    match (ids.is_empty(), codes.is_empty()) {
        (_, true) => Box::new(users::role_id.eq_any(ids)),
        (true, false) => Box::new(by_code(codes)),
        (false, false) => Box::new(users::role_id.eq_any(ids).or(by_code(codes))),
    }
}

list_statements! {
    /// A list of users.
    UserList of UserRow in users where UserCondition by UserOrderField {
        CreatedAt => created_at: DateTime<Utc>,
        Name => name by name_order: String,
    }
    for scope by visible
}

/// Returns the visible users with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[UserId]) -> Result<Vec<UserRow>> {
    let query = users::table.filter(users::id.eq_any(ids)).select(UserRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the active user with this email address, in canonical form, and their password hash.
pub async fn find_login(mut conn: &Conn, email: &str) -> Result<Option<(UserRow, Option<String>)>> {
    let query = users::table
        .filter(users::email.assume_not_null().eq(email))
        .filter(users::is_active)
        .select((UserRow::as_select(), users::password_hash));
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the user with this email address, active or not.
pub async fn find_by_email(mut conn: &Conn, email: &str) -> Result<Option<UserRow>> {
    let query = users::table.filter(users::email.assume_not_null().eq(email)).select(UserRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Locks a visible user for update and returns it.
pub async fn lock(mut conn: &Conn, scope: &Scope, id: UserId) -> Result<Option<UserRow>> {
    let query = users::table.filter(visible(scope)).filter(users::id.eq(id)).select(UserRow::as_select());
    Ok(query.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Locks an active user for update and returns the password hash; none if they cannot log in.
pub async fn lock_login(mut conn: &Conn, id: UserId) -> Result<Option<String>> {
    let query = users::table.find(id).filter(users::is_active).select(users::password_hash).for_no_key_update();
    Ok(query.first(&mut conn).await.optional()?.flatten())
}

/// Returns the password hash of an active user; none if they cannot log in.
pub async fn find_password(mut conn: &Conn, id: UserId) -> Result<Option<String>> {
    let query = users::table.find(id).filter(users::is_active).select(users::password_hash);
    Ok(query.first(&mut conn).await.optional()?.flatten())
}

/// Sets the password hash of a user.
pub async fn update_password(mut conn: &Conn, id: UserId, hash: &str) -> Result<UserRow> {
    let query = diesel::update(users::table.find(id)).set(users::password_hash.eq(hash));
    Ok(query.returning(UserRow::as_returning()).get_result(&mut conn).await?)
}

/// Gives the first active customer with this imported email address the address to log in with, unless another user has
/// it, and returns the customer.
pub async fn update_imported_email(mut conn: &Conn, email: &str) -> Result<Option<UserRow>> {
    let is_taken = diesel::select(exists(users::table.filter(users::email.assume_not_null().eq(email))));
    if is_taken.get_result(&mut conn).await? {
        return Ok(None);
    }
    let first = users::table
        .filter(users::imported_email.assume_not_null().eq(email))
        .filter(users::is_active)
        .order(users::id)
        .select(users::id);
    let Some(id) = first.first::<UserId>(&mut conn).await.optional()? else { return Ok(None) };
    let own = (users::email.eq(email), users::imported_email.eq(None::<String>));
    let query = diesel::update(users::table.find(id)).set(own).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.optional().map_err(refused)
}

/// Marks the email address of a user as verified now. The user takes over the customers who were imported with it.
pub async fn update_verified(mut conn: &Conn, id: UserId) -> Result<UserRow> {
    let query = diesel::update(users::table.find(id)).set(users::email_verified_at.eq(clock_timestamp().nullable()));
    Ok(query.returning(UserRow::as_returning()).get_result(&mut conn).await?)
}

/// Sets a verified email address of a user, who takes over the customers who were imported with it.
/// # Errors
/// TAKEN if another user has the email address.
pub async fn update_email(mut conn: &Conn, id: UserId, email: &str) -> Result<UserRow> {
    let own = (users::email.eq(email), users::email_verified_at.eq(clock_timestamp().nullable()));
    let query = diesel::update(users::table.find(id)).set(own).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Marks the email address of a user as not verified.
pub async fn update_unverified(mut conn: &Conn, id: UserId) -> Result<UserRow> {
    let query = diesel::update(users::table.find(id)).set(users::email_verified_at.eq(None::<DateTime<Utc>>));
    Ok(query.returning(UserRow::as_returning()).get_result(&mut conn).await?)
}

/// Erases the personal data of a user.
/// # Errors
/// PROTECTED for the last admin.
pub async fn update_erased(mut conn: &Conn, id: UserId) -> Result<UserRow> {
    let nobody = (
        users::name.eq("Erased"),
        users::phone.eq(None::<String>),
        users::email.eq(None::<String>),
        users::imported_email.eq(None::<String>),
        users::email_verified_at.eq(None::<DateTime<Utc>>),
        users::password_hash.eq(None::<String>),
        users::is_active.eq(false),
        users::erased_at.eq(clock_timestamp().nullable()),
    );
    let query = diesel::update(users::table.find(id)).set(nobody).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Changes the role of a user.
/// # Errors
/// PROTECTED for the last admin.
pub async fn update_role(mut conn: &Conn, id: UserId, role: RoleId) -> Result<UserRow> {
    let query = diesel::update(users::table.find(id)).set(users::role_id.eq(role)).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.map_err(|error| last_admin(error.into(), "userId"))
}

/// Inserts a user.
/// # Errors
/// TAKEN if another user has the email address.
pub async fn insert(mut conn: &Conn, new: &NewUser) -> Result<UserRow> {
    let query = diesel::insert_into(users::table).values(new).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Inserts a user with an email address that no account has confirmed.
/// # Errors
/// TAKEN if another user of the website has this unconfirmed address.
pub async fn insert_unconfirmed(mut conn: &Conn, new: &NewUser, email: &str) -> Result<UserRow> {
    let query = diesel::insert_into(users::table).values((new, users::imported_email.eq(email)));
    query.returning(UserRow::as_returning()).get_result(&mut conn).await.map_err(email_taken)
}

/// Updates a user without an account, who gets another email address that no account has confirmed.
/// # Errors
/// As [`insert_unconfirmed`].
pub async fn update_unconfirmed(mut conn: &Conn, id: UserId, patch: &UserPatch, email: &str) -> Result<UserRow> {
    let changes = (patch, users::imported_email.eq(email));
    let query = diesel::update(users::table.find(id)).set(changes).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.map_err(email_taken)
}

/// Makes the unconfirmed email address of a user the one to log in with.
/// # Errors
/// TAKEN if another user has the email address.
pub async fn update_own_email(mut conn: &Conn, id: UserId, email: &str) -> Result<UserRow> {
    let own = (users::email.eq(email), users::imported_email.eq(None::<String>));
    let query = diesel::update(users::table.find(id)).set(own).returning(UserRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Returns whether a visible user, except for this one, has an email address, of an account or not.
pub async fn has_visible_email(mut conn: &Conn, scope: &Scope, email: &str, except: Option<UserId>) -> Result<bool> {
    let others = users::table
        .filter(visible(scope))
        .filter(users::email.eq(email).or(users::imported_email.eq(email)))
        .filter(users::id.ne_all(Vec::from_iter(except)));
    Ok(diesel::select(exists(others)).get_result(&mut conn).await?)
}

/// Inserts a user who registered at this time in the past.
/// # Errors
/// As [`insert`].
pub async fn insert_past(mut conn: &Conn, new: &NewUser, at: DateTime<Utc>) -> Result<UserRow> {
    let query = diesel::insert_into(users::table).values((new, users::created_at.eq(at)));
    query.returning(UserRow::as_returning()).get_result(&mut conn).await.map_err(refused)
}

/// Updates a user.
/// # Errors
/// TAKEN if another user has the email address; PROTECTED for the last admin.
pub async fn update(mut conn: &Conn, id: UserId, patch: &UserPatch) -> Result<UserRow> {
    let user = diesel::update(users::table.find(id));
    let updated = match patch.email {
        // The user has one email address.
        Some(_) => {
            let changes = (patch, users::imported_email.eq(None::<String>));
            user.set(changes).returning(UserRow::as_returning()).get_result(&mut conn).await
        }
        None => user.set(patch).returning(UserRow::as_returning()).get_result(&mut conn).await,
    };
    updated.map_err(refused)
}

fn refused(error: diesel::result::Error) -> Error {
    let error = Error::from(error).on_constraint("users_email_key", || {
        UserError::new(UserErrorCode::Taken, "email", "another user has this email address")
    });
    last_admin(error, "id")
}

/// Converts the violation that the last admin is removed, for the field that names the user.
fn last_admin(error: Error, field: &'static str) -> Error {
    error.on_constraint("users_last_admin", || {
        let rule = "the last admin cannot be removed; make another user an admin first";
        UserError::new(UserErrorCode::Protected, field, rule)
    })
}

/// Reserves ids for new users.
pub async fn next_ids(mut conn: &Conn, count: usize) -> Result<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let query = sql_query("SELECT nextval(pg_get_serial_sequence('users', 'id')) AS id FROM generate_series(1, $1)");
    let ids: Vec<Id> = query.bind::<BigInt, _>(count as i64).load(&mut conn).await?;
    Ok(ids.into_iter().map(|row| row.id).collect())
}

macro_rules! all {
    ($rows:expr, $of:expr) => {
        $rows.iter().map($of).collect::<Vec<_>>()
    };
}

/// Inserts customers of a website with ids from [`next_ids`], without passwords.
/// # Errors
/// TAKEN if another user has the email address.
pub async fn insert_imported(mut conn: &Conn, website: WebsiteId, users: &[ImportedUser<'_>]) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO users (id, name, phone, email, imported_email, is_active, role_id, source_website_id)
         SELECT n.id, n.name, n.phone, CASE WHEN NOT n.is_unconfirmed THEN n.email::citext END,
                CASE WHEN n.is_unconfirmed THEN n.email::citext END, n.is_active, r.id, $7
         FROM unnest($1, $2, $3, $4, $5, $6) AS n (id, name, phone, email, is_unconfirmed, is_active)
         JOIN roles r ON r.code = 'customer' ORDER BY n.id",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(users, |u| u.id))
        .bind::<Array<Text>, _>(all!(users, |u| u.name))
        .bind::<Array<Nullable<Text>>, _>(all!(users, |u| u.phone))
        .bind::<Array<Nullable<Text>>, _>(all!(users, |u| u.email))
        .bind::<Array<Bool>, _>(all!(users, |u| u.is_email_unconfirmed))
        .bind::<Array<Bool>, _>(all!(users, |u| u.is_active))
        .bind::<BigInt, _>(website);
    query.execute(&mut conn).await.map_err(email_taken)?;
    Ok(())
}

/// Updates imported customers where a column differs.
/// # Errors
/// TAKEN if another user has the email address.
pub async fn update_imported(mut conn: &Conn, users: &[ImportedUser<'_>]) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "UPDATE users u SET name = n.name, phone = n.phone, email = n.own, imported_email = n.imported, is_active = n.is_active
         FROM (SELECT id, name, phone, CASE WHEN NOT is_unconfirmed THEN email::citext END AS own,
                   CASE WHEN is_unconfirmed THEN email::citext END AS imported, is_active
               FROM unnest($1, $2, $3, $4, $5, $6) AS r (id, name, phone, email, is_unconfirmed, is_active)) n
         WHERE u.id = n.id AND (u.name, u.phone, u.email, u.imported_email, u.is_active)
             IS DISTINCT FROM (n.name, n.phone, n.own, n.imported, n.is_active)",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(users, |u| u.id))
        .bind::<Array<Text>, _>(all!(users, |u| u.name))
        .bind::<Array<Nullable<Text>>, _>(all!(users, |u| u.phone))
        .bind::<Array<Nullable<Text>>, _>(all!(users, |u| u.email))
        .bind::<Array<Bool>, _>(all!(users, |u| u.is_email_unconfirmed))
        .bind::<Array<Bool>, _>(all!(users, |u| u.is_active));
    query.execute(&mut conn).await.map_err(email_taken)?;
    Ok(())
}

fn email_taken(error: diesel::result::Error) -> Error {
    let taken = || UserError::new(UserErrorCode::Taken, "email", "another user has this email address");
    Error::from(error).on_constraint("users_email_key", taken).on_constraint("users_imported_email_key", taken)
}

/// The export of customers: users with the role `customer` who belong to the website. Erased users are left out.
pub const CUSTOMERS: Export = Export {
    permission: Permission::ManageUsers,
    has_website: true,
    is_importable: true,
    with: "",
    table: "users u",
    joins: "LEFT JOIN sources s ON s.resource_type = 'User' AND s.resource_id = u.id AND s.website_id = ANY ($1)",
    filter: "u.erased_at IS NULL AND u.role_id = (SELECT r.id FROM roles r WHERE r.code = 'customer')
        AND (u.source_website_id = ANY ($1) OR u.id IN (SELECT k.resource_id FROM sources k WHERE k.resource_type = 'User' AND k.website_id = ANY ($1)))
        AND ($2 IS NULL OR u.source_website_id = ANY ($2))",
    order: "u.id",
    columns: columns! {
        external_id: Text = "s.external_id",
        email: Text = "coalesce(u.email, u.imported_email)",
        name: Text = "u.name",
        phone: Text = "u.phone",
        is_active: Bool = "u.is_active",
        addresses: Json = "SELECT json_agg(json_build_object('recipient_name', a.recipient_name, 'company', a.company,
                'phone', a.phone, 'country', a.country, 'subdivision', a.subdivision, 'city', a.city, 'district', a.district,
                'address', a.address, 'postal_code', a.postal_code, 'is_default', a.is_default) ORDER BY a.id)
             FROM addresses a WHERE a.user_id = u.id",
    },
};

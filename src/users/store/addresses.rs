//! SQL statements on addresses. Their scopes are those of their users.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::super::model::{AddressPatch, AddressRow, ImportedAddress, NewAddress};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        tables::{addresses, users},
    },
    error::Result,
    ids::{AddressId, UserId},
};

/// Returns the visible addresses of these users, oldest first per user.
pub async fn addresses_by_user_ids(mut conn: &Conn, scope: &Scope, ids: &[UserId]) -> Result<Vec<AddressRow>> {
    let query = addresses::table
        .filter(addresses::user_id.eq_any(ids))
        .order((addresses::user_id, addresses::id))
        .select(AddressRow::as_select())
        .into_boxed();
    Ok(query.filter(visible_addresses(scope)).load(&mut conn).await?)
}

/// Returns the visible addresses with these ids, in no particular order.
pub async fn addresses_by_ids(mut conn: &Conn, scope: &Scope, ids: &[AddressId]) -> Result<Vec<AddressRow>> {
    let query = addresses::table.filter(addresses::id.eq_any(ids)).select(AddressRow::as_select()).into_boxed();
    Ok(query.filter(visible_addresses(scope)).load(&mut conn).await?)
}

/// Returns the default address of a user and those with these IDs that are theirs, in no particular order.
pub async fn default_and_chosen_addresses(mut conn: &Conn, user: UserId, ids: &[AddressId]) -> Result<Vec<AddressRow>> {
    let query = addresses::table.filter(addresses::user_id.eq(user)).select(AddressRow::as_select());
    Ok(query.filter(addresses::is_default.or(addresses::id.eq_any(ids))).load(&mut conn).await?)
}

fn visible_addresses(scope: &Scope) -> Condition<'static, addresses::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Own(user) | Scope::Seller { own: user, .. } => Box::new(addresses::user_id.eq(*user)),
        Scope::Websites(user, websites) => {
            let website = users::source_website_id;
            let people = users::table.filter(website.is_not_null()).select(users::id);
            let people = people.filter(website.assume_not_null().eq_any(websites.to_vec()));
            Box::new(addresses::user_id.eq(*user).or(addresses::user_id.eq_any(people)))
        }
        Scope::Public | Scope::Guest(_) => constant(false),
    }
}

/// Counts the addresses of a user.
pub async fn count_addresses(mut conn: &Conn, user: UserId) -> Result<i64> {
    Ok(addresses::table.filter(addresses::user_id.eq(user)).count().get_result(&mut conn).await?)
}

/// Removes the default flag from all addresses of a user.
pub async fn clear_default_address(mut conn: &Conn, user: UserId) -> Result<()> {
    let own = addresses::table.filter(addresses::user_id.eq(user)).filter(addresses::is_default);
    diesel::update(own).set(addresses::is_default.eq(false)).execute(&mut conn).await?;
    Ok(())
}

/// Inserts an address.
pub async fn insert_address(mut conn: &Conn, new: &NewAddress) -> Result<AddressRow> {
    let query = diesel::insert_into(addresses::table).values(new).returning(AddressRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Updates an address.
pub async fn update_address(mut conn: &Conn, id: AddressId, patch: &AddressPatch) -> Result<AddressRow> {
    let query = diesel::update(addresses::table.find(id)).set(patch).returning(AddressRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Deletes all addresses of a user.
pub async fn delete_addresses(mut conn: &Conn, user: UserId) -> Result<()> {
    diesel::delete(addresses::table.filter(addresses::user_id.eq(user))).execute(&mut conn).await?;
    Ok(())
}

/// Deletes an address.
pub async fn delete_address(mut conn: &Conn, id: AddressId) -> Result<()> {
    diesel::delete(addresses::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

macro_rules! all {
    ($rows:expr, $of:expr) => {
        $rows.iter().map($of).collect::<Vec<_>>()
    };
}

/// Inserts addresses of users, in this order.
pub async fn insert_addresses(mut conn: &Conn, new: &[ImportedAddress]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO addresses (user_id, recipient_name, company, phone, country, subdivision, city, district, address,
                                postal_code, is_default)
         SELECT n.id, n.recipient_name, n.company, n.phone, n.country, n.subdivision, n.city, n.district, n.address,
                n.postal_code, n.is_default
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) WITH ORDINALITY
             AS n (id, recipient_name, company, phone, country, subdivision, city, district, address, postal_code, is_default,
                   place)
         ORDER BY n.place",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(new, |a| a.user_id))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |a| a.fields.recipient_name.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |a| a.fields.company.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |a| a.fields.phone.as_deref()))
        .bind::<Array<Text>, _>(all!(new, |a| a.fields.country.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |a| a.fields.subdivision.as_deref()))
        .bind::<Array<Text>, _>(all!(new, |a| a.fields.city.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |a| a.fields.district.as_deref()))
        .bind::<Array<Text>, _>(all!(new, |a| a.fields.address.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |a| a.fields.postal_code.as_deref()))
        .bind::<Array<Bool>, _>(all!(new, |a| a.is_default));
    query.execute(&mut conn).await?;
    Ok(())
}

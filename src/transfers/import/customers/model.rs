//! Customers of a batch: known by the shop's own id, else by their e-mail address.
//! Rule: the same person at two websites is one user with two identities, and what the first website told of them stays. A
//! member of staff is never changed, an e-mail address that somebody logs in with neither, and no password comes or goes.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{
    super::record::{AddressRecord, CustomerRecord, Refused},
    Fate, Run, check, transfer,
};
use crate::{
    db::Conn,
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
    text::{self, Check},
    users::model::MAX_ADDRESSES,
};

/// A customer as a file may describe them.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
struct State {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    external_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    phone: Option<String>,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Bool)]
    is_customer: bool,
    /// Whether this website told of them first.
    #[diesel(sql_type = Bool)]
    is_home: bool,
    /// Whether this website knows them.
    #[diesel(sql_type = Bool)]
    is_known: bool,
    #[diesel(sql_type = Jsonb)]
    addresses: Value,
}

/// Checks a row by itself and puts e-mail address and phone number into their canonical form.
/// # Errors
/// The rule that it breaks.
pub fn check(record: &mut CustomerRecord) -> Result<(), Refused> {
    let mut check = Check::new();
    check.optional("external_id", record.external_id.as_deref(), 255);
    check.optional("name", record.name.as_deref(), 255);
    if let Some(email) = &mut record.email {
        *email = check.keep(text::email("email", email));
    }
    if let Some(Some(phone)) = &mut record.phone {
        *phone = check.keep(text::phone("phone", phone));
    }
    for address in record.addresses.iter().flatten() {
        check.text("addresses", &address.country, 100);
        check.text("addresses", &address.city, 100);
        check.optional("addresses", address.district.as_deref(), 100);
        check.text("addresses", &address.address, 500);
        check.optional("addresses", address.postal_code.as_deref(), 20);
    }
    check.finish().map_err(check::refusal)
}

/// Writes what the rows say, or only tells what would become of them.
/// # Errors
/// User errors of what only the database can find, which one of the rows is to blame for; those of the database.
pub async fn write(conn: &Conn, run: &Run<'_>, records: &[&CustomerRecord], is_dry: bool) -> Result<Vec<Fate>> {
    // In id order, like everybody's.
    let found = find(conn, run.website.id, records, !is_dry).await?;
    let by_id: HashMap<&str, &State> =
        found.iter().filter_map(|state| Some((state.external_id.as_deref()?, state))).collect();
    let by_email: HashMap<&str, &State> =
        found.iter().filter_map(|state| Some((state.email.as_deref()?, state))).collect();
    let mut ids = match is_dry {
        true => vec![0; records.len()],
        false => next_ids(conn, records.len()).await?,
    };
    let (mut met, mut new, mut changed, mut seen, mut fates, mut addresses) =
        (HashSet::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for record in records {
        let by_id = record.external_id.as_deref().and_then(|id| by_id.get(id).copied());
        let before = by_id.or_else(|| record.email.as_deref().and_then(|email| by_email.get(email).copied()));
        match become_of(record, before, &mut met) {
            Err(refused) => fates.push(Fate::Refused(refused)),
            Ok((mut state, added)) => {
                fates.push(match before {
                    None => Fate::Created,
                    Some(before) if *before == state && added.is_empty() && before.is_known => Fate::Unchanged,
                    Some(_) => Fate::Updated,
                });
                if before.is_none() {
                    state.id = ids.pop().unwrap_or_default();
                }
                seen.push((state.id, record.external_id.as_deref()));
                addresses.extend(added.into_iter().map(|address| (state.id, address)));
                match before {
                    None => new.push(state),
                    Some(before) if *before != state => changed.push(state),
                    Some(_) => {}
                }
            }
        }
    }
    if !is_dry {
        insert(conn, run.website.id, &new).await?;
        update(conn, &changed).await?;
        insert_addresses(conn, &addresses).await?;
        transfer::see(conn, run, "User", &seen).await?;
    }
    Ok(fates)
}

/// What a row makes of a customer, and the addresses that are new.
fn become_of<'r>(
    record: &'r CustomerRecord,
    before: Option<&State>,
    met: &mut HashSet<i64>,
) -> Result<(State, Vec<&'r AddressRecord>), Refused> {
    let refused =
        |column: &str, message: &str| Refused { column: Some(column.to_owned()), message: message.to_owned() };
    let mut state = match before {
        Some(before) if !met.insert(before.id) => {
            return Err(refused("email", "an earlier row of the file is the same customer"));
        }
        Some(before) if !before.is_customer => return Err(refused("email", "this is a member of staff")),
        Some(before) => before.clone(),
        None => {
            let name = record.name.clone().ok_or_else(|| refused("name", "a new customer has a name"))?;
            State {
                name,
                is_active: true,
                is_customer: true,
                is_home: true,
                addresses: Value::Array(Vec::new()),
                ..State::default()
            }
        }
    };
    if record.external_id.is_some() {
        state.external_id.clone_from(&record.external_id);
    }
    match (&record.email, &state.email) {
        (Some(given), Some(has)) if given != has => {
            return Err(refused("email", "the customer has another e-mail address, which only they change"));
        }
        (Some(_), None) => state.email.clone_from(&record.email),
        _ => {}
    }
    if state.is_home {
        if let Some(name) = &record.name {
            state.name.clone_from(name);
        }
        if let Some(phone) = &record.phone {
            state.phone.clone_from(phone);
        }
        if let Some(is_active) = record.is_active {
            state.is_active = is_active;
        }
    }
    let has: Vec<AddressRecord> = serde_json::from_value(state.addresses.clone()).unwrap_or_default();
    let place = |address: &AddressRecord| {
        let AddressRecord { country, city, district, address, postal_code, .. } = address.clone();
        (country, city, district, address, postal_code)
    };
    let mut places: BTreeSet<_> = has.iter().map(place).collect();
    let has_default = has.iter().any(|address| address.is_default);
    let added: Vec<_> = record.addresses.iter().flatten().filter(|address| places.insert(place(address))).collect();
    if places.len() as i64 > MAX_ADDRESSES {
        return Err(refused("addresses", &format!("a customer has at most {MAX_ADDRESSES} addresses")));
    }
    if added.iter().filter(|address| address.is_default).count() + usize::from(has_default) > 1 {
        return Err(refused("addresses", "one address is the default"));
    }
    Ok((state, added))
}

async fn find(
    mut conn: &Conn,
    website: WebsiteId,
    records: &[&CustomerRecord],
    is_locking: bool,
) -> Result<Vec<State>> {
    let lock = if is_locking { "FOR NO KEY UPDATE OF u" } else { "" };
    let query = sql_query(format!(
        "SELECT u.id, s.external_id, u.email::text AS email, u.name, u.phone, u.is_active,
                u.role_id = (SELECT id FROM roles WHERE code = 'customer') AS is_customer,
                u.source_website_id IS NULL OR u.source_website_id = $1 AS is_home,
                s.noun_id IS NOT NULL OR u.source_website_id IS NOT DISTINCT FROM $1 AS is_known,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('country', a.country, 'city', a.city, 'district', a.district,
                    'address', a.address, 'postal_code', a.postal_code, 'is_default', a.is_default) ORDER BY a.id), '[]')
                 FROM addresses a WHERE a.user_id = u.id) AS addresses
         FROM users u LEFT JOIN sources s ON s.noun = 'User' AND s.noun_id = u.id AND s.website_id = $1
         WHERE u.id IN (SELECT noun_id FROM sources WHERE noun = 'User' AND website_id = $1 AND external_id = ANY ($2)
                        UNION SELECT id FROM users WHERE email = ANY ($3::citext[]))
         ORDER BY u.id {lock}"
    ));
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let emails: Vec<&str> = records.iter().filter_map(|record| record.email.as_deref()).collect();
    let query = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(ids).bind::<Array<Text>, _>(emails);
    Ok(query.load(&mut conn).await?)
}

async fn next_ids(mut conn: &Conn, count: usize) -> Result<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let query = sql_query("SELECT nextval(pg_get_serial_sequence('users', 'id')) AS id FROM generate_series(1, $1)");
    let ids: Vec<Id> = query.bind::<BigInt, _>(count as i64).load(&mut conn).await?;
    // The last is taken first.
    Ok(ids.into_iter().rev().map(|row| row.id).collect())
}

macro_rules! all {
    ($rows:expr, $of:expr) => {
        $rows.iter().map($of).collect::<Vec<_>>()
    };
}

async fn insert(mut conn: &Conn, website: WebsiteId, new: &[State]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO users (id, name, phone, email, is_active, role_id, source_website_id)
         SELECT n.id, n.name, n.phone, n.email::citext, n.is_active, r.id, $6
         FROM unnest($1, $2, $3, $4, $5) AS n (id, name, phone, email, is_active) JOIN roles r ON r.code = 'customer' ORDER BY n.id",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(new, |s| s.id))
        .bind::<Array<Text>, _>(all!(new, |s| s.name.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |s| s.phone.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |s| s.email.as_deref()))
        .bind::<Array<Bool>, _>(all!(new, |s| s.is_active))
        .bind::<BigInt, _>(website);
    query.execute(&mut conn).await.map_err(refused)?;
    Ok(())
}

async fn update(mut conn: &Conn, changed: &[State]) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "UPDATE users u SET name = n.name, phone = n.phone, email = n.email::citext, is_active = n.is_active
         FROM unnest($1, $2, $3, $4, $5) AS n (id, name, phone, email, is_active)
         WHERE u.id = n.id AND (u.name, u.phone, u.email, u.is_active) IS DISTINCT FROM (n.name, n.phone, n.email::citext, n.is_active)",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(changed, |s| s.id))
        .bind::<Array<Text>, _>(all!(changed, |s| s.name.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(changed, |s| s.phone.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(changed, |s| s.email.as_deref()))
        .bind::<Array<Bool>, _>(all!(changed, |s| s.is_active));
    query.execute(&mut conn).await.map_err(refused)?;
    Ok(())
}

async fn insert_addresses(mut conn: &Conn, new: &[(i64, &AddressRecord)]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO addresses (user_id, country, city, district, address, postal_code, is_default)
         SELECT n.id, n.country, n.city, n.district, n.address, n.postal_code, n.is_default
         FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
             AS n (id, country, city, district, address, postal_code, is_default, place) ORDER BY n.place",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(new, |(id, _)| *id))
        .bind::<Array<Text>, _>(all!(new, |(_, a)| a.country.as_str()))
        .bind::<Array<Text>, _>(all!(new, |(_, a)| a.city.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |(_, a)| a.district.as_deref()))
        .bind::<Array<Text>, _>(all!(new, |(_, a)| a.address.as_str()))
        .bind::<Array<Nullable<Text>>, _>(all!(new, |(_, a)| a.postal_code.as_deref()))
        .bind::<Array<Bool>, _>(all!(new, |(_, a)| a.is_default));
    query.execute(&mut conn).await?;
    Ok(())
}

fn refused(error: diesel::result::Error) -> Error {
    Error::from(error).on_constraint("users_email_key", || {
        UserError::new(UserErrorCode::Taken, "email", "another user has this e-mail address")
    })
}

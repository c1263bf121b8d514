//! `souk demo` and `souk serve --demo`: demo data of two shops for an empty database.
//! Rule: all of it is inserted or nothing, and never into a database that holds anything. Rows are inserted in the order of the
//! data, so that their ids are known.

mod catalog;
mod data;
mod images;
mod inserted;
mod orders;
mod people;

use std::{collections::HashMap, fmt};

use chrono::Utc;

use self::{
    data::{DemoData, User},
    inserted::InsertedRows,
};
use super::{CommandResult, database::with_database};
use crate::{
    audit,
    auth::{PasswordCost, Passwords, Scope},
    config::{Environment, FileSettings, Settings, media_url},
    db::{Conn, Db, filter::Filter},
    error::Result,
    media::{actions::ImageProcessor, fetch::FetchPolicy, model::NewMedia},
    paging::{Direction, List, Page},
    stock,
    storage::Storage,
    users::{self, model::UserOrderField},
    websites,
};

/// A demo login; there is one for each role.
pub struct Login {
    /// Code of the role.
    pub role: String,
    /// The email address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The result of [`seed`].
pub struct SeedReport {
    /// What happened.
    pub outcome: SeedOutcome,
    /// The demo logins; none if the database contains other data.
    pub logins: Vec<Login>,
}

/// What [`seed`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedOutcome {
    /// The demo data was inserted.
    Inserted,
    /// The database already contained the demo data.
    AlreadyInserted,
    /// The database contains other data.
    OtherData,
}

impl SeedOutcome {
    /// Returns a message for the user, if nothing was inserted.
    pub fn message(self) -> Option<&'static str> {
        match self {
            Self::Inserted => None,
            Self::AlreadyInserted => Some("The database already contains the demo data. Nothing was changed."),
            Self::OtherData => Some("The database contains other data. The demo data was not inserted."),
        }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.role, self.email, self.password)
    }
}

/// Rejects demo data in production: everyone knows the passwords of its accounts, admins included.
/// # Errors
/// In production.
pub(super) fn check_environment(settings: &Settings) -> CommandResult {
    match settings.environment {
        Environment::Development => Ok(()),
        Environment::Production => Err("the demo data has accounts with known passwords and is for development only; \
                                        leave out --demo, or set SOUK_ENV=development"
            .into()),
    }
}

pub(super) async fn run(settings: &Settings, files: &FileSettings) -> CommandResult {
    check_environment(settings)?;
    let storage = Storage::open(&files.storage_location(settings)?)?;
    let seed = async |db: Db| {
        let processor = image_processor(storage, files, None);
        seed(&db, &Passwords::new(PasswordCost::default())?, &processor).await
    };
    let report = with_database(settings, seed).await?;
    if let Some(message) = report.outcome.message() {
        print_line!("{message}");
    }
    report.logins.iter().for_each(|login| print_line!("{login}"));
    Ok(())
}

/// Returns the image processor with these settings; `public_url` is the URL of the server, if it is set.
pub(super) fn image_processor(storage: Storage, files: &FileSettings, public_url: Option<&str>) -> ImageProcessor {
    let policy = FetchPolicy { max_bytes: files.upload_bytes, addresses: files.addresses() };
    ImageProcessor::new(storage, &media_url(&files.media_url, public_url), policy)
}

/// Fills an empty database, and leaves one that contains anything as it is.
/// # Errors
/// Those of the database and of the storage; nothing is inserted then.
pub async fn seed(db: &Db, passwords: &Passwords, processor: &ImageProcessor) -> Result<SeedReport> {
    let data = DemoData::load()?;
    let mut is_inserted = false;
    if db.read(is_empty).await? {
        tracing::info!("inserting demo data");
        let (password_hashes, images) =
            futures_util::future::try_join(hash_passwords(&data, passwords), images::store_files(db, processor))
                .await?;
        is_inserted = db
            .transaction(async |conn| {
                websites::store::lock_all(conn).await?;
                if !is_empty(conn).await? {
                    return Ok(false);
                }
                insert_all(conn, &data, &password_hashes, &images).await.map(|()| true)
            })
            .await?;
        if is_inserted {
            let (products, orders) = (data.assortment.products.len(), data.orders.len());
            tracing::info!(products, orders, images = images.len(), "demo data inserted");
        }
    }
    let mut logins = Vec::new();
    for user in one_per_role(&data.people.users) {
        if db.read(async |conn| users::store::find_login(conn, &user.email).await).await?.is_some() {
            let User { role, email, password, .. } = user;
            logins.push(Login { role: role.clone(), email: email.clone(), password: password.clone() });
        }
    }
    let outcome = match (is_inserted, logins.is_empty()) {
        (true, _) => SeedOutcome::Inserted,
        (false, false) => SeedOutcome::AlreadyInserted,
        (false, true) => SeedOutcome::OtherData,
    };
    Ok(SeedReport { outcome, logins })
}

async fn hash_passwords<'m>(data: &'m DemoData, passwords: &Passwords) -> Result<HashMap<&'m str, String>> {
    let mut hashes = HashMap::new();
    for user in &data.people.users {
        if !hashes.contains_key(user.password.as_str()) {
            hashes.insert(user.password.as_str(), passwords.hash(user.password.clone()).await?);
        }
    }
    Ok(hashes)
}

fn one_per_role(users: &[User]) -> impl Iterator<Item = &User> {
    let mut seen: Vec<&str> = Vec::new();
    users.iter().filter(move |user| {
        let is_first = !seen.contains(&user.role.as_str());
        seen.push(&user.role);
        is_first
    })
}

async fn is_empty(conn: &Conn) -> Result<bool> {
    let any_user = List {
        filter: Filter::default(),
        order: UserOrderField::default(),
        direction: Direction::Asc,
        page: Page::first("users", 1),
    };
    Ok(websites::store::count(conn).await? == 0 && users::store::count(conn, &Scope::All, &any_user).await? == 0)
}

async fn insert_all(
    conn: &Conn,
    data: &DemoData,
    password_hashes: &HashMap<&str, String>,
    images: &HashMap<&'static str, NewMedia>,
) -> Result<()> {
    let now = Utc::now();
    let mut inserted = InsertedRows::default();
    catalog::insert(conn, &data.catalog, &mut inserted).await?;
    for user in &data.people.users {
        let registered_at = people::registered_at(user, data, now);
        let id = people::insert_user(conn, user, registered_at, password_hashes, &inserted).await?;
        inserted.users.insert(&user.email, id);
    }
    let mut movements = catalog::insert_products(conn, data, &mut inserted, now).await?;
    catalog::insert_images(conn, data, &inserted, images).await?;
    catalog::insert_search_rules(conn, &data.catalog, &inserted).await?;
    people::insert_wishlists(conn, &data.people.wishlists, &inserted).await?;
    // The rest happened in the past, which the audit log and the order events of today must not record.
    audit::store::suppress(conn).await?;
    movements.extend(orders::insert(conn, data, &inserted, now).await?);
    movements.sort_by_key(|movement| movement.created_at);
    stock::store::insert_many(conn, &movements).await?;
    people::insert_reviews(conn, &data.people.reviews, &inserted, now).await
}

//! The website of a sales import.
//! Rule: its currency never changes, because its prices are in that currency.

use super::super::model::{WebsiteOptions, report::WebsiteReport};
use crate::{
    db::Db,
    error::{Error, Result},
    money::Currency,
    text::trim,
    websites::{
        self,
        language::Language,
        model::{NewWebsite, WebsitePatch, WebsiteRow},
    },
};

/// Currency of a new website, if the options name none.
const DEFAULT_CURRENCY: &str = "GBP";

/// Returns the currency of the website, which does not have to exist yet.
/// # Errors
/// A user error for a currency that is not in use; database errors.
pub(super) async fn currency(db: &Db, options: &WebsiteOptions) -> Result<Currency> {
    let code = trim(&options.code);
    match db.read(async |conn| websites::store::find_by_code(conn, code).await).await? {
        Some(found) => Ok(found.currency()),
        None => Ok(Currency::checked("currency", options.currency.as_deref().unwrap_or(DEFAULT_CURRENCY))?),
    }
}

/// Finds the website and updates its name and URL from the options, or creates it; also returns the counts for the
/// report. Other imports require an existing website; a sales file is often the first data of a shop.
/// # Errors
/// User errors for invalid options and for another currency; database errors.
pub(super) async fn find_or_create(db: &Db, options: &WebsiteOptions) -> Result<(WebsiteRow, WebsiteReport)> {
    let code = trim(&options.code);
    let new = NewWebsite {
        code: code.to_owned(),
        name: options.name.clone().unwrap_or_else(|| code.to_owned()),
        base_url: options.base_url.clone().unwrap_or_else(|| format!("https://{code}.example")),
        currency: options.currency.clone().unwrap_or_else(|| DEFAULT_CURRENCY.into()),
        language: Language::default(),
    };
    let new = new.checked()?;
    let (website, created, updated) = db
        .transaction(async |conn| {
            let Some(found) = websites::store::find_by_code(conn, code).await? else {
                return Ok((websites::store::insert(conn, &new).await?, 1, 0));
            };
            if options.currency.is_some() && found.currency().as_str() != new.currency {
                let rule = format!("the currency of website {code} is {}, not {}", found.currency(), new.currency);
                return Err(Error::bad_input("currency", rule));
            }
            let patch = WebsitePatch {
                code: None,
                language: None,
                name: options.name.as_ref().map(|_| new.name.clone()).filter(|name| *name != found.name),
                base_url: options.base_url.as_ref().map(|_| new.base_url.clone()).filter(|url| *url != found.base_url),
            };
            if patch.is_empty() {
                return Ok((found, 0, 0));
            }
            let updated = websites::store::update(conn, found.id, &patch).await?;
            Ok((updated.ok_or_else(|| Error::not_found("website", "website"))?, 0, 1))
        })
        .await?;
    let report = WebsiteReport { code: website.code.clone(), created, updated };
    Ok((website, report))
}

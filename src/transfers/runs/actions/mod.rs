//! Starts imports and exports; [`job`] runs them, and [`cleanup`] deletes their files.
//! Rule: a start with a key that was used before returns the transfer of that start.

pub mod cleanup;
pub mod job;

use serde_json::json;

use self::job::KIND;
use super::{
    super::{
        export::ExportOptions,
        model::{Format, Resource},
    },
    model::{NewTransfer, ShopOptions, TransferDirection, TransferRow, TransferScope},
    store,
};
use crate::{
    auth::Viewer,
    db::{
        Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserErrorCode},
    ids::{TransferId, WebsiteId},
    jobs::{self, model::NewJob},
    storage::{Storage, received::ReceivedFile, uploads},
    text::Validator,
    websites,
};

/// An import that somebody asks for.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// What the file holds.
    pub resource: Resource,
    /// How it is written.
    pub format: Format,
    /// Whose rows they are.
    pub website: WebsiteId,
    /// The file.
    pub file: ImportFile,
    /// Nothing is written.
    pub is_dry_run: bool,
    /// What a file of another shop does not say of itself.
    pub shop_options: ShopOptions,
}

/// A file that is to come in.
#[derive(Debug, Clone)]
pub enum ImportFile {
    /// Came with the request.
    Received(ReceivedFile),
    /// Was sent ahead: the id of the upload.
    Upload(String),
}

/// An export that somebody asks for.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// What goes out.
    pub resource: Resource,
    /// How it is written.
    pub format: Format,
    /// Whose rows they are.
    pub website: Option<WebsiteId>,
}

/// Begins an import. Sent again with the same key it answers without doing it again.
/// # Errors
/// FORBIDDEN without the resource's permission; user errors for a resource that does not come in, a format that it does not have, a
/// website beyond the viewer's, and an upload that is not there.
pub async fn import_start(
    db: &Db,
    storage: &Storage,
    viewer: &Viewer,
    request: ImportRequest,
    key: String,
) -> Result<TransferRow> {
    viewer.require_any(&[request.resource.export().permission])?;
    let user = viewer.require_user()?;
    if !request.resource.export().is_importable {
        return Err(Error::bad_input("resource", format!("{} are not imported", request.resource.as_str())));
    }
    if !request.format.is_native() && request.resource != Resource::Products {
        let rule = format!("{} come in as souk-csv or souk-jsonl", request.resource.as_str());
        return Err(Error::bad_input("format", rule));
    }
    let mut validator = Validator::new();
    validator.optional_text("imageBaseUrl", request.shop_options.image_base_url.as_deref(), 1000);
    validator.finish()?;
    if !viewer.can_access_website(request.website) {
        return Err(Error::not_found("websiteId", "website"));
    }
    let missing = || Error::not_found("uploadId", "upload");
    let upload = match request.file {
        ImportFile::Received(file) => uploads::store(storage, user.0, &file).await?,
        ImportFile::Upload(id) => id,
    };
    let input = uploads::key(user.0, &upload).ok_or_else(missing)?;
    storage.size(&input).await?.ok_or_else(missing)?;
    let new = NewTransfer {
        direction: TransferDirection::Import,
        resource: request.resource,
        format: request.format,
        website_id: Some(request.website),
        user_id: Some(user),
        is_dry_run: request.is_dry_run,
        input_key: Some(input),
        options: json!(request.shop_options),
    };
    let key = IdempotencyKey { owner: Owner::User(user), operation: "importStart", key };
    start(db, viewer, key, &new).await
}

/// Begins an export. Sent again with the same key it answers without doing it again.
/// # Errors
/// FORBIDDEN without the resource's permission; user errors for a format that souk does not write, and for a website that is
/// missing or beyond the viewer's.
pub async fn export_start(db: &Db, viewer: &Viewer, request: ExportRequest, key: String) -> Result<TransferRow> {
    viewer.require_any(&[request.resource.export().permission])?;
    let user = viewer.require_user()?;
    let is_limited = viewer.identity().is_some_and(|identity| identity.websites.is_some());
    if request.website.is_none() && (is_limited || request.resource.export().has_website) {
        let rule = "say of which website: the rows belong to one, or you may do this at some only";
        return Err(Error::user(UserErrorCode::Required, "websiteId", rule));
    }
    ExportOptions { resource: request.resource, format: request.format, website: request.website }.check()?;
    let new = NewTransfer {
        direction: TransferDirection::Export,
        resource: request.resource,
        format: request.format,
        website_id: request.website,
        user_id: Some(user),
        is_dry_run: false,
        input_key: None,
        options: json!({}),
    };
    let key = IdempotencyKey { owner: Owner::User(user), operation: "exportStart", key };
    start(db, viewer, key, &new).await
}

/// Writes the row and its job.
async fn start(db: &Db, viewer: &Viewer, key: IdempotencyKey, new: &NewTransfer) -> Result<TransferRow> {
    key.check()?;
    let scope = TransferScope::of(viewer);
    let request =
        (new.resource.as_str(), new.format.as_str(), new.website_id, &new.input_key, new.is_dry_run, &new.options);
    let (key, scope, request) = (&key, &scope, &request);
    db.transaction(async |conn| {
        let claimed = match key.claim(conn, request).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(id) => {
                let found = store::by_ids(conn, scope, &[TransferId(id)]).await?.pop();
                return found.ok_or_else(|| Error::not_found("idempotencyKey", "transfer"));
            }
        };
        if let Some(website) = new.website_id {
            let found = websites::store::by_ids(conn, &[website]).await?;
            if found.is_empty() || !viewer.can_access_website(website) {
                return Err(Error::not_found("websiteId", "website"));
            }
        }
        let row = store::insert(conn, new).await?;
        let job = NewJob { kind: KIND, payload: json!({ "transfer": row.id }), user_id: None, run_at: None };
        jobs::store::enqueue(conn, &job).await?;
        claimed.store_result(conn, row.id.0).await?;
        Ok(row)
    })
    .await
}

//! Starts imports and exports; [`job`] runs them, and [`cleanup`] deletes their files.
//! Rule: a repeated request with the same idempotency key returns the same transfer.

pub mod cleanup;
pub mod job;

use serde_json::json;

use self::job::JOB;
use super::{
    super::{
        export::ExportOptions,
        model::{Format, Resource, customer_websites},
    },
    model::{NewTransfer, ShopOptions, TransferDirection, TransferRow, TransferScope},
    store,
};
use crate::{
    auth::{Permission, Viewer},
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

/// Input of [`import_start`].
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Resource of the file.
    pub resource: Resource,
    /// Format of the file.
    pub format: Format,
    /// Website that the rows belong to.
    pub website: WebsiteId,
    /// The file.
    pub file: ImportFile,
    /// Whether the run is a dry run, which writes nothing.
    pub is_dry_run: bool,
    /// Options for files of other shop systems.
    pub shop_options: ShopOptions,
}

/// The file of an import.
#[derive(Debug, Clone)]
pub enum ImportFile {
    /// Sent with the request.
    Received(ReceivedFile),
    /// Uploaded before; the ID of the upload.
    Upload(String),
}

/// Input of [`export_start`].
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// Resource to export.
    pub resource: Resource,
    /// Format of the file.
    pub format: Format,
    /// Website to export.
    pub website: Option<WebsiteId>,
}

/// Starts an import. Repeating the request with the same key returns the same transfer.
/// # Errors
/// FORBIDDEN without the resource's permission; user errors for a resource that cannot be imported, a format that does
/// not support it, a website that the viewer cannot access, and an upload that does not exist.
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
        return Err(Error::bad_input("resource", format!("{} cannot be imported", request.resource.as_str())));
    }
    if !request.format.is_native() && request.resource != Resource::Products {
        let rule = format!("{} can be imported only as souk-csv or souk-jsonl", request.resource.as_str());
        return Err(Error::bad_input("format", rule));
    }
    request.shop_options.rules.check(request.resource)?;
    let (mut validator, mut request) = (Validator::new(), request);
    // They belong to all websites.
    request.shop_options.keeps_catalog = !viewer.can(Permission::ManageCatalogue);
    validator.texts("imageBaseUrl", &mut request.shop_options.image_base_url, 1000);
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
        customer_websites: customer_websites(viewer),
        is_dry_run: request.is_dry_run,
        input_key: Some(input),
        options: json!(request.shop_options),
    };
    let key = IdempotencyKey { owner: Owner::User(user), operation: "importStart", key };
    start(db, viewer, key, &new).await
}

/// Starts an export. Repeating the request with the same key returns the same transfer.
/// # Errors
/// FORBIDDEN without the resource's permission; user errors for a format that cannot be written, and for a website that
/// is missing or that the viewer cannot access.
pub async fn export_start(db: &Db, viewer: &Viewer, request: ExportRequest, key: String) -> Result<TransferRow> {
    viewer.require_any(&[request.resource.export().permission])?;
    let user = viewer.require_user()?;
    let is_limited = viewer.identity().is_some_and(|identity| identity.websites.is_some());
    if request.website.is_none() && (is_limited || request.resource.export().has_website) {
        let rule = "websiteId is required for this resource and for roles that are limited to some websites";
        return Err(Error::user(UserErrorCode::Required, "websiteId", rule));
    }
    let ExportRequest { resource, format, website } = request;
    ExportOptions { resource, format, website, media_url: None }.check()?;
    let new = NewTransfer {
        direction: TransferDirection::Export,
        resource: request.resource,
        format: request.format,
        website_id: request.website,
        user_id: Some(user),
        customer_websites: customer_websites(viewer),
        is_dry_run: false,
        input_key: None,
        options: json!({}),
    };
    let key = IdempotencyKey { owner: Owner::User(user), operation: "exportStart", key };
    start(db, viewer, key, &new).await
}

/// Inserts the transfer and its job.
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
        let job = NewJob { kind: JOB.kind, payload: json!({ "transfer": row.id }), user_id: None, run_at: None };
        jobs::store::enqueue(conn, &job).await?;
        claimed.store_result(conn, row.id.0).await?;
        Ok(row)
    })
    .await
}

//! Use cases of images.

pub mod catalog_images;
pub mod fetch;
pub mod file_cleanup;
mod processor;

pub use self::processor::ImageProcessor;

use super::{
    model::{
        Image, ImagePatch, ImageRow, MAX_IMAGES, MAX_POSITION, MAX_URL, MediaRow, NewImage, checked_image,
        move_to_position,
    },
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{ImageId, ProductId},
    outbound, products,
    text::trim,
};

const MAY_WRITE: &[Permission] = &[Permission::ManageProducts, Permission::SellProducts];

/// Input of [`create`].
#[derive(Debug, Clone)]
pub struct ImageRequest {
    /// The product.
    pub product: ProductId,
    /// Alternative text; can be empty.
    pub alt: String,
    /// Position from 1; after the other images if absent.
    pub position: Option<i32>,
}

/// Where the content of a new image comes from.
#[derive(Debug, Clone)]
pub enum ImageContent {
    /// A file.
    File(bytes::Bytes),
    /// A URL to download it from.
    Url(String),
}

/// Adds an image to a product. A job downloads one by URL.
/// # Errors
/// FORBIDDEN without a permission to edit products; NOT_FOUND for a product that the viewer cannot edit; INVALID, with
/// the reason, for a file that is not an image within the limits or a URL that is not allowed; TAKEN if the product already
/// has the image; OUT_OF_RANGE if it has too many.
pub async fn create(
    db: &Db,
    processor: &ImageProcessor,
    viewer: &Viewer,
    request: ImageRequest,
    content: ImageContent,
) -> Result<Image> {
    let (scope, request) = authorize(db, viewer, request).await?;
    let (made, source_url) = match content {
        ImageContent::File(file) => {
            let made = processor.process(db, file).await?;
            (Some(made.map_err(|why| Error::bad_input("file", why.to_string()))?), None)
        }
        ImageContent::Url(url) => (None, Some(checked_url(processor, &url)?)),
    };
    let created = db.transaction(async |conn| {
        let others = lock(conn, &scope, request.product).await?;
        let media_id = match &made {
            Some(made) => Some(store::upsert_media(conn, made).await?.id),
            None => None,
        };
        insert_image(conn, &request, &others, media_id, source_url.clone()).await
    });
    reread(db, created.await?.id).await
}

/// Trims a URL and checks whether an image can be downloaded from it.
fn checked_url(processor: &ImageProcessor, url: &str) -> Result<String> {
    let url = trim(url);
    if url.chars().count() > MAX_URL {
        return Err(Error::user(UserErrorCode::TooLong, "url", format!("must be at most {MAX_URL} characters long")));
    }
    outbound::parse(url, processor.fetch_policy().addresses).map_err(|why| Error::bad_input("url", why.to_string()))?;
    Ok(url.to_owned())
}

/// Changes an image.
/// # Errors
/// FORBIDDEN without a permission to edit products; NOT_FOUND for an image of a product that the viewer cannot edit;
/// user errors of the fields.
pub async fn update(db: &Db, viewer: &Viewer, id: ImageId, patch: ImagePatch) -> Result<Image> {
    viewer.require_any(MAY_WRITE)?;
    let patch = ImagePatch { alt: checked_image(patch.alt, patch.position)?, ..patch };
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let image = lock_image(conn, &scope, id).await?;
        if let Some(alt) = &patch.alt {
            store::set_alt(conn, id, alt).await?;
        }
        if let (Some(product), Some(position)) = (image.row.product_id, patch.position) {
            let ids = store::ids_by_product(conn, product).await?;
            store::set_order(conn, product, &move_to_position(ids, id, position)).await?;
        }
        Ok(())
    })
    .await?;
    reread(db, id).await
}

/// Sets the order of all images of a product.
/// # Errors
/// As [`update`]; INVALID unless `ids` lists every image of the product exactly once.
pub async fn reorder(db: &Db, viewer: &Viewer, product: ProductId, ids: Vec<ImageId>) -> Result<ProductId> {
    viewer.require_any(MAY_WRITE)?;
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let mut current = lock(conn, &scope, product).await?;
        let mut given = ids.clone();
        current.sort();
        given.sort();
        if current != given {
            return Err(Error::bad_input("ids", "ids must list every image of the product exactly once"));
        }
        store::set_order(conn, product, &ids).await?;
        Ok(product)
    })
    .await
}

/// Deletes an image; the cleanup deletes its files if no other image references them.
/// # Errors
/// As [`update`].
pub async fn delete(db: &Db, viewer: &Viewer, id: ImageId) -> Result<Image> {
    viewer.require_any(MAY_WRITE)?;
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let image = lock_image(conn, &scope, id).await?;
        store::delete(conn, id).await?;
        Ok(image)
    })
    .await
}

/// Checks permission and limits before any work on the file, and trims the alternative text.
async fn authorize(db: &Db, viewer: &Viewer, request: ImageRequest) -> Result<(Scope, ImageRequest)> {
    viewer.require_any(MAY_WRITE)?;
    let alt = checked_image(Some(request.alt), request.position)?.unwrap_or_default();
    let request = ImageRequest { alt, ..request };
    let scope = viewer.scope(Permission::ManageProducts);
    let others = db.transaction(async |conn| lock(conn, &scope, request.product).await).await?;
    check_image_limit(&others)?;
    Ok((scope, request))
}

/// Locks a product and returns its image IDs.
async fn lock(conn: &Conn, scope: &Scope, product: ProductId) -> Result<Vec<ImageId>> {
    let locked = products::store::lock_writable(conn, scope, product).await?;
    locked.ok_or_else(|| Error::not_found("productId", "product"))?;
    store::ids_by_product(conn, product).await
}

async fn lock_image(conn: &Conn, scope: &Scope, id: ImageId) -> Result<Image> {
    let missing = || Error::not_found("id", "image");
    let image = store::find(conn, id).await?.ok_or_else(missing)?;
    // Images of brands and categories have mutations of their own.
    let product = image.row.product_id.ok_or_else(missing)?;
    products::store::lock_writable(conn, scope, product).await?.ok_or_else(missing)?;
    // Read again under the lock.
    store::find(conn, id).await?.ok_or_else(missing)
}

fn check_image_limit(others: &[ImageId]) -> Result<()> {
    if others.len() < MAX_IMAGES {
        return Ok(());
    }
    let rule = format!("a product has at most {MAX_IMAGES} images");
    Err(Error::user(UserErrorCode::OutOfRange, "productId", rule))
}

async fn insert_image(
    conn: &Conn,
    request: &ImageRequest,
    others: &[ImageId],
    media_id: Option<i64>,
    source_url: Option<String>,
) -> Result<ImageRow> {
    check_image_limit(others)?;
    let last = i32::try_from(others.len()).unwrap_or(MAX_POSITION - 1) + 1;
    let position = request.position.unwrap_or(last).min(last);
    let (product_id, alt) = (Some(request.product), request.alt.clone());
    let new = NewImage { product_id, media_id, position, alt, source_url, ..NewImage::default() };
    let row = store::insert(conn, &new).await?;
    let ids = move_to_position(others.to_vec(), row.id, position);
    store::set_order(conn, request.product, &ids).await?;
    Ok(row)
}

async fn reread(db: &Db, id: ImageId) -> Result<Image> {
    let found = db.read(async |conn| store::find(conn, id).await).await?;
    found.ok_or_else(|| Error::not_found("id", "image"))
}

/// Returns the storage keys of the files of some content.
pub fn storage_keys(media: &MediaRow) -> Vec<String> {
    let both = [super::model::RenditionFormat::Webp, super::model::RenditionFormat::Jpeg];
    let paths = media.widths.iter().flat_map(|width| both.map(|format| media.path(Some(*width), format)));
    paths.map(|path| format!("media/{path}")).collect()
}

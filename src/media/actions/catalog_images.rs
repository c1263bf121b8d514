//! Use cases of brand logos and category images.
//! Rule: a brand or category has at most one image; a new one replaces it. Everybody can see them.

use bytes::Bytes;

use super::{ImageProcessor, checked_url, reread};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result},
    media::{
        model::{CatalogOwner, Image, checked_image},
        store,
    },
};

/// Sets the image of a brand or a category from a file.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND if the brand or category does not exist; INVALID for a file
/// that is not an image within the limits; TOO_LONG for the alternative text.
pub async fn set(
    db: &Db,
    processor: &ImageProcessor,
    viewer: &Viewer,
    owner: CatalogOwner,
    alt: String,
    file: Bytes,
) -> Result<Image> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let alt = checked_image(Some(alt), None)?.unwrap_or_default();
    let made = processor.process(db, file).await?.map_err(|why| Error::bad_input("file", why.to_string()))?;
    let set = db.transaction(async |conn| {
        let media = store::upsert_media(conn, &made).await?;
        store::replace(conn, &owner.image(Some(media.id), alt.clone(), None)).await
    });
    reread(db, set.await?.id).await
}

/// Sets the image of a brand or a category from a URL; a job downloads it.
/// # Errors
/// As [`set`]; INVALID for a URL that is not allowed.
pub async fn set_by_url(
    db: &Db,
    processor: &ImageProcessor,
    viewer: &Viewer,
    owner: CatalogOwner,
    alt: String,
    url: String,
) -> Result<Image> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let alt = checked_image(Some(alt), None)?.unwrap_or_default();
    let url = checked_url(processor, &url)?;
    let set =
        db.transaction(async |conn| store::replace(conn, &owner.image(None, alt.clone(), Some(url.clone()))).await);
    reread(db, set.await?.id).await
}

/// Deletes the image of a brand or a category; its files are deleted once no other image uses them.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND if there is no image.
pub async fn delete(db: &Db, viewer: &Viewer, owner: CatalogOwner) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let (field, what) = match owner {
        CatalogOwner::Brand(_) => ("brandId", "brand with a logo"),
        CatalogOwner::Category(_) => ("categoryId", "category with an image"),
    };
    match db.transaction(async |conn| store::delete_of(conn, owner).await).await? {
        true => Ok(()),
        false => Err(Error::not_found(field, what)),
    }
}

//! Use cases of brand logos and category images.
//! Rule: a brand or category has at most one image; a new one replaces it. Everyone can see them.

use bytes::Bytes;

use super::{ImageContent, ImageProcessor, checked_url, reread};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result, UserErrorCode},
    media::{
        fetch::fetch,
        model::{CatalogOwner, Image, checked_image},
        store,
    },
};

/// Sets the image of a brand or a category. One by URL is downloaded first, so that the previous image stays if that fails.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND if the brand or category does not exist; INVALID for a URL
/// from which nothing can be downloaded, and for a file that is not an image within the limits; TOO_LONG for the
/// alternative text.
pub async fn set(
    db: &Db,
    processor: &ImageProcessor,
    viewer: &Viewer,
    owner: CatalogOwner,
    alt: String,
    content: ImageContent,
) -> Result<Image> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let alt = checked_image(Some(alt), None)?.unwrap_or_default();
    let (file, field, source_url) = match content {
        ImageContent::File(file) => (file, "file", None),
        ImageContent::Url(url) => {
            let url = checked_url(processor, &url)?;
            (download(processor, &url).await?, "url", Some(url))
        }
    };
    let made = processor.process(db, file).await?.map_err(|why| Error::bad_input(field, why.to_string()))?;
    let set = db.transaction(async |conn| {
        let media = store::upsert_media(conn, &made).await?;
        store::replace(conn, &owner.image(media.id, alt.clone(), source_url.clone())).await
    });
    reread(db, set.await?.id).await
}

async fn download(processor: &ImageProcessor, url: &str) -> Result<Bytes> {
    let file = fetch(url, processor.fetch_policy()).await;
    file.map(Bytes::from).map_err(|why| Error::bad_input("url", why.to_string()))
}

/// Deletes the image of a brand or a category; its files are deleted once no other image uses them.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND if there is no image.
pub async fn delete(db: &Db, viewer: &Viewer, owner: CatalogOwner) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let (field, message) = match owner {
        CatalogOwner::Brand(_) => ("brandId", "the brand does not exist or has no logo"),
        CatalogOwner::Category(_) => ("categoryId", "the category does not exist or has no image"),
    };
    match db.transaction(async |conn| store::delete_of(conn, owner).await).await? {
        true => Ok(()),
        false => Err(Error::user(UserErrorCode::NotFound, field, message)),
    }
}

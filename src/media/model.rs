//! Rows and rules of images.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::{images, media},
    error::{Error, Result, UserErrorCode},
    ids::{BrandId, CategoryId, ImageId, ProductId},
    text::Validator,
    text_enum,
};

/// Maximum number of images per product.
pub const MAX_IMAGES: usize = 50;
/// Maximum length of an alternative text, in characters.
pub const MAX_ALT: usize = 500;
/// Maximum length of a URL, in characters.
pub const MAX_URL: usize = 2000;
/// Maximum number of attempts to download an image.
pub const MAX_ATTEMPTS: i32 = 3;
/// Maximum position.
pub const MAX_POSITION: i32 = 1_000_000;

text_enum! {
    /// File format of an original image.
    pub enum SourceFormat {
        /// JPEG.
        Jpeg => "jpeg",
        /// PNG.
        Png => "png",
        /// WebP.
        Webp => "webp",
        /// GIF; only the first frame is used.
        Gif => "gif",
    }
}

/// File format of a rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "ImageFormat")]
pub enum RenditionFormat {
    /// WebP: smaller than JPEG and supported by all current browsers.
    #[default]
    Webp,
    /// JPEG: supported everywhere; transparent areas become white.
    Jpeg,
}

impl RenditionFormat {
    /// Returns the file extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
        }
    }
}

/// The content of an image.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = media, check_for_backend(diesel::pg::Pg))]
pub struct MediaRow {
    /// Primary key.
    pub id: i64,
    /// SHA-256 of the original file, in hex.
    pub sha256: String,
    /// Format of the original file.
    pub format: SourceFormat,
    /// Displayed width in pixels.
    pub width: i32,
    /// Displayed height in pixels.
    pub height: i32,
    /// BlurHash placeholder shown while the image loads.
    pub blurhash: String,
    /// Widths of the renditions, ascending.
    pub widths: Vec<i32>,
}

impl MediaRow {
    /// Returns the path of the smallest rendition with at least this width, or of the largest:
    /// `<sha256>/<width>.<extension>`.
    pub fn path(&self, width: Option<i32>, format: RenditionFormat) -> String {
        let wide = width.and_then(|width| self.widths.iter().find(|have| **have >= width));
        let width = wide.or(self.widths.last()).copied().unwrap_or(self.width);
        format!("{}/{width}.{}", self.sha256, format.extension())
    }
}

/// Content to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = media)]
pub struct NewMedia {
    /// See [`MediaRow`].
    pub sha256: String,
    /// See [`MediaRow`].
    pub format: SourceFormat,
    /// See [`MediaRow`].
    pub width: i32,
    /// See [`MediaRow`].
    pub height: i32,
    /// Size of the original file in bytes.
    pub bytes: i64,
    /// See [`MediaRow`].
    pub blurhash: String,
    /// See [`MediaRow`].
    pub widths: Vec<i32>,
}

/// An image of a product, a brand or a category.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = images, check_for_backend(diesel::pg::Pg))]
pub struct ImageRow {
    /// Primary key.
    pub id: ImageId,
    /// The product.
    pub product_id: Option<ProductId>,
    /// The brand whose logo the image is.
    pub brand_id: Option<BrandId>,
    /// The category.
    pub category_id: Option<CategoryId>,
    /// The content; none until it is downloaded.
    pub media_id: Option<i64>,
    /// Position among the product's images, from 1; there can be gaps.
    pub position: i32,
    /// Alternative text; empty if there is none.
    pub alt: String,
    /// URL that the image was or will be downloaded from.
    pub source_url: Option<String>,
    /// Reason why the last download failed.
    pub failure: Option<String>,
    /// Number of download attempts.
    pub attempts: i32,
    /// When the image was created.
    pub created_at: DateTime<Utc>,
    /// When the image was last updated.
    pub updated_at: DateTime<Utc>,
}

/// An image with its content.
#[derive(Debug, Clone)]
pub struct Image {
    /// The image.
    pub row: ImageRow,
    /// The content; none until it is downloaded.
    pub media: Option<MediaRow>,
}

/// An image to insert.
#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = images)]
pub struct NewImage {
    /// See [`ImageRow`].
    pub product_id: Option<ProductId>,
    /// See [`ImageRow`].
    pub brand_id: Option<BrandId>,
    /// See [`ImageRow`].
    pub category_id: Option<CategoryId>,
    /// See [`ImageRow`].
    pub media_id: Option<i64>,
    /// See [`ImageRow`].
    pub position: i32,
    /// See [`ImageRow`].
    pub alt: String,
    /// See [`ImageRow`].
    pub source_url: Option<String>,
}

/// An entity of the catalog that has at most one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogOwner {
    /// A brand; the image is its logo.
    Brand(BrandId),
    /// A category.
    Category(CategoryId),
}

impl CatalogOwner {
    /// Returns the image to insert for this brand or category.
    pub fn image(self, media_id: Option<i64>, alt: String, source_url: Option<String>) -> NewImage {
        let (brand_id, category_id) = match self {
            Self::Brand(id) => (Some(id), None),
            Self::Category(id) => (None, Some(id)),
        };
        NewImage { product_id: None, brand_id, category_id, media_id, position: 1, alt, source_url }
    }
}

/// A change of an image; absent fields keep their values.
#[derive(Debug, Clone, Default)]
pub struct ImagePatch {
    /// Alternative text.
    pub alt: Option<String>,
    /// Position from 1; the other images move.
    pub position: Option<i32>,
}

/// An image by URL that a product has in a file.
#[derive(Debug, Clone)]
pub struct RequestedImage {
    /// The product.
    pub product: ProductId,
    /// An http or https URL, or a path of this server: `/media/` and a [`MediaRow::path`].
    pub url: String,
    /// Alternative text; can be empty. None keeps the existing one.
    pub alt: Option<String>,
    /// Position among the product's images, from 1.
    pub position: i32,
}

impl RequestedImage {
    /// Returns the SHA-256 in the URL if it is a path of this server, as written by exports.
    pub fn stored_sha256(&self) -> Option<&str> {
        let (sha256, _) = self.url.strip_prefix("/media/")?.split_once('/')?;
        (sha256.len() == 64).then_some(sha256)
    }
}

/// Changes that give products the images of a file.
#[derive(Debug, Clone, Default)]
pub struct ImageChanges {
    /// Images to insert.
    pub new: Vec<NewImage>,
    /// Images with their new position and alternative text.
    pub changed: Vec<(ImageId, i32, String)>,
    /// Images to delete.
    pub removed: Vec<ImageId>,
    /// The products whose images change.
    pub products: BTreeSet<ProductId>,
}

impl ImageChanges {
    /// Compares the images of products with those of a file. `stored` has the content of paths of this server, by
    /// SHA-256. With `keeps_uploads`, images without a URL stay where they are: files of other shop systems cannot list
    /// them. Images beyond [`MAX_IMAGES`] per product and URLs of invalid length are left out.
    pub fn new(
        existing: Vec<ImageRow>,
        wanted: &[RequestedImage],
        stored: &HashMap<String, i64>,
        keeps_uploads: bool,
    ) -> Self {
        let mut changes = Self::default();
        let mut by_product: HashMap<ProductId, Vec<ImageRow>> = HashMap::new();
        for image in existing {
            image.product_id.into_iter().for_each(|id| by_product.entry(id).or_default().push(image.clone()));
        }
        let mut products: HashMap<ProductId, Vec<&RequestedImage>> = HashMap::new();
        for id in by_product.keys() {
            products.entry(*id).or_default();
        }
        wanted.iter().for_each(|image| products.entry(image.product).or_default().push(image));
        for (product, wanted) in products {
            let rows = by_product.remove(&product).unwrap_or_default();
            changes.add_product(product, rows, &wanted, stored, keeps_uploads);
        }
        // In the order of the file, whatever the order of the products in memory.
        changes.new.sort_by_key(|image| (image.product_id, image.position));
        changes
    }

    fn add_product(
        &mut self,
        product: ProductId,
        mut rows: Vec<ImageRow>,
        wanted: &[&RequestedImage],
        stored: &HashMap<String, i64>,
        keeps_uploads: bool,
    ) {
        let (mut new, mut changed, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut kept = 0;
        for image in wanted.iter().filter(|image| (1..=MAX_URL).contains(&image.url.chars().count())) {
            let media_id = image.stored_sha256().and_then(|sha256| stored.get(sha256)).copied();
            let source_url = media_id.is_none().then(|| image.url.clone());
            let position = image.position.clamp(1, MAX_POSITION);
            let alt = image.alt.as_ref().map(|alt| alt.chars().take(MAX_ALT).collect::<String>());
            let is_same = |row: &ImageRow| match media_id {
                Some(_) => row.media_id == media_id,
                None => row.source_url == source_url,
            };
            if let Some(at) = rows.iter().position(is_same) {
                let row = rows.swap_remove(at);
                let alt = alt.unwrap_or_else(|| row.alt.clone());
                if (row.position, &row.alt) != (position, &alt) {
                    changed.push((row.id, position, alt));
                }
                kept += 1;
                seen.insert((media_id, source_url));
            } else if seen.insert((media_id, source_url.clone())) {
                let (product_id, alt) = (Some(product), alt.unwrap_or_default());
                new.push(NewImage { product_id, media_id, position, alt, source_url, ..NewImage::default() });
            }
        }
        let is_removed = |row: &&ImageRow| !keeps_uploads || row.source_url.is_some();
        let removed: Vec<ImageId> = rows.iter().filter(is_removed).map(|row| row.id).collect();
        new.truncate(MAX_IMAGES.saturating_sub(kept + rows.len() - removed.len()));
        if !(new.is_empty() && changed.is_empty() && removed.is_empty()) {
            self.products.insert(product);
        }
        self.new.extend(new);
        self.changed.extend(changed);
        self.removed.extend(removed);
    }
}

/// Checks an alternative text and a position.
/// # Errors
/// User errors of `alt` and `position`.
pub fn check_image(alt: Option<&str>, position: Option<i32>) -> Result<()> {
    let mut validator = Validator::new();
    validator.optional_text("alt", alt.filter(|alt| !alt.is_empty()), MAX_ALT);
    validator.finish()?;
    match position {
        Some(position) if !(1..=MAX_POSITION).contains(&position) => {
            let rule = format!("position must be between 1 and {MAX_POSITION}");
            Err(Error::user(UserErrorCode::OutOfRange, "position", rule))
        }
        _ => Ok(()),
    }
}

/// Moves an ID to a position, from 1; to the end if the position is higher.
pub fn move_to_position(mut ids: Vec<ImageId>, id: ImageId, position: i32) -> Vec<ImageId> {
    ids.retain(|other| *other != id);
    let index = usize::try_from(position.saturating_sub(1)).unwrap_or_default().min(ids.len());
    ids.insert(index, id);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_sufficient_rendition_is_chosen() {
        let media = MediaRow {
            id: 1,
            sha256: "ab".to_owned(),
            format: SourceFormat::Png,
            width: 900,
            height: 600,
            blurhash: String::new(),
            widths: vec![160, 320, 640, 900],
        };
        let table =
            [(None, 900), (Some(1), 160), (Some(160), 160), (Some(161), 320), (Some(900), 900), (Some(2000), 900)];
        for (asked, given) in table {
            assert_eq!(media.path(asked, RenditionFormat::Webp), format!("ab/{given}.webp"), "{asked:?}");
        }
        assert_eq!(media.path(None, RenditionFormat::Jpeg), "ab/900.jpg");
    }

    #[test]
    fn image_is_moved_to_its_position() {
        let ids = [1, 2, 3].map(ImageId).to_vec();
        let table = [(3, 1, [3, 1, 2]), (1, 2, [2, 1, 3]), (1, 9, [2, 3, 1]), (2, 2, [1, 2, 3])];
        for (id, position, expected) in table {
            assert_eq!(
                move_to_position(ids.clone(), ImageId(id), position),
                expected.map(ImageId),
                "{id} at {position}"
            );
        }
    }
}

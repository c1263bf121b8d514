//! Rows and rules of images.

pub mod import;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    auth::Scope,
    db::{
        filter::Op,
        tables::{images, media},
    },
    error::{Error, Result, UserErrorCode},
    ids::{BrandId, CategoryId, ImageId, ProductId, TransferId},
    paging::SortKey,
    text::{Validator, trim_in_place},
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
/// Maximum width that can be asked for, in pixels.
pub const MAX_WIDTH: i32 = 20_000;
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

impl ImageRow {
    /// Returns the brand or category of the image; none for an image of a product.
    pub fn catalog_owner(&self) -> Option<CatalogOwner> {
        self.brand_id.map(CatalogOwner::Brand).or(self.category_id.map(CatalogOwner::Category))
    }
}

/// An image with its content.
#[derive(Debug, Clone)]
pub struct Image {
    /// The image.
    pub row: ImageRow,
    /// The content; none until it is downloaded.
    pub media: Option<MediaRow>,
    /// Whether the image is public: that of a product for sale, a brand or a category.
    pub is_public: bool,
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

/// State of the download of a URL, which all images with this URL share.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = images, check_for_backend(diesel::pg::Pg), treat_none_as_null = true)]
pub struct DownloadState {
    /// The content; none if the download failed.
    pub media_id: Option<i64>,
    /// Reason why it failed.
    pub failure: Option<String>,
    /// Number of attempts; [`MAX_ATTEMPTS`] if a retry is useless.
    pub attempts: i32,
    /// When the next attempt is due.
    pub try_at: DateTime<Utc>,
    /// When the last attempt began.
    #[diesel(select_expression = images::fetched_at.assume_not_null())]
    pub fetched_at: DateTime<Utc>,
}

/// A URL that is due for download.
#[derive(Debug, Clone)]
pub struct DueDownload {
    /// The URL.
    pub url: String,
    /// Number of attempts, including the current one.
    pub attempts: i32,
    /// When the newest image with this URL was created.
    pub created_at: DateTime<Utc>,
    /// When the current attempt began.
    pub claimed_at: DateTime<Utc>,
    /// Result of an earlier attempt for other images.
    pub earlier: Option<DownloadState>,
}

/// Images of an import that have no content for the same reason.
#[derive(Debug, Clone)]
pub struct ImageFailure {
    /// The import.
    pub transfer: TransferId,
    /// Reason why the downloads failed; none if they are not done yet.
    pub reason: Option<String>,
    /// Number of images.
    pub count: i64,
    /// The first images.
    pub examples: Vec<ImageId>,
}

/// A filter condition on images.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ImageCondition {
    /// The viewer may change the image: the scope of products, and whether the images of brands and categories are
    /// included.
    Editable(Scope, bool),
    /// By whether the last download failed.
    HasFailed(bool),
    /// By product.
    Product(Op<ProductId>),
    /// By creation time.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that images can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum ImageOrderField {
    /// When the image was created.
    #[default]
    CreatedAt,
}

impl ImageOrderField {
    /// Returns the list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "images:created_at",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &ImageRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
        }
    }
}

/// An entity of the catalog that has at most one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CatalogOwner {
    /// A brand; the image is its logo.
    Brand(BrandId),
    /// A category.
    Category(CategoryId),
}

impl CatalogOwner {
    /// Returns the image to insert for this brand or category.
    pub fn image(self, media_id: i64, alt: String, source_url: Option<String>) -> NewImage {
        let (brand_id, category_id) = match self {
            Self::Brand(id) => (Some(id), None),
            Self::Category(id) => (None, Some(id)),
        };
        NewImage { product_id: None, brand_id, category_id, media_id: Some(media_id), position: 1, alt, source_url }
    }
}

impl From<BrandId> for CatalogOwner {
    fn from(id: BrandId) -> Self {
        Self::Brand(id)
    }
}

impl From<CategoryId> for CatalogOwner {
    fn from(id: CategoryId) -> Self {
        Self::Category(id)
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

/// Trims an alternative text, and checks it and a position.
/// # Errors
/// User errors of `alt` and `position`.
pub fn checked_image(mut alt: Option<String>, position: Option<i32>) -> Result<Option<String>> {
    let mut validator = Validator::new();
    alt.iter_mut().for_each(trim_in_place);
    validator.texts("alt", alt.as_mut().filter(|alt| !alt.is_empty()), MAX_ALT);
    validator.finish()?;
    match position {
        Some(position) if !(1..=MAX_POSITION).contains(&position) => {
            let rule = format!("position must be between 1 and {MAX_POSITION}");
            Err(Error::user(UserErrorCode::OutOfRange, "position", rule))
        }
        _ => Ok(alt),
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

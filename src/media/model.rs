//! Rows and rules of pictures.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::tables::{images, media},
    error::{Error, Result, UserErrorCode},
    ids::{ImageId, ProductId},
    text::Validator,
    text_enum,
};

/// Most pictures of a product.
pub const MAX_IMAGES: usize = 50;
/// Longest alternative text, in characters.
pub const MAX_ALT: usize = 500;
/// Longest URL, in characters.
pub const MAX_URL: usize = 2000;
/// How often a picture by URL is tried.
pub const MAX_ATTEMPTS: i32 = 3;
/// Highest position.
pub const MAX_POSITION: i32 = 1_000_000;

text_enum! {
    /// What a picture came as.
    pub enum SourceFormat {
        /// JPEG.
        Jpeg => "jpeg",
        /// PNG.
        Png => "png",
        /// WebP.
        Webp => "webp",
        /// GIF; its first frame.
        Gif => "gif",
    }
}

/// What a picture is served as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
#[graphql(name = "ImageFormat")]
pub enum RenditionFormat {
    /// WebP: a third smaller, and every browser of today reads it.
    #[default]
    Webp,
    /// JPEG: everything reads it; what was transparent is white.
    Jpeg,
}

impl RenditionFormat {
    /// The ending of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
        }
    }
}

/// A picture by its content.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = media, check_for_backend(diesel::pg::Pg))]
pub struct MediaRow {
    /// Key.
    pub id: i64,
    /// SHA-256 of the file as it came, in hex.
    pub sha256: String,
    /// What it came as.
    pub format: SourceFormat,
    /// Width as it is shown, in pixels.
    pub width: i32,
    /// Height as it is shown, in pixels.
    pub height: i32,
    /// What is shown until it is there.
    pub blurhash: String,
    /// The widths of its renditions, ascending.
    pub widths: Vec<i32>,
}

impl MediaRow {
    /// The path of the smallest rendition that is at least so wide, or of the largest there is: `<sha256>/<width>.<ending>`.
    pub fn path(&self, width: Option<i32>, format: RenditionFormat) -> String {
        let wide = width.and_then(|width| self.widths.iter().find(|have| **have >= width));
        let width = wide.or(self.widths.last()).copied().unwrap_or(self.width);
        format!("{}/{width}.{}", self.sha256, format.extension())
    }
}

/// A picture to be.
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
    /// Size of the file as it came.
    pub bytes: i64,
    /// See [`MediaRow`].
    pub blurhash: String,
    /// See [`MediaRow`].
    pub widths: Vec<i32>,
}

/// A picture of a product.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = images, check_for_backend(diesel::pg::Pg))]
pub struct ImageRow {
    /// Key.
    pub id: ImageId,
    /// Of which product.
    pub product_id: ProductId,
    /// Its content; none while it is to be fetched.
    pub media_id: Option<i64>,
    /// Its place among the product's pictures, from 1; there may be gaps.
    pub position: i32,
    /// What it shows, in words; empty where nobody said.
    pub alt: String,
    /// Where it was fetched from, or is to be.
    pub source_url: Option<String>,
    /// Why fetching failed the last time.
    pub failure: Option<String>,
    /// How often it was tried to fetch it.
    pub attempts: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A picture of a product with its content.
#[derive(Debug, Clone)]
pub struct Image {
    /// The picture.
    pub row: ImageRow,
    /// Its content; none while it is to be fetched.
    pub media: Option<MediaRow>,
}

/// A picture of a product to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = images)]
pub struct NewImage {
    /// See [`ImageRow`].
    pub product_id: ProductId,
    /// See [`ImageRow`].
    pub media_id: Option<i64>,
    /// See [`ImageRow`].
    pub position: i32,
    /// See [`ImageRow`].
    pub alt: String,
    /// See [`ImageRow`].
    pub source_url: Option<String>,
}

/// A change of a picture; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ImagePatch {
    /// What it shows.
    pub alt: Option<String>,
    /// Its place, from 1; the others make room.
    pub position: Option<i32>,
}

/// A picture by URL that a product is to have.
#[derive(Debug, Clone)]
pub struct RequestedImage {
    /// Which product.
    pub product: ProductId,
    /// Where it is: http or https, or a path of this server, as [`MediaRow::path`] below `/media`.
    pub url: String,
    /// What it shows; may be empty.
    pub alt: String,
    /// Its place among the product's pictures, from 1.
    pub position: i32,
}

impl RequestedImage {
    /// The content that it names, where it is the path of a picture of this server, as an export writes it.
    pub fn stored_sha256(&self) -> Option<&str> {
        let (sha256, _) = self.url.strip_prefix("/media/")?.split_once('/')?;
        (sha256.len() == 64).then_some(sha256)
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
            let rule = format!("a position is from 1 to {MAX_POSITION}");
            Err(Error::user(UserErrorCode::OutOfRange, "position", rule))
        }
        _ => Ok(()),
    }
}

/// Puts one of these at a place from 1; behind the last one where the place is higher.
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
    fn the_smallest_rendition_that_is_wide_enough_is_taken() {
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
    fn a_picture_is_put_among_the_others() {
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

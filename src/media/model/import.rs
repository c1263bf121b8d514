//! The images that an import gives its products.
//! Rule: a product has the images of the file, in its order; what the file cannot list stays.

use std::collections::{BTreeSet, HashMap};

use super::{ImageRow, MAX_ALT, MAX_IMAGES, MAX_POSITION, MAX_URL, NewImage};
use crate::ids::{ImageId, ProductId};

/// An image by URL that a product has in a file.
#[derive(Debug, Clone)]
pub struct RequestedImage {
    /// The product.
    pub product: ProductId,
    /// An http or https URL, or a path of this server: `/media/` and a [`MediaRow::path`](super::MediaRow::path).
    pub url: String,
    /// Alternative text; can be empty. None keeps the existing one.
    pub alt: Option<String>,
    /// Position among the product's images, from 1.
    pub position: i32,
}

impl RequestedImage {
    /// Returns the SHA-256 in the URL if it ends as the path of a rendition, as written by exports. The same content may
    /// be on this server, whichever host the URL names.
    pub fn stored_sha256(&self) -> Option<&str> {
        // URLs of images that are not public have a signature.
        let path = self.url.split_once('?').map_or(self.url.as_str(), |(path, _)| path);
        let (directory, file) = path.rsplit_once('/')?;
        let (_, sha256) = directory.rsplit_once('/')?;
        let (width, ending) = file.split_once('.')?;
        let is_rendition = width.parse::<u32>().is_ok() && ["jpg", "webp"].contains(&ending);
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_rendition && is_hash).then_some(sha256)
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
    /// Compares the images of products with those of a file. `stored` has the content of renditions that are on this
    /// server, by SHA-256. With `keeps_uploads`, images without a URL stay where they are: files of other shop systems cannot list
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

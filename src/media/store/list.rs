//! The list of images for staff.
//! Rule: a list is limited to the images that the viewer may change by its condition [`ImageCondition::Editable`].

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*};
use diesel_async::RunQueryDsl;

use super::{
    super::model::{Image, ImageCondition, ImageOrderField, ImageRow, MediaRow},
    ImageWithMedia, images_with_media, into_image,
};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::op,
        tables::{images, media, products},
    },
    error::Result,
    ids::ImageId,
    products::store::writable,
};

/// Returns the condition for images that may be changed: those of products in the scope, and those of brands and
/// categories for managers of the catalog.
fn editable(scope: &Scope, has_catalog: bool) -> Condition<'static, images::table> {
    let of_product = images::product_id.is_not_null();
    let mine = products::table.select(products::id).into_boxed::<Pg>().filter(writable(scope));
    let of_my_product = of_product.and(images::product_id.assume_not_null().eq_any(mine));
    match (scope, has_catalog) {
        (Scope::All, true) => constant(true),
        (Scope::All, false) => Box::new(of_product),
        (_, true) => Box::new(images::product_id.is_null().or(of_my_product)),
        (_, false) => Box::new(of_my_product),
    }
}

fn condition(condition: &ImageCondition) -> Condition<'static, images::table> {
    use ImageCondition as C;
    match condition {
        C::Editable(scope, has_catalog) => editable(scope, *has_catalog),
        C::HasFailed(true) => Box::new(images::failure.is_not_null()),
        C::HasFailed(false) => Box::new(images::failure.is_null()),
        C::Product(product) => op!(product, images::product_id.assume_not_null(), images::product_id),
        C::CreatedAt(at) => op!(at, images::created_at),
    }
}

list_statements! {
    /// A list of images.
    ImageList of ImageRow in images where ImageCondition by ImageOrderField { CreatedAt => created_at: DateTime<Utc> }
}

/// Returns images with their contents, in the same order. Those without content need no statement.
pub async fn with_media(mut conn: &Conn, rows: Vec<ImageRow>) -> Result<Vec<Image>> {
    let ids: Vec<ImageId> = rows.iter().filter(|row| row.media_id.is_some()).map(|row| row.id).collect();
    let found: Vec<ImageWithMedia> = match ids.is_empty() {
        true => Vec::new(),
        false => images_with_media!().filter(images::id.eq_any(ids)).load(&mut conn).await?,
    };
    let mut found: HashMap<ImageId, Image> = found.into_iter().map(|image| (image.0.id, into_image(image))).collect();
    let image = |row: ImageRow| found.remove(&row.id).unwrap_or(Image { row, media: None, is_public: false });
    Ok(rows.into_iter().map(image).collect())
}

//! The list of images for staff.
//! Rule: a list is limited to the images that the viewer may change by its condition [`ImageCondition::Editable`].

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*};
use diesel_async::RunQueryDsl;

use super::super::model::{Image, ImageCondition, ImageOrderField, ImageRow, MediaRow};
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

/// Returns images with their contents, in the same order.
pub async fn with_media(mut conn: &Conn, rows: Vec<ImageRow>) -> Result<Vec<Image>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.media_id).collect();
    let found: Vec<MediaRow> = match ids.is_empty() {
        true => Vec::new(),
        false => media::table.filter(media::id.eq_any(ids)).select(MediaRow::as_select()).load(&mut conn).await?,
    };
    let found: HashMap<i64, MediaRow> = found.into_iter().map(|media| (media.id, media)).collect();
    let image = |row: ImageRow| Image { media: row.media_id.and_then(|id| found.get(&id).cloned()), row };
    Ok(rows.into_iter().map(image).collect())
}

//! All SQL statements on images.
//! Scopes: viewers who can edit the product see all of its images, others only those that are downloaded.

pub mod downloads;
pub mod list;

use chrono::{DateTime, Utc};
use diesel::{
    data_types::PgInterval,
    define_sql_function,
    dsl::now,
    pg::Pg,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Integer, Text},
    upsert::excluded,
};
use diesel_async::RunQueryDsl;

use super::model::{
    CatalogOwner, Image, ImageRow, MediaRow, NewImage, NewMedia,
    import::{ImageChanges, RequestedImage},
};
use crate::{
    auth::Scope,
    db::{
        Conn,
        sql::timestamptz_pl_interval,
        tables::{images, media, products},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{ImageId, ProductId},
    products::store::{visible, writable},
};

define_sql_function! {
    /// Position of a key in a list, from 1.
    fn array_position(list: diesel::sql_types::Array<diesel::sql_types::BigInt>, key: diesel::sql_types::BigInt) -> Integer;
}

/// How long unreferenced content is kept, in minutes: a mutation may be about to reference it.
pub const GRACE_MINUTES: i64 = 60;

/// Why an image is rejected that the product has, from an upload or from another URL.
const DUPLICATE: &str = "the product already has this image";

/// An image, its content, and whether its product is for sale; none for images of brands and categories.
type ImageWithMedia = (ImageRow, Option<MediaRow>, Option<bool>);

/// The statement that reads [`ImageWithMedia`].
macro_rules! images_with_media {
    () => {{
        let of_image = products::table.filter(products::id.nullable().eq(images::product_id));
        let is_active = of_image.select(products::is_active).single_value();
        images::table.left_join(media::table).select((
            ImageRow::as_select(),
            Option::<MediaRow>::as_select(),
            is_active,
        ))
    }};
}
use images_with_media;

fn into_image((row, media, is_active): ImageWithMedia) -> Image {
    Image { row, media, is_public: is_active.unwrap_or(true) }
}

fn into_images(found: Vec<ImageWithMedia>) -> Vec<Image> {
    found.into_iter().map(into_image).collect()
}

fn minutes(count: i64) -> PgInterval {
    PgInterval::from_microseconds(count * 60_000_000)
}

/// Returns the visible images with these IDs, in no particular order: those of visible products, and those of brands and
/// categories.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[ImageId]) -> Result<Vec<Image>> {
    let seen_by = products::table.select(products::id.nullable()).into_boxed::<Pg>().filter(visible(scope));
    let mine = products::table.select(products::id.nullable()).into_boxed::<Pg>().filter(writable(scope));
    let query = images_with_media!()
        .filter(images::id.eq_any(ids))
        .filter(images::product_id.is_null().or(images::product_id.eq_any(seen_by)))
        .filter(images::product_id.is_null().or(images::media_id.is_not_null()).or(images::product_id.eq_any(mine)));
    Ok(into_images(query.load(&mut conn).await?))
}

/// Returns the visible images of these products, sorted by product and position. The caller has checked that the
/// products are visible.
pub async fn by_product_ids(mut conn: &Conn, scope: &Scope, ids: &[ProductId]) -> Result<Vec<Image>> {
    let mine = products::table.select(products::id.nullable()).into_boxed::<Pg>().filter(writable(scope));
    let query = images_with_media!()
        .filter(images::product_id.eq_any(ids))
        .filter(images::media_id.is_not_null().or(images::product_id.eq_any(mine)))
        .order((images::product_id, images::position, images::id));
    Ok(into_images(query.load(&mut conn).await?))
}

/// Returns the images of these brands and categories, in no particular order.
pub async fn by_catalog_owners(mut conn: &Conn, owners: &[CatalogOwner]) -> Result<Vec<Image>> {
    let (mut brands, mut categories) = (Vec::new(), Vec::new());
    for owner in owners {
        match owner {
            CatalogOwner::Brand(id) => brands.push(*id),
            CatalogOwner::Category(id) => categories.push(*id),
        }
    }
    let of_owners = images::brand_id.eq_any(brands).or(images::category_id.eq_any(categories));
    Ok(into_images(images_with_media!().filter(of_owners).load(&mut conn).await?))
}

/// Returns an image, whether it is visible or not.
pub async fn find(mut conn: &Conn, id: ImageId) -> Result<Option<Image>> {
    let found: Option<ImageWithMedia> =
        images_with_media!().filter(images::id.eq(id)).first(&mut conn).await.optional()?;
    Ok(found.map(into_image))
}

/// Returns whether a public image has the content with this SHA-256: that of a product for sale, a brand or a category.
pub async fn is_public(mut conn: &Conn, sha256: &str) -> Result<bool> {
    let public = images::table
        .inner_join(media::table)
        .left_join(products::table)
        .filter(media::sha256.eq(sha256))
        .filter(images::product_id.is_null().or(products::is_active));
    Ok(diesel::select(diesel::dsl::exists(public)).get_result(&mut conn).await?)
}

/// Returns the image IDs of a product, sorted by position. The caller holds the product's lock.
pub async fn ids_by_product(mut conn: &Conn, product: ProductId) -> Result<Vec<ImageId>> {
    let query = images::table.filter(images::product_id.eq(product)).order((images::position, images::id));
    Ok(query.select(images::id).load(&mut conn).await?)
}

/// Returns the content with this SHA-256.
pub async fn find_media(mut conn: &Conn, sha256: &str) -> Result<Option<MediaRow>> {
    let query = media::table.filter(media::sha256.eq(sha256)).select(MediaRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns those of these SHA-256 hashes that exist.
pub async fn existing_hashes(mut conn: &Conn, sha256: &[String]) -> Result<Vec<String>> {
    Ok(media::table.filter(media::sha256.eq_any(sha256)).select(media::sha256).load(&mut conn).await?)
}

/// Inserts content, or renews the grace period of existing content before the cleanup.
pub async fn upsert_media(mut conn: &Conn, new: &NewMedia) -> Result<MediaRow> {
    let query = diesel::insert_into(media::table).values(new).on_conflict(media::sha256).do_update();
    let query =
        query.set((media::created_at.eq(excluded(media::created_at)), media::widths.eq(excluded(media::widths))));
    Ok(query.returning(MediaRow::as_returning()).get_result(&mut conn).await?)
}

/// Inserts an image. The caller holds the product's lock.
/// # Errors
/// TAKEN if the product already has this image or one with this URL.
pub async fn insert(mut conn: &Conn, new: &NewImage) -> Result<ImageRow> {
    let query = diesel::insert_into(images::table).values(new).returning(ImageRow::as_returning());
    query.get_result(&mut conn).await.map_err(constraint_error)
}

/// Inserts the image of a brand or a category, or replaces the one that it has.
/// # Errors
/// NOT_FOUND if the brand or category does not exist.
pub async fn replace(mut conn: &Conn, new: &NewImage) -> Result<ImageRow> {
    let insert = diesel::insert_into(images::table).values(new);
    let change = (
        images::media_id.eq(excluded(images::media_id)),
        images::alt.eq(excluded(images::alt)),
        images::source_url.eq(excluded(images::source_url)),
        images::failure.eq(None::<String>),
        images::attempts.eq(0),
        images::try_at.eq(now),
        images::fetched_at.eq(None::<DateTime<Utc>>),
    );
    let row = ImageRow::as_returning();
    let replaced = if new.brand_id.is_some() {
        insert.on_conflict(images::brand_id).do_update().set(change).returning(row).get_result(&mut conn).await
    } else {
        insert.on_conflict(images::category_id).do_update().set(change).returning(row).get_result(&mut conn).await
    };
    replaced.map_err(constraint_error)
}

/// Deletes the image of a brand or a category and returns whether there was one.
pub async fn delete_of(mut conn: &Conn, owner: CatalogOwner) -> Result<bool> {
    let deleted = match owner {
        CatalogOwner::Brand(id) => {
            diesel::delete(images::table.filter(images::brand_id.eq(id))).execute(&mut conn).await
        }
        CatalogOwner::Category(id) => {
            diesel::delete(images::table.filter(images::category_id.eq(id))).execute(&mut conn).await
        }
    };
    Ok(deleted? > 0)
}

/// Returns the changes that give products the requested images and no others; see [`ImageChanges::new`]. URLs of
/// renditions whose content is on this server are linked to it; a job downloads the others.
/// # Errors
/// Database errors.
pub async fn changes(
    mut conn: &Conn,
    products: &[ProductId],
    wanted: &[RequestedImage],
    keeps_uploads: bool,
) -> Result<ImageChanges> {
    let stored: Vec<&str> = wanted.iter().filter_map(RequestedImage::stored_sha256).collect();
    let stored: Vec<(String, i64)> = match stored.is_empty() {
        true => Vec::new(),
        false => {
            media::table.filter(media::sha256.eq_any(stored)).select((media::sha256, media::id)).load(&mut conn).await?
        }
    };
    let existing = images::table.filter(images::product_id.eq_any(products)).select(ImageRow::as_select());
    let existing = existing.order((images::product_id, images::position, images::id)).load(&mut conn).await?;
    Ok(ImageChanges::new(existing, wanted, &stored.into_iter().collect(), keeps_uploads))
}

/// Changes the images of products. The caller holds the products' locks.
/// # Errors
/// Database errors.
pub async fn apply(mut conn: &Conn, changes: &ImageChanges) -> Result<()> {
    if !changes.removed.is_empty() {
        diesel::delete(images::table.filter(images::id.eq_any(&changes.removed))).execute(&mut conn).await?;
        // An image may have failed only because the product had the same one under another URL.
        let products: Vec<ProductId> = changes.products.iter().copied().collect();
        let failed = images::table.filter(images::product_id.eq_any(products)).filter(images::media_id.is_null());
        let again = (images::failure.eq(None::<String>), images::attempts.eq(0), images::try_at.eq(now));
        diesel::update(failed.filter(images::failure.is_not_null())).set(again).execute(&mut conn).await?;
    }
    if !changes.changed.is_empty() {
        let query = sql_query(
            "UPDATE images i SET position = c.position, alt = c.alt FROM unnest($1, $2, $3) AS c (id, position, alt)
             WHERE i.id = c.id",
        );
        let query = query
            .bind::<Array<BigInt>, _>(changes.changed.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(changes.changed.iter().map(|(_, position, _)| *position).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(changes.changed.iter().map(|(.., alt)| alt.as_str()).collect::<Vec<_>>());
        query.execute(&mut conn).await?;
    }
    insert_missing(conn, &changes.new).await?;
    Ok(())
}

/// Inserts images; those that were inserted in the meantime are skipped. Returns how many were inserted.
/// # Errors
/// Database errors.
pub async fn insert_missing(mut conn: &Conn, new: &[NewImage]) -> Result<usize> {
    let mut added = 0;
    // Far below the limit of 65,535 parameters per statement.
    for rows in new.chunks(5_000) {
        let insert = diesel::insert_into(images::table).values(rows).on_conflict_do_nothing();
        added += insert.execute(&mut conn).await?;
    }
    Ok(added)
}

/// Changes an alternative text.
pub async fn set_alt(mut conn: &Conn, id: ImageId, alt: &str) -> Result<()> {
    diesel::update(images::table.find(id)).set(images::alt.eq(alt)).execute(&mut conn).await?;
    Ok(())
}

/// Sets the order of all images of a product. The caller holds the product's lock.
pub async fn set_order(mut conn: &Conn, product: ProductId, ids: &[ImageId]) -> Result<()> {
    let place = || array_position(ids, images::id);
    let moved = images::table.filter(images::product_id.eq(product)).filter(images::position.ne(place()));
    diesel::update(moved).set(images::position.eq(place())).execute(&mut conn).await?;
    Ok(())
}

/// Deletes an image; the cleanup deletes its content once no image references it.
pub async fn delete(mut conn: &Conn, id: ImageId) -> Result<()> {
    diesel::delete(images::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes up to `limit` rows of content that no image has referenced for an hour; returns how many.
pub async fn delete_unreferenced(mut conn: &Conn, limit: i64) -> Result<usize> {
    let named = images::table.filter(images::media_id.eq(media::id.nullable()));
    let over = media::table
        .filter(media::created_at.lt(timestamptz_pl_interval(now, minutes(-GRACE_MINUTES))))
        .filter(diesel::dsl::not(diesel::dsl::exists(named)))
        .order((media::created_at, media::id))
        .limit(limit)
        .select(media::id)
        .for_update()
        .skip_locked();
    let ids: Vec<i64> = over.load(&mut conn).await?;
    Ok(diesel::delete(media::table.filter(media::id.eq_any(ids))).execute(&mut conn).await?)
}

fn constraint_error(error: diesel::result::Error) -> Error {
    let taken = |field, rule: &'static str| UserError::new(UserErrorCode::Taken, field, rule);
    Error::from(error)
        .on_constraint("images_product_id_media_id_key", || taken("file", DUPLICATE))
        .on_constraint("images_brand_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "brandId", "this brand does not exist")
        })
        .on_constraint("images_category_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "categoryId", "this category does not exist")
        })
        .on_constraint("images_product_id_source_url_key", || {
            taken("url", "the product already has an image with this URL")
        })
}

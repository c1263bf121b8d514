//! Links between products that are the same item but share no GTIN.

use std::collections::BTreeSet;

use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::ProductId,
    products::{
        model::{MAX_OFFERS, ProductRow},
        store,
    },
};

/// Links products, together with all products that each is already linked with. Returns the first one.
/// # Errors
/// Returns FORBIDDEN without [`Permission::ManageProducts`]; NOT_FOUND for a product that the viewer may not edit;
/// OUT_OF_RANGE for fewer than two products, or more than [`MAX_OFFERS`] in total.
pub async fn link(db: &Db, viewer: &Viewer, ids: Vec<ProductId>) -> Result<ProductRow> {
    viewer.require_any(&[Permission::ManageProducts])?;
    let too_many = || {
        let rule = format!("2 to {MAX_OFFERS} products can be linked, including those they are already linked with");
        Error::user(UserErrorCode::OutOfRange, "productIds", rule)
    };
    let limit = usize::try_from(MAX_OFFERS).unwrap_or_default();
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    if distinct.len() < 2 || ids.len() > limit {
        return Err(too_many());
    }
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let found = store::links(conn, &scope, &ids).await?;
        if let Some(place) = ids.iter().position(|id| !found.iter().any(|(known, _)| known == id)) {
            return Err(Error::not_found(format!("productIds.{place}"), "product"));
        }
        // A concurrent request may link some of them: lock again until a pass finds no further products.
        let mut links: Vec<i64> = found.iter().filter_map(|(_, link)| *link).collect();
        let mut locked = Vec::new();
        loop {
            let before = locked.len();
            locked = store::lock_linked(conn, &ids, &links).await?;
            if locked.len() > limit {
                return Err(too_many());
            }
            let known = links.len();
            links.extend(
                locked
                    .iter()
                    .filter_map(|(_, link)| *link)
                    .filter(|link| !links.contains(link))
                    .collect::<BTreeSet<_>>(),
            );
            if locked.len() == before && links.len() == known {
                break;
            }
        }
        let link = match links.first() {
            Some(link) => *link,
            None => store::new_link(conn).await?,
        };
        let all: Vec<_> = locked.iter().filter(|(_, was)| *was != Some(link)).map(|(id, _)| *id).collect();
        store::update_links(conn, &all, Some(link)).await?;
        first(store::by_ids_including_inactive(conn, &ids[..1]).await?)
    })
    .await
}

/// Removes a product from its linked products.
/// # Errors
/// Returns FORBIDDEN without [`Permission::ManageProducts`]; NOT_FOUND for a product that the viewer may not edit.
pub async fn unlink(db: &Db, viewer: &Viewer, id: ProductId) -> Result<ProductRow> {
    viewer.require_any(&[Permission::ManageProducts])?;
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let locked = store::lock_writable(conn, &scope, id).await?;
        locked.ok_or_else(|| Error::not_found("productId", "product"))?;
        store::update_links(conn, &[id], None).await?;
        first(store::by_ids_including_inactive(conn, &[id]).await?)
    })
    .await
}

fn first(rows: Vec<ProductRow>) -> Result<ProductRow> {
    rows.into_iter().next().ok_or_else(|| Error::Internal("locked product not found".into()))
}

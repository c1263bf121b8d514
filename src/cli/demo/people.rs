//! Inserts users with their addresses, wishlists and reviews.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::{
    catalog::OPENED_HOURS_AGO,
    data::{DemoData, Review, User, Wishlist},
    inserted::{InsertedRows, look_up, named},
};
use crate::{
    access,
    db::Conn,
    error::{Error, Result},
    ids::UserId,
    reviews::{
        self,
        model::{NewReview, ReviewPatch, ReviewStatus},
    },
    text,
    users::{
        self,
        model::{NewAddress, NewUser},
    },
    wishlists,
};

/// Returns when a user registered: an hour before their first order or review, or when the shops opened.
pub(super) fn registered_at(user: &User, data: &DemoData, now: DateTime<Utc>) -> DateTime<Utc> {
    let orders = data.orders.iter().filter(|order| order.customer.as_ref() == Some(&user.email));
    let reviews = data.people.reviews.iter().filter(|review| review.customer == user.email);
    let used = orders.map(|order| order.placed_hours_ago).chain(reviews.map(|review| review.hours_ago));
    now - Duration::hours(used.max().map_or(OPENED_HOURS_AGO, |first| first + 1))
}

/// Inserts a user with their addresses.
pub(super) async fn insert_user(
    conn: &Conn,
    user: &User,
    registered_at: DateTime<Utc>,
    password_hashes: &HashMap<&str, String>,
    inserted: &InsertedRows<'_>,
) -> Result<UserId> {
    let role = access::store::roles::find_by_code(conn, &user.role).await?;
    let new = NewUser {
        name: user.name.clone(),
        phone: Some(text::normalize_phone("phone", &user.phone, None)?),
        email: Some(text::normalize_email("email", &user.email)?),
        password_hash: Some(look_up(password_hashes, user.password.as_str())?),
        role_id: role.ok_or_else(|| Error::Internal(format!("the demo data names the role {}", user.role)))?.row.id,
        source_website_id: Some(look_up(&inserted.websites, user.website.as_str())?),
    };
    let id = users::store::insert_past(conn, &new, registered_at).await?.id;
    users::store::update_verified(conn, id).await?;
    for address in user.addresses.clone() {
        let is_default = address.is_default;
        let new = NewAddress { user_id: id, fields: address.checked()?, is_default };
        users::store::insert_address(conn, &new).await?;
    }
    Ok(id)
}

/// Inserts wishlists with their items.
pub(super) async fn insert_wishlists(conn: &Conn, lists: &[Wishlist], inserted: &InsertedRows<'_>) -> Result<()> {
    for Wishlist { customer, name, items } in lists {
        let user = look_up(&inserted.users, customer.as_str())?;
        let wishlist = wishlists::store::insert(conn, user, name).await?;
        for item in items {
            let product = look_up(&inserted.products, (item.website.as_str(), item.sku.as_str()))?;
            wishlists::store::put_item(conn, wishlist.id, product.id, item.quantity).await?;
        }
    }
    Ok(())
}

/// Inserts reviews. The orders are inserted before, because they decide which purchases are verified.
pub(super) async fn insert_reviews(
    conn: &Conn,
    all: &[Review],
    inserted: &InsertedRows<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    for review in all {
        let Review { website, sku, customer, rating, title, text, status, hours_ago } = review;
        let user_id = look_up(&inserted.users, customer.as_str())?;
        let product_id = look_up(&inserted.products, (website.as_str(), sku.as_str()))?.id;
        let patch = ReviewPatch { rating: Some(*rating), title: Some(title.clone()), text: Some(text.clone()) };
        let ReviewPatch { title, text, .. } = patch.checked()?;
        let new = NewReview {
            product_id,
            user_id,
            rating: *rating,
            title: title.flatten(),
            text: text.unwrap_or_default(),
            status: named(ReviewStatus::ALL, ReviewStatus::as_str, status)?,
            is_verified_purchase: reviews::store::has_bought(conn, user_id, product_id).await?,
            created_at: Some(now - Duration::hours(*hours_ago)),
        };
        reviews::store::insert(conn, &new).await?;
    }
    Ok(())
}

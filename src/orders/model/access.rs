//! In which role a viewer acts on an order, and what of it they see.
//! Rule: sellers see and fulfill the lines of their own products, and of the order only what shipping them needs.

use super::{OrderActor, OrderAddress, OrderDetailRow, OrderRow, Status};
use crate::auth::{Permission, Viewer};

impl OrderActor {
    /// Returns the role in which a viewer who can see the order acts on it.
    pub fn of(viewer: &Viewer, order: &OrderRow) -> Self {
        let is_guest = viewer.identity().is_none();
        if viewer.can_at(Permission::ManageOrders, order.source_website_id) {
            Self::Staff
        } else if is_guest || order.user_id.is_some() && order.user_id == viewer.account() {
            Self::Customer
        } else {
            Self::Seller
        }
    }
}

impl OrderDetailRow {
    /// Returns whether a viewer who can see the order can see this line; staff and sellers may then fulfill it.
    pub fn is_visible_to(&self, viewer: &Viewer, order: &OrderRow) -> bool {
        let is_own = self.seller_id.is_some() && self.seller_id == viewer.user_id();
        is_own || OrderActor::of(viewer, order) != OrderActor::Seller
    }
}

impl OrderRow {
    /// Returns the shipping address as sellers need it, with the contact's name and phone number if it has none of its
    /// own; none if the order is canceled.
    pub fn shipping_address_for_sellers(&self) -> Option<OrderAddress> {
        let address = self.shipping_address().filter(|_| self.status != Status::Cancelled)?;
        Some(OrderAddress {
            recipient_name: address.recipient_name.or_else(|| self.contact.contact_name.clone()),
            phone: address.phone.or_else(|| self.contact.contact_phone.clone()),
            ..address
        })
    }
}

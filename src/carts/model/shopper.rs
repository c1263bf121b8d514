//! The shopper who holds units without having paid for them, and their limits.
//! Rule: a shopper is a user and a network; what either of them holds counts, so that neither a new cart nor a new account
//! starts over.

use crate::{
    auth::{Permission, RequestOrigin, Viewer, network, secret},
    config::OrderSettings,
    ids::UserId,
};

/// Number of units of a product that a client may always hold.
const ALWAYS_ALLOWED: i64 = 2;

/// The client of a request that reserves units or places an order.
#[derive(Debug, Clone)]
pub struct Shopper {
    /// The user; none for guests.
    pub user: Option<UserId>,
    /// SHA-256 of the network; none if the request did not come over the network.
    pub network: Option<Vec<u8>>,
    /// Whether many clients share the network, see [`RequestOrigin::is_exempt`].
    is_shared: bool,
    is_staff: bool,
    /// Settings; without limits for staff.
    settings: OrderSettings,
}

impl Shopper {
    /// Returns the client of a request. Staff who manage orders have no limits.
    pub fn new(viewer: &Viewer, origin: &RequestOrigin, settings: OrderSettings) -> Self {
        let is_staff = viewer.can(Permission::ManageOrders);
        Self {
            user: viewer.user_id(),
            network: origin.address.map(|address| secret::hash(&network(address).to_string())),
            is_staff,
            is_shared: origin.is_exempt,
            settings: if is_staff { OrderSettings::unlimited() } else { settings },
        }
    }

    /// Returns whether the user manages orders. Their orders do not expire.
    pub fn is_staff(&self) -> bool {
        self.is_staff
    }

    /// Returns the settings that apply to this client.
    pub fn settings(&self) -> &OrderSettings {
        &self.settings
    }

    /// Returns the network by which carts and orders are counted; none for one that many clients share.
    pub fn counted_network(&self) -> Option<&[u8]> {
        self.network.as_deref().filter(|_| !self.is_shared)
    }

    /// Returns the network by which reserved units are counted: for guests also one that many clients share, because a
    /// customer can check out without a reservation.
    pub fn reserving_network(&self) -> Option<&[u8]> {
        self.network.as_deref().filter(|_| self.user.is_none() || !self.is_shared)
    }

    /// Returns the number of units of a product that the client may hold, of all units in stock and in the client's own
    /// unpaid orders; none without a limit.
    pub fn max_units(&self, units: i64) -> Option<i64> {
        let share = i64::from(self.settings.unpaid_share);
        (share < 100).then(|| ((units * share + 99) / 100).max(ALWAYS_ALLOWED))
    }
}

/// Units of a product that a client holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldUnits {
    /// Units in reservations of the cart that is reserved or checked out, expired ones included.
    pub in_cart: i64,
    /// Units in reservations of other carts.
    pub reserved: i64,
    /// Units in unpaid orders, except for the one that is to be changed.
    pub ordered: i64,
    /// Units in the unpaid order that is to be changed.
    pub changing: i64,
    /// Whether an order of the product was canceled unpaid in the past day.
    pub has_lapsed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::{AuthMethod, Identity, Permissions},
        ids::SessionId,
    };

    #[test]
    fn share_is_rounded_up_and_two_units_are_always_allowed() {
        let settings = |unpaid_share| OrderSettings { unpaid_share, ..OrderSettings::default() };
        let shopper = |share| Shopper::new(&Viewer::anonymous(), &RequestOrigin::default(), settings(share));
        let allowed = |share, units| shopper(share).max_units(units);
        assert_eq!([0, 1, 3, 4, 5, 50].map(|units| allowed(50, units)), [2, 2, 2, 2, 3, 25].map(Some));
        assert_eq!(allowed(1, 1_000), Some(10));
        assert_eq!(allowed(100, 50), None);
    }

    #[test]
    fn networks_that_many_clients_share_count_for_reservations_of_guests_only() {
        let customer = Viewer::user(Identity {
            user: UserId(1),
            auth_method: AuthMethod::Session(SessionId(1)),
            role: "customer".to_owned(),
            permissions: Permissions::default(),
            websites: None,
        });
        let origin = RequestOrigin::new("10.1.2.3".parse().ok(), None);
        let hash = secret::hash("10.1.2.0");
        for (viewer, is_exempt, for_orders, for_reservations) in [
            (&customer, false, true, true),
            (&customer, true, false, false),
            (&Viewer::anonymous(), false, true, true),
            (&Viewer::anonymous(), true, false, true),
        ] {
            let origin = origin.clone().with_exemption(is_exempt);
            let shopper = Shopper::new(viewer, &origin, OrderSettings::default());
            assert_eq!(shopper.counted_network(), for_orders.then_some(&*hash), "{is_exempt}");
            assert_eq!(shopper.reserving_network(), for_reservations.then_some(&*hash), "{is_exempt}");
        }
    }
}

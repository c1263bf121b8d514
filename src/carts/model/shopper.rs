//! The shopper who holds units without having paid for them, and their limits.
//! Rule: a shopper is a user and a network; what either of them holds counts, so that neither a new cart nor a new account
//! starts over.

use std::net::IpAddr;

use crate::{
    auth::{Permission, RequestOrigin, Viewer, secret},
    config::OrderSettings,
    ids::UserId,
    limits::network,
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
    /// Whether the network is that of a proxy or another program of the shop, which sends requests of many clients.
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
            is_shared: origin.address.is_some_and(is_internal),
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

/// Returns whether an address is that of the machine itself or of a private network, which no customer has.
fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// Units of a product that a client holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldUnits {
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
    fn customers_are_not_counted_by_internal_addresses() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("172.17.0.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("192.0.2.7", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_internal(address.parse().unwrap()), expected, "{address}");
        }
    }
}

//! Order settings: how long unpaid orders keep their units, and how much one client may hold without paying.

use chrono::Duration;
use clap::Args;

/// Settings for orders that are not paid, and for what a client may hold.
///
/// A client is a user or a network: the /24 of an IPv4 address, the /64 of an IPv6 address. What was reserved or ordered
/// by the same user or from the same network counts together, whichever cart it was in. Staff who manage orders have no
/// limits, and their orders do not expire.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Orders")]
pub struct OrderSettings {
    /// Share of a product's stock that one client may hold in reservations and unpaid orders, in percent. Two units are always
    /// allowed, and so is a single unpaid order of any size of a client whose email address is confirmed; it can be paid on
    /// delivery if the user has received an order before. 100 removes the limit.
    #[arg(long, env = "SOUK_UNPAID_SHARE", default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub unpaid_share: u32,

    /// Number of unpaid orders that one client may have; those canceled in the past day count too. 0 removes the limit.
    /// Clients in the networks of SOUK_RATE_EXEMPT are not counted together.
    #[arg(long, env = "SOUK_UNPAID_ORDERS", default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub unpaid_orders: u32,

    /// Number of carts for which one client may have reservations at a time. 0 removes the limit. Clients in the networks of
    /// SOUK_RATE_EXEMPT are not counted together.
    #[arg(long, env = "SOUK_RESERVED_CARTS", default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub reserved_carts: u32,

    /// Minutes after which a pending order is canceled if it has no payment, or a payment by card that is not
    /// authorized. 0 turns this off. Orders that staff have confirmed are not canceled.
    #[arg(long, env = "SOUK_UNPAID_ORDER_MINUTES", default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=525_600))]
    pub unpaid_order_minutes: u32,

    /// Days after which a pending order to be paid by bank transfer is canceled if the money has not arrived. 0 turns this
    /// off.
    #[arg(long, env = "SOUK_BANK_TRANSFER_DAYS", default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=365))]
    pub bank_transfer_days: u32,

    /// Days after which a pending order to be paid on delivery is canceled if it is not confirmed. 0 turns this off.
    #[arg(long, env = "SOUK_CASH_ON_DELIVERY_DAYS", default_value_t = 0, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=365))]
    pub cash_on_delivery_days: u32,
}

impl OrderSettings {
    /// Returns settings without limits, with which no order expires.
    pub fn unlimited() -> Self {
        Self {
            unpaid_share: 100,
            unpaid_orders: 0,
            reserved_carts: 0,
            unpaid_order_minutes: 0,
            bank_transfer_days: 0,
            cash_on_delivery_days: 0,
        }
    }

    /// Returns how long an order waits for a payment by card, or for the choice of a payment method; none for ever.
    pub fn unpaid_wait(&self) -> Option<Duration> {
        wait(Duration::minutes(i64::from(self.unpaid_order_minutes)))
    }

    /// Returns how long an order waits for a bank transfer; none for ever.
    pub fn bank_transfer_wait(&self) -> Option<Duration> {
        wait(Duration::days(i64::from(self.bank_transfer_days)))
    }

    /// Returns how long an order waits for a payment on delivery; none for ever.
    pub fn cash_on_delivery_wait(&self) -> Option<Duration> {
        wait(Duration::days(i64::from(self.cash_on_delivery_days)))
    }
}

fn wait(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

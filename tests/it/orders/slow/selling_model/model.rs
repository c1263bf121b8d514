//! The model of the shop, and the steps of a sequence.

use std::collections::BTreeMap;

use proptest::{
    prelude::{Strategy, any},
    prop_oneof,
};
use rust_decimal::Decimal;

pub const PRODUCTS: usize = 3;
pub const CUSTOMERS: usize = 2;
pub const STOCK: i32 = 12;

#[derive(Debug, Clone)]
pub enum Step {
    Add {
        who: usize,
        product: usize,
        quantity: i32,
    },
    Remove {
        who: usize,
    },
    Reserve {
        who: usize,
    },
    Release {
        who: usize,
    },
    /// Expires all reservations; they are cleaned up immediately, or by the next operation that needs the stock.
    Expire {
        cleans_up: bool,
    },
    Price {
        product: usize,
        cents: i64,
    },
    Adjust {
        product: usize,
        quantity: i32,
    },
    Checkout {
        who: usize,
    },
    AddToOrder {
        order: usize,
        product: usize,
        quantity: i32,
    },
    ChangeLine {
        order: usize,
        line: usize,
        quantity: i32,
    },
    RemoveLine {
        order: usize,
        line: usize,
    },
    Cancel {
        order: usize,
        by_staff: bool,
    },
    Confirm {
        order: usize,
    },
    Ship {
        order: usize,
        line: usize,
        quantity: i32,
    },
    Deliver {
        order: usize,
    },
    Return {
        order: usize,
        line: usize,
        quantity: i32,
        restock: bool,
    },
    Pay {
        order: usize,
    },
    Capture {
        order: usize,
    },
    Refund {
        order: usize,
        cents: i64,
    },
}

pub fn step() -> impl Strategy<Value = Step> {
    use Step as S;
    let (who, product, order, line) = (0..CUSTOMERS, 0..PRODUCTS, any::<usize>, any::<usize>);
    let quantity = 1..6_i32;
    prop_oneof![
        6 => (who.clone(), product.clone(), quantity.clone()).prop_map(|(who, product, quantity)| S::Add { who, product, quantity }),
        1 => who.clone().prop_map(|who| S::Remove { who }),
        2 => who.clone().prop_map(|who| S::Reserve { who }),
        1 => who.clone().prop_map(|who| S::Release { who }),
        1 => any::<bool>().prop_map(|cleans_up| S::Expire { cleans_up }),
        1 => (product.clone(), 1..9999_i64).prop_map(|(product, cents)| S::Price { product, cents }),
        1 => (product.clone(), -4..6_i32).prop_map(|(product, quantity)| S::Adjust { product, quantity }),
        5 => who.prop_map(|who| S::Checkout { who }),
        1 => (order(), product, quantity.clone()).prop_map(|(order, product, quantity)| S::AddToOrder { order, product, quantity }),
        1 => (order(), line(), 1..8_i32).prop_map(|(order, line, quantity)| S::ChangeLine { order, line, quantity }),
        1 => (order(), line()).prop_map(|(order, line)| S::RemoveLine { order, line }),
        1 => (order(), any::<bool>()).prop_map(|(order, by_staff)| S::Cancel { order, by_staff }),
        2 => order().prop_map(|order| S::Confirm { order }),
        3 => (order(), line(), quantity.clone()).prop_map(|(order, line, quantity)| S::Ship { order, line, quantity }),
        1 => order().prop_map(|order| S::Deliver { order }),
        2 => (order(), line(), quantity, any::<bool>())
            .prop_map(|(order, line, quantity, restock)| S::Return { order, line, quantity, restock }),
        2 => order().prop_map(|order| S::Pay { order }),
        2 => order().prop_map(|order| S::Capture { order }),
        2 => (order(), 1..9999_i64).prop_map(|(order, cents)| S::Refund { order, cents }),
    ]
}

pub fn money(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

/// The expected state of the shop.
#[derive(Debug, Default)]
pub struct Model {
    pub stock: [i32; PRODUCTS],
    pub cents: [i64; PRODUCTS],
    pub carts: [Cart; CUSTOMERS],
    pub orders: Vec<Order>,
}

#[derive(Debug, Default, Clone)]
pub struct Cart {
    pub lines: BTreeMap<usize, i32>,
    pub reserved: BTreeMap<usize, i32>,
    /// The reservation has expired, though its row may still exist.
    pub is_expired: bool,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub who: usize,
    pub status: &'static str,
    pub lines: Vec<Line>,
    /// Payments in order; only the last can be open.
    pub payments: Vec<Payment>,
}

/// Amounts in cents.
#[derive(Debug, Clone, Copy, Default)]
pub struct Payment {
    pub promised: i64,
    pub paid: i64,
    pub refunded: i64,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub product: usize,
    pub quantity: i32,
    pub cents: i64,
    pub shipped: i32,
    pub returned: i32,
}

impl Order {
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.quantity) * line.cents).sum()
    }

    /// Returns whether money is authorized or paid, which prevents changes.
    pub fn is_paid(&self) -> bool {
        self.payments.iter().any(|payment| payment.promised > 0 || payment.paid > 0)
    }

    /// Returns whether money is authorized or captured, which prevents another payment.
    pub fn has_open_payment(&self) -> bool {
        self.payments.iter().any(|payment| payment.promised > 0 || payment.paid > payment.refunded)
    }
}

impl Model {
    /// Returns the units of a product that others than this customer have reserved.
    pub fn reserved_by_others(&self, product: usize, except: Option<usize>) -> i32 {
        let others = self.carts.iter().enumerate().filter(|(who, cart)| Some(*who) != except && !cart.is_expired);
        others.map(|(_, cart)| cart.reserved.get(&product).copied().unwrap_or_default()).sum()
    }

    pub fn available(&self, product: usize, who: Option<usize>) -> i32 {
        self.stock[product] - self.reserved_by_others(product, who)
    }

    /// Returns the index of an order, if there are any.
    pub fn nth(&self, number: usize) -> Option<usize> {
        self.orders.len().checked_sub(1).map(|last| number % (last + 1))
    }
}

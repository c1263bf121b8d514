//! The shop as it should be, and what people do in it.

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
        pieces: i32,
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
    /// The time of all reservations runs out; they may be cleared away at once, or by whoever comes next.
    Expire {
        tidy: bool,
    },
    Price {
        product: usize,
        cents: i64,
    },
    Adjust {
        product: usize,
        pieces: i32,
    },
    Checkout {
        who: usize,
    },
    AddToOrder {
        order: usize,
        product: usize,
        pieces: i32,
    },
    ChangeLine {
        order: usize,
        line: usize,
        pieces: i32,
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
        pieces: i32,
    },
    Deliver {
        order: usize,
    },
    Return {
        order: usize,
        line: usize,
        pieces: i32,
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
    let pieces = 1..6_i32;
    prop_oneof![
        6 => (who.clone(), product.clone(), pieces.clone()).prop_map(|(who, product, pieces)| S::Add { who, product, pieces }),
        1 => who.clone().prop_map(|who| S::Remove { who }),
        2 => who.clone().prop_map(|who| S::Reserve { who }),
        1 => who.clone().prop_map(|who| S::Release { who }),
        1 => any::<bool>().prop_map(|tidy| S::Expire { tidy }),
        1 => (product.clone(), 1..9999_i64).prop_map(|(product, cents)| S::Price { product, cents }),
        1 => (product.clone(), -4..6_i32).prop_map(|(product, pieces)| S::Adjust { product, pieces }),
        5 => who.prop_map(|who| S::Checkout { who }),
        1 => (order(), product, pieces.clone()).prop_map(|(order, product, pieces)| S::AddToOrder { order, product, pieces }),
        1 => (order(), line(), 1..8_i32).prop_map(|(order, line, pieces)| S::ChangeLine { order, line, pieces }),
        1 => (order(), line()).prop_map(|(order, line)| S::RemoveLine { order, line }),
        1 => (order(), any::<bool>()).prop_map(|(order, by_staff)| S::Cancel { order, by_staff }),
        2 => order().prop_map(|order| S::Confirm { order }),
        3 => (order(), line(), pieces.clone()).prop_map(|(order, line, pieces)| S::Ship { order, line, pieces }),
        1 => order().prop_map(|order| S::Deliver { order }),
        2 => (order(), line(), pieces, any::<bool>())
            .prop_map(|(order, line, pieces, restock)| S::Return { order, line, pieces, restock }),
        2 => order().prop_map(|order| S::Pay { order }),
        2 => order().prop_map(|order| S::Capture { order }),
        2 => (order(), 1..9999_i64).prop_map(|(order, cents)| S::Refund { order, cents }),
    ]
}

pub fn money(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

/// The shop as it should be.
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
    /// What is reserved is over, though it may still be on the books.
    pub over: bool,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub who: usize,
    pub status: &'static str,
    pub lines: Vec<Line>,
    /// One after the other: the last may be live.
    pub payments: Vec<Payment>,
}

/// Cents.
#[derive(Debug, Clone, Copy, Default)]
pub struct Payment {
    pub promised: i64,
    pub paid: i64,
    pub refunded: i64,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub product: usize,
    pub pieces: i32,
    pub cents: i64,
    pub shipped: i32,
    pub returned: i32,
}

impl Order {
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.pieces) * line.cents).sum()
    }

    /// Whether money was promised or paid, which stands in the way of changes.
    pub fn is_paid(&self) -> bool {
        self.payments.iter().any(|payment| payment.promised > 0 || payment.paid > 0)
    }

    /// Whether money is promised or here, which stands in the way of another payment.
    pub fn is_live(&self) -> bool {
        self.payments.iter().any(|payment| payment.promised > 0 || payment.paid > payment.refunded)
    }
}

impl Model {
    /// What others than this customer hold of a product.
    pub fn held(&self, product: usize, but: Option<usize>) -> i32 {
        let others = self.carts.iter().enumerate().filter(|(who, cart)| Some(*who) != but && !cart.over);
        others.map(|(_, cart)| cart.reserved.get(&product).copied().unwrap_or_default()).sum()
    }

    pub fn free(&self, product: usize, who: Option<usize>) -> i32 {
        self.stock[product] - self.held(product, who)
    }

    /// One of the orders, where there is any.
    pub fn nth(&self, number: usize) -> Option<usize> {
        self.orders.len().checked_sub(1).map(|last| number % (last + 1))
    }
}

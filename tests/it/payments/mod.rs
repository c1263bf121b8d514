//! Payments: paying an order, what staff do with a payment, the test provider's cards, webhooks, and concurrency.

mod concurrency;
mod paying;
mod test_cards;
mod webhooks;

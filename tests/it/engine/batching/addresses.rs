//! Batching of addresses, which are columns of their orders, and of countries, which are not in the database.

use super::Case;

pub const ADDRESSES: &[Case] = &[
    Case("{ countries { code name postalCode { isRequired } subdivisions { code name } } }", 0),
    Case("{ orders(first: 50) { nodes { shippingAddress { city } billingAddress { city } } } }", 1),
];

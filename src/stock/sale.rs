//! Rules of a sale: whether a quantity of a product can be sold now. Shared by carts and orders.
//! Rule: an error reveals no more about the stock than everyone may see.

use super::model::MAX_QUANTITY;
use crate::{
    error::{UserError, UserErrorCode},
    products::model::{Backorders, ProductRow},
};

/// Whether a cart line can be ordered now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "CartLineAvailability")]
pub enum Availability {
    /// The whole quantity is available.
    Available,
    /// Some units are available, but fewer than the quantity of the line.
    InsufficientStock,
    /// No units are available.
    OutOfStock,
    /// The product is no longer for sale. Remove the line.
    Inactive,
}

impl Availability {
    /// Returns the availability of a quantity of a product, of which `reserved` units are already reserved for the
    /// cart.
    pub fn of(product: &ProductRow, quantity: i32, reserved: i32) -> Self {
        let backorders = match product.backorders {
            Backorders::Allow => MAX_QUANTITY,
            Backorders::Deny => 0,
        };
        match product.available() + reserved {
            _ if !product.is_active => Self::Inactive,
            _ if !product.is_tracked() => Self::Available,
            available if available + backorders >= quantity => Self::Available,
            available if available > 0 => Self::InsufficientStock,
            _ => Self::OutOfStock,
        }
    }
}

/// Checks that a quantity of a product can be sold now to a customer who has `reserved` units reserved.
/// # Errors
/// Returns PRODUCT_INACTIVE or OUT_OF_STOCK for these fields.
pub fn check_sale(
    product: &ProductRow,
    quantity: i32,
    reserved: i32,
    id_field: String,
    quantity_field: String,
) -> Result<(), UserError> {
    match Availability::of(product, quantity, reserved) {
        Availability::Available => Ok(()),
        Availability::Inactive => {
            let rule = format!("{} is no longer for sale", product.name);
            Err(UserError::new(UserErrorCode::ProductInactive, id_field, rule))
        }
        Availability::OutOfStock => {
            let rule = format!("{} is out of stock", product.name);
            Err(UserError::new(UserErrorCode::OutOfStock, quantity_field, rule))
        }
        Availability::InsufficientStock => {
            // Reveals no more about the stock than everyone may see.
            let rule = match product.low_stock_quantity() {
                Some(left) => format!("{}: only {} left, {quantity} requested", product.name, left + reserved),
                None => format!("{}: fewer than {quantity} units in stock", product.name),
            };
            Err(UserError::new(UserErrorCode::OutOfStock, quantity_field, rule))
        }
    }
}

/// Checks a quantity.
/// # Errors
/// Returns OUT_OF_RANGE unless the quantity is between 1 and [`MAX_QUANTITY`].
pub fn check_quantity(field: String, quantity: i32) -> Result<(), UserError> {
    if (1..=MAX_QUANTITY).contains(&quantity) {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::OutOfRange, field, format!("quantity must be between 1 and {MAX_QUANTITY}")))
}

//! The rules of a sale: whether so many units of a product can be sold now. Carts and orders share them.
//! Rule: an error tells no more of the stock than everybody may see.

use super::model::MAX_QUANTITY;
use crate::{
    error::{UserError, UserErrorCode},
    products::model::ProductRow,
};

/// Whether a line can be bought at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "CartLineAvailability")]
pub enum Availability {
    /// All its pieces are there.
    Available,
    /// Some are there, but fewer than wanted.
    InsufficientStock,
    /// None is there.
    OutOfStock,
    /// The product is not for sale any more; take the line off.
    Inactive,
}

impl Availability {
    /// Of so many pieces of a product, of which so many are kept for the cart.
    pub fn of(product: &ProductRow, quantity: i32, reserved: i32) -> Self {
        match product.available() + reserved {
            _ if !product.is_active => Self::Inactive,
            available if available >= quantity => Self::Available,
            available if available > 0 => Self::InsufficientStock,
            _ => Self::OutOfStock,
        }
    }
}

/// Whether so many pieces of a product can be sold now to whom so many are kept for.
/// # Errors
/// PRODUCT_INACTIVE or OUT_OF_STOCK of these fields.
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
            let rule = format!("{} is not for sale any more", product.name);
            Err(UserError::new(UserErrorCode::ProductInactive, id_field, rule))
        }
        Availability::InsufficientStock | Availability::OutOfStock => {
            // No more than everybody may know of the stock.
            let rule = match product.low_stock_quantity() {
                Some(left) => format!("{}: {left} left, {quantity} wanted", product.name),
                None => format!("{}: fewer than {quantity} are in stock", product.name),
            };
            Err(UserError::new(UserErrorCode::OutOfStock, quantity_field, rule))
        }
    }
}

/// # Errors
/// OUT_OF_RANGE unless the pieces are from 1 to [`MAX_QUANTITY`].
pub fn check_quantity(field: String, quantity: i32) -> Result<(), UserError> {
    if (1..=MAX_QUANTITY).contains(&quantity) {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::OutOfRange, field, format!("a quantity is from 1 to {MAX_QUANTITY}")))
}

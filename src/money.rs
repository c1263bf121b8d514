//! Money: a decimal amount with its currency, never a float.
//! Rule: an amount has at most two decimals and is checked here before it is stored; amounts with more decimals are
//! rounded by [`round`] only.

use std::{borrow::Cow, fmt};

use rust_decimal::{Decimal, RoundingStrategy};

use crate::error::{UserError, UserErrorCode};

/// Maximum unit price: `numeric(10,2)`.
pub const MAX_PRICE: Decimal = Decimal::from_parts(1_410_065_407, 2, 0, false, 2);

/// Maximum total of a line or an order: `numeric(12,2)`.
pub const MAX_TOTAL: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 2);

/// Rounds to two decimals, half away from zero. PostgreSQL's `numeric(12,2)` rounds the same way, so both give the same
/// result.
pub fn round(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Returns the total of a line, rounded as in the database. Rounding each line changes nothing while prices have two
/// decimals; an order total is the sum of its lines.
pub fn line_total(price: Decimal, quantity: i32) -> Decimal {
    round(price * Decimal::from(quantity))
}

/// Checks that a total is at most [`MAX_TOTAL`].
/// # Errors
/// Returns OUT_OF_RANGE above [`MAX_TOTAL`].
pub fn check_total(field: impl Into<Cow<'static, str>>, total: Decimal) -> Result<(), UserError> {
    if total <= MAX_TOTAL {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::OutOfRange, field, format!("total must be at most {MAX_TOTAL}")))
}

/// An amount in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// The amount, with two decimals.
    pub amount: Decimal,
    /// The ISO 4217 currency.
    pub currency: Currency,
}

/// An ISO 4217 currency code: three uppercase letters. `Copy`, because every price carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The ISO 4217 code for "no currency".
    pub const NONE: Self = Self(*b"XXX");

    /// Parses a currency code; returns `None` unless it consists of three uppercase letters.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// Returns the three-letter code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Formats an amount with exactly two decimals.
pub fn format_amount(amount: Decimal) -> String {
    let mut amount = amount;
    amount.rescale(2);
    amount.to_string()
}

/// Checks that a unit price is between 0 and [`MAX_PRICE`] and has at most two decimals.
pub fn check_price(field: &'static str, price: Decimal) -> Result<(), UserError> {
    if price.is_sign_negative() && !price.is_zero() || price > MAX_PRICE {
        return Err(UserError::new(
            UserErrorCode::OutOfRange,
            field,
            format!("price must be between 0 and {MAX_PRICE}"),
        ));
    }
    if price.normalize().scale() > 2 {
        return Err(UserError::new(UserErrorCode::Invalid, field, "price must have at most two decimals"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maximum_price_equals_the_columns_limit() {
        assert_eq!(MAX_PRICE.to_string(), "99999999.99");
        assert!(check_price("price", "99999999.99".parse().unwrap()).is_ok());
        assert!(check_price("price", "100000000".parse().unwrap()).is_err());
        assert!(check_price("price", "-0.01".parse().unwrap()).is_err());
        assert!(check_price("price", "1.005".parse().unwrap()).is_err());
        assert!(check_price("price", "1.500".parse().unwrap()).is_ok());
    }

    #[test]
    fn maximum_total_equals_the_columns_limit() {
        assert_eq!(MAX_TOTAL.to_string(), "9999999999.99");
        assert!(check_total("total", MAX_TOTAL).is_ok());
        assert!(check_total("total", "10000000000".parse().unwrap()).is_err());
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (exact, rounded) in [("1.005", "1.01"), ("1.015", "1.02"), ("-1.005", "-1.01"), ("1.0049", "1.00")] {
            assert_eq!(round(exact.parse().unwrap()), rounded.parse().unwrap(), "{exact}");
        }
    }

    #[test]
    fn amounts_show_two_decimals() {
        assert_eq!(format_amount("12.5".parse().unwrap()), "12.50");
        assert_eq!(format_amount(Decimal::ZERO), "0.00");
    }
}

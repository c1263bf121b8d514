//! Money: a decimal amount and its currency, never a float.
//! Rule: an amount has at most two decimals and is checked here before it reaches a column; what has more is rounded by
//! [`round`], and by nothing else.

use std::{borrow::Cow, fmt};

use rust_decimal::{Decimal, RoundingStrategy};

use crate::error::{UserError, UserErrorCode};

/// Largest unit price: `numeric(10,2)`.
pub const MAX_PRICE: Decimal = Decimal::from_parts(1_410_065_407, 2, 0, false, 2);

/// Largest total of a line or an order: `numeric(12,2)`.
pub const MAX_TOTAL: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 2);

/// Rounds to two decimals, a half away from zero: as merchants do, and as PostgreSQL's `numeric(12,2)` does, so that both
/// come to the same.
pub fn round(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Price of so many pieces, as the database has it: rounded line by line, which changes nothing while prices have two
/// decimals; a total is the sum of its lines.
pub fn line_total(price: Decimal, quantity: i32) -> Decimal {
    round(price * Decimal::from(quantity))
}

/// # Errors
/// OUT_OF_RANGE above [`MAX_TOTAL`].
pub fn check_total(field: impl Into<Cow<'static, str>>, total: Decimal) -> Result<(), UserError> {
    if total <= MAX_TOTAL {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::OutOfRange, field, format!("a total is at most {MAX_TOTAL}")))
}

/// An amount in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// The amount, two decimals.
    pub amount: Decimal,
    /// The currency, ISO 4217.
    pub currency: Currency,
}

/// An ISO 4217 code: three capital letters. `Copy`, since every price carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// None: what ISO 4217 has for it.
    pub const NONE: Self = Self(*b"XXX");

    /// Reads a code; `None` unless it is three capital letters.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount as text with exactly two decimals.
pub fn format_amount(amount: Decimal) -> String {
    let mut amount = amount;
    amount.rescale(2);
    amount.to_string()
}

/// Checks a unit price: from 0 to [`MAX_PRICE`], at most two decimals.
pub fn check_price(field: &'static str, price: Decimal) -> Result<(), UserError> {
    if price.is_sign_negative() && !price.is_zero() || price > MAX_PRICE {
        return Err(UserError::new(UserErrorCode::OutOfRange, field, format!("a price is from 0 to {MAX_PRICE}")));
    }
    if price.normalize().scale() > 2 {
        return Err(UserError::new(UserErrorCode::Invalid, field, "a price has at most two decimals"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_price_is_that_of_the_column() {
        assert_eq!(MAX_PRICE.to_string(), "99999999.99");
        assert!(check_price("price", "99999999.99".parse().unwrap()).is_ok());
        assert!(check_price("price", "100000000".parse().unwrap()).is_err());
        assert!(check_price("price", "-0.01".parse().unwrap()).is_err());
        assert!(check_price("price", "1.005".parse().unwrap()).is_err());
        assert!(check_price("price", "1.500".parse().unwrap()).is_ok());
    }

    #[test]
    fn the_largest_total_is_that_of_the_column() {
        assert_eq!(MAX_TOTAL.to_string(), "9999999999.99");
        assert!(check_total("total", MAX_TOTAL).is_ok());
        assert!(check_total("total", "10000000000".parse().unwrap()).is_err());
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
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

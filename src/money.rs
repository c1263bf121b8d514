//! Money: a decimal amount with its currency, never a float.
//! Rule: an amount has at most the decimal places of its currency (ISO 4217: JPY 0, EUR 2, KWD 3) and is checked here
//! before it is stored.

use std::{borrow::Cow, fmt};

use rust_decimal::{Decimal, RoundingStrategy};

use crate::error::{UserError, UserErrorCode};

/// Maximum unit price; the CHECKs of the tables have the same limit.
pub const MAX_PRICE: Decimal = Decimal::from_parts(2_764_472_319, 232_830, 0, false, MAX_DIGITS);

/// Maximum total of a line or an order.
pub const MAX_TOTAL: Decimal = Decimal::from_parts(1_569_325_055, 23_283_064, 0, false, MAX_DIGITS);

/// Maximum number of decimal places of a currency.
pub const MAX_DIGITS: u32 = 3;

/// Decimal places of a currency that is not in use any more; none of those has another number.
const OTHER_DIGITS: u32 = 2;

/// Returns the total of a line. It is exact, as in the database.
pub fn line_total(price: Decimal, quantity: i32) -> Decimal {
    price * Decimal::from(quantity)
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
    /// The amount.
    pub amount: Decimal,
    /// The ISO 4217 currency.
    pub currency: Currency,
}

/// A currency with its number of decimal places. `Copy`, because every price carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    digits: u32,
}

impl Currency {
    /// The ISO 4217 code for "no currency".
    pub const NONE: Self = Self { code: *b"XXX", digits: OTHER_DIGITS };

    /// Parses the code of a currency that is in use as money: no metals, funds, test codes or former currencies.
    pub fn parse(code: &str) -> Option<Self> {
        Some(Self { code: code.as_bytes().try_into().ok()?, digits: digits_in_use(code)? })
    }

    /// Parses a code from the database; returns `None` unless it consists of three uppercase letters. It may be a former
    /// currency, since a website keeps its currency.
    pub fn from_stored(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        let digits = digits_in_use(code).unwrap_or(OTHER_DIGITS);
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self { code: bytes, digits })
    }

    /// Parses a code from an input; see [`Currency::parse`].
    /// # Errors
    /// Returns INVALID for another code.
    pub fn checked(field: &'static str, code: &str) -> Result<Self, UserError> {
        Self::parse(code).ok_or_else(|| UserError::new(UserErrorCode::Invalid, field, INVALID_CODE))
    }

    /// Returns the three-letter code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Returns the number of decimal places.
    pub fn digits(self) -> u32 {
        self.digits
    }

    /// Returns the smallest amount above 0.
    pub fn smallest_amount(self) -> Decimal {
        Decimal::new(1, self.digits)
    }

    /// Rounds to exactly the currency's decimal places, half away from zero, as PostgreSQL does.
    pub fn round(self, amount: Decimal) -> Decimal {
        let mut amount = amount.round_dp_with_strategy(self.digits, RoundingStrategy::MidpointAwayFromZero);
        amount.rescale(self.digits);
        if amount.is_zero() {
            amount.set_sign_positive(true);
        }
        amount
    }

    /// Formats an amount with exactly the currency's decimal places.
    pub fn format(self, amount: Decimal) -> String {
        self.round(amount).to_string()
    }

    /// Checks that an amount has at most the currency's decimal places; returns it with exactly these.
    /// # Errors
    /// Returns INVALID for more decimal places.
    pub fn check_digits(self, field: &'static str, amount: Decimal) -> Result<Decimal, UserError> {
        let rounded = self.round(amount);
        if rounded == amount {
            return Ok(rounded);
        }
        let rule = format!("{field} must have at most {} decimal places in {self}", self.digits);
        Err(UserError::new(UserErrorCode::Invalid, field, rule))
    }

    /// Checks that a unit price is between 0 and [`MAX_PRICE`] and has at most the currency's decimal places; returns it
    /// with exactly these.
    /// # Errors
    /// Returns OUT_OF_RANGE or INVALID.
    pub fn check_price(self, field: &'static str, price: Decimal) -> Result<Decimal, UserError> {
        if price < Decimal::ZERO || price > MAX_PRICE {
            let rule = format!("{field} must be between 0 and {}", MAX_PRICE.trunc_with_scale(self.digits));
            return Err(UserError::new(UserErrorCode::OutOfRange, field, rule));
        }
        self.check_digits(field, price)
    }
}

/// The rule for codes of currencies.
pub const INVALID_CODE: &str = "must be the ISO 4217 code of a currency in use, such as EUR";

/// Returns the decimal places of a currency that is in use as money.
fn digits_in_use(code: &str) -> Option<u32> {
    use iso_currency::Currency as Iso;

    let known = Iso::from_code(code)?;
    // ISO 4217 lists both codes of Venezuela's currency; the library regards VES as superseded by VED.
    let is_current = known.is_superseded().is_none() || known == Iso::VES;
    known.exponent().filter(|_| is_current && !known.is_fund() && !known.is_special()).map(u32::from)
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn only_currencies_in_use_as_money_are_accepted() {
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("VND", 0), ("KWD", 3), ("TND", 3), ("VES", 2), ("XOF", 0)] {
            assert_eq!(currency(code).digits(), digits, "{code}");
            assert_eq!(currency(code).as_str(), code);
        }
        for code in ["ZZZ", "XXX", "XTS", "XAU", "XDR", "CLF", "CHE", "USN", "BGN", "HRK", "eur", "EURO", "EU", "", "€"]
        {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
        assert_eq!(Currency::from_stored("BGN").map(Currency::digits), Some(2));
        assert_eq!(Currency::from_stored("XXX"), Some(Currency::NONE));
        assert_eq!(Currency::from_stored("eur"), None);
    }

    #[test]
    fn a_price_has_the_decimal_places_of_its_currency() {
        let checked = |code, price| currency(code).check_price("price", number(price));
        for (code, price, kept) in [
            ("EUR", "1.5", "1.50"),
            ("EUR", "1.500", "1.50"),
            ("JPY", "1000.00", "1000"),
            ("KWD", "1.255", "1.255"),
            ("KWD", "12.5", "12.500"),
            ("VND", "150000000", "150000000"),
            ("EUR", "-0", "0.00"),
            ("EUR", "999999999999.99", "999999999999.99"),
        ] {
            assert_eq!(checked(code, price).unwrap().to_string(), kept, "{code} {price}");
        }
        for (code, price, rule) in [
            ("JPY", "1000.50", "price must have at most 0 decimal places in JPY"),
            ("EUR", "1.005", "price must have at most 2 decimal places in EUR"),
            ("KWD", "1.2555", "price must have at most 3 decimal places in KWD"),
            ("EUR", "-0.01", "price must be between 0 and 999999999999.99"),
            ("JPY", "1000000000000", "price must be between 0 and 999999999999"),
        ] {
            assert_eq!(checked(code, price).unwrap_err().message, rule, "{code} {price}");
        }
    }

    #[test]
    fn maxima_have_three_decimal_places() {
        assert_eq!(MAX_PRICE.to_string(), "999999999999.999");
        assert_eq!(MAX_TOTAL.to_string(), "99999999999999.999");
        assert!(check_total("total", MAX_TOTAL).is_ok());
        assert!(check_total("total", number("100000000000000")).is_err());
    }

    #[test]
    fn amounts_are_rounded_half_away_from_zero_to_the_currencys_decimal_places() {
        for (code, exact, text) in [
            ("EUR", "1.005", "1.01"),
            ("EUR", "-1.005", "-1.01"),
            ("EUR", "1.0049", "1.00"),
            ("EUR", "12.5", "12.50"),
            ("EUR", "0", "0.00"),
            ("JPY", "1000.5", "1001"),
            ("JPY", "1000.00", "1000"),
            ("KWD", "12.5", "12.500"),
        ] {
            assert_eq!(currency(code).format(number(exact)), text, "{code} {exact}");
        }
    }
}

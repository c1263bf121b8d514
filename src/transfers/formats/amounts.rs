//! Parses prices and quantities as written by people and spreadsheets: `1,234.56`, `1.234,56`, `1 234,56 €`.
//! Rule: the amounts of the whole file and the currency's decimal places determine whether it uses a decimal point or
//! comma; an amount that is still ambiguous is rejected, never guessed.

use rust_decimal::Decimal;

/// Decimal separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalSeparator {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// Parser of the amounts of a file, with what is known about its decimal separator.
#[derive(Debug, Clone, Copy)]
pub struct AmountParser {
    point: bool,
    comma: bool,
    /// Decimal places of the currency.
    digits: u32,
}

impl AmountParser {
    /// Creates a parser for a currency with this number of decimal places, with the decimal separator if it is known.
    pub fn new(decimal_separator: Option<DecimalSeparator>, digits: u32) -> Self {
        Self {
            point: decimal_separator == Some(DecimalSeparator::Point),
            comma: decimal_separator == Some(DecimalSeparator::Comma),
            digits,
        }
    }

    /// Learns the decimal separator from an unambiguous amount.
    pub fn observe(&mut self, text: &str) {
        match (number(text, DecimalSeparator::Point), number(text, DecimalSeparator::Comma)) {
            (Some(_), None) => self.point = true,
            (None, Some(_)) => self.comma = true,
            _ => {}
        }
    }

    /// Parses a price with all its decimal places.
    /// # Errors
    /// The rule that the text violates.
    pub fn price(&self, text: &str) -> Result<Decimal, String> {
        let mut price = self.read(text, Some(self.digits))?.normalize();
        if price.is_sign_negative() && !price.is_zero() {
            return Err("a price must not be negative".into());
        }
        price.set_sign_positive(true);
        Ok(price)
    }

    /// Parses a number of units.
    /// # Errors
    /// The rule that the text violates.
    pub fn quantity(&self, text: &str) -> Result<i32, String> {
        match self.whole(text)? {
            quantity @ 0.. => Ok(quantity),
            _ => Err("a quantity must not be negative".into()),
        }
    }

    /// Parses a whole number.
    /// # Errors
    /// The rule that the text violates.
    pub fn whole(&self, text: &str) -> Result<i32, String> {
        let number = self.read(text, None)?;
        let whole = number.fract().is_zero().then(|| i32::try_from(number).ok()).flatten();
        whole.ok_or_else(|| format!("{text:?} is not a whole number"))
    }

    /// Parses a weight, of which a single point is the decimal point in any file.
    /// # Errors
    /// The rule that the text violates.
    pub fn weight(&self, text: &str) -> Result<Decimal, String> {
        let weight = match number(text, DecimalSeparator::Point) {
            Some(weight) if !text.contains(',') => weight,
            _ => self.read(text, None)?,
        };
        match weight.is_sign_negative() && !weight.is_zero() {
            true => Err("a weight must not be negative".into()),
            false => Ok(weight),
        }
    }

    /// Parses a number, given the decimal places of prices.
    fn read(&self, text: &str, digits: Option<u32>) -> Result<Decimal, String> {
        let (point, comma) = (number(text, DecimalSeparator::Point), number(text, DecimalSeparator::Comma));
        match (point, comma) {
            (Some(point), Some(comma)) if point == comma => Ok(point),
            (Some(point), Some(comma)) => match (self.point, self.comma, digits) {
                (true, false, _) => Ok(point),
                (false, true, _) => Ok(comma),
                // The three digits of 1.234 are thousands of yen, but the decimal places of dinars.
                (false, false, Some(0)) => Ok(point.max(comma)),
                (false, false, Some(3)) => Ok(point.min(comma)),
                _ => Err(format!(
                    "{text:?} is ambiguous: {point} or {comma}; write it with two decimals, such as 1234.00"
                )),
            },
            (Some(number), None) | (None, Some(number)) => Ok(number),
            (None, None) => Err(format!("{text:?} is not a number")),
        }
    }
}

/// Parses an amount without its currency.
fn number(text: &str, decimal_separator: DecimalSeparator) -> Option<Decimal> {
    let text = strip_currency(text);
    let (sign, text) = text.strip_prefix(['-', '\u{2212}']).map_or(("", text), |rest| ("-", strip_currency(rest)));
    let (point, group) = match decimal_separator {
        DecimalSeparator::Point => ('.', ','),
        DecimalSeparator::Comma => (',', '.'),
    };
    let (units, fraction) = text.split_once(point).unwrap_or((text, "0"));
    // `.99` and `5.` are numbers, too.
    let units = if units.is_empty() && is_digits(fraction) && text.contains(point) { "0" } else { units };
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    if units.is_empty() || !is_digits(fraction) {
        return None;
    }
    let units = remove_grouping(units, group)?;
    format!("{sign}{units}.{fraction}").parse().ok()
}

/// Removes whitespace and a currency symbol or code on either side.
fn strip_currency(text: &str) -> &str {
    let is_sign = |c: char| matches!(c, '$' | '£' | '¥' | '¢' | '\u{20a0}'..='\u{20cf}');
    let text = text.trim().trim_matches(|c| is_sign(c) || c.is_whitespace());
    let code = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_uppercase());
    let text = match (text.get(..3), text.get(3..)) {
        (Some(first), Some(rest)) if code(first) => rest,
        _ => text,
    };
    let text = match text.len().checked_sub(3).and_then(|at| text.split_at_checked(at)) {
        Some((rest, last)) if code(last) => rest,
        _ => text,
    };
    text.trim()
}

/// Removes thousands separators from groups of three digits. Whitespace and apostrophes are accepted with either
/// decimal separator.
fn remove_grouping(units: &str, group: char) -> Option<String> {
    let separator = units.chars().find(|c| !c.is_ascii_digit());
    let Some(separator) = separator else { return is_digits(units).then(|| units.to_owned()) };
    if separator != group && !separator.is_whitespace() && !matches!(separator, '\'' | '\u{2019}') {
        return None;
    }
    let mut groups = units.split(separator);
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && !first.starts_with('0'))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        digits.push_str(group);
    }
    is_digits(&digits).then_some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unambiguous_amounts_are_parsed() {
        let amounts = AmountParser::new(None, 2);
        for (text, expected) in [
            ("12", "12"),
            ("12.5", "12.5"),
            ("12,5", "12.5"),
            ("1,234.56", "1234.56"),
            ("1.234,56", "1234.56"),
            ("1 234,56", "1234.56"),
            ("1\u{a0}234,56\u{a0}€", "1234.56"),
            ("1\u{202f}234\u{202f}567", "1234567"),
            ("1'234.50", "1234.5"),
            ("1.234.567", "1234567"),
            ("$ 12.00", "12"),
            ("EUR 12,00", "12"),
            ("12.00 USD", "12"),
            ("14.0000", "14"),
            ("0.500", "0.5"),
            ("12.345678", "12.345678"),
            ("-0", "0"),
            ("12.", "12"),
            (".5", "0.5"),
            (",99", "0.99"),
        ] {
            assert_eq!(amounts.price(text).map(|price| price.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["", "-", ".", ",", "free", "1.2.3", "1,23.4", "1e3", "٣", "1.234,56.7", "1 2", "1,234", "1.234", "-1"]
        {
            assert!(amounts.price(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ambiguous_amounts_follow_the_other_amounts_of_the_file() {
        for (seen, text, expected) in [
            ("9.99", "1,234", Some("1234")),
            ("9.99", "1.234", Some("1.234")),
            ("9,99", "1,234", Some("1.234")),
            ("9,99", "1.234", Some("1234")),
            ("9", "1.234", None),
        ] {
            let mut amounts = AmountParser::new(None, 2);
            amounts.observe(seen);
            assert_eq!(amounts.price(text).ok().map(|price| price.to_string()).as_deref(), expected, "{seen} {text}");
        }
        let mut both = AmountParser::new(None, 2);
        both.observe("9,99");
        both.observe("9.99");
        assert!(both.price("1.234").is_err());
        assert_eq!(both.price("7,50"), Ok(Decimal::new(750, 2)));
        assert_eq!(AmountParser::new(Some(DecimalSeparator::Comma), 2).price("1.234"), Ok(Decimal::new(123_400, 2)));
    }

    #[test]
    fn three_digits_are_read_by_the_decimal_places_of_the_currency() {
        for (digits, text, expected) in [
            (0, "1.234", Some("1234")),
            (0, "1,234", Some("1234")),
            (0, "1000.50", Some("1000.5")),
            (2, "1.234", None),
            (3, "1.255", Some("1.255")),
            (3, "12,500", Some("12.5")),
            (3, "1,255.000", Some("1255")),
        ] {
            let price = AmountParser::new(None, digits).price(text);
            assert_eq!(price.ok().map(|price| price.to_string()).as_deref(), expected, "{digits} {text}");
        }
        let mut amounts = AmountParser::new(None, 3);
        amounts.observe("1,255.000");
        assert_eq!(amounts.price("1,255"), Ok(Decimal::from(1255)));
        assert!(AmountParser::new(None, 3).quantity("1,000").is_err());
    }

    #[test]
    fn weights_have_a_decimal_point_in_any_file() {
        let mut amounts = AmountParser::new(None, 2);
        assert!(amounts.weight("1,250").is_err());
        amounts.observe("9,99");
        for (text, expected) in [("1.250", "1.250"), ("1,250", "1.250"), ("0.6000", "0.6000"), ("1,250.5", "1250.5")] {
            assert_eq!(amounts.weight(text).map(|weight| weight.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["-1", "heavy", "450 g"] {
            assert!(amounts.weight(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_are_whole_and_not_negative() {
        let amounts = AmountParser::new(None, 2);
        for (text, expected) in
            [("5", Some(5)), ("100.0000", Some(100)), ("1.5", None), ("-3", None), ("99999999999", None)]
        {
            assert_eq!(amounts.quantity(text).ok(), expected, "{text}");
        }
    }
}

//! Parsers of the fields of a sales file: text, quantities, prices and dates.
//! Rule: a field has one meaning or is rejected; nothing is guessed.

use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc,
    format::{Item, StrftimeItems},
};
use rust_decimal::Decimal;

use super::line::RejectReason;
use crate::{
    money::{Currency, MAX_PRICE},
    stock::model::MAX_QUANTITY,
    text::{is_leap_second, trim},
};

const DATE_TIMES: [&str; 4] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

/// Parses a text: trims it and replaces control characters with spaces.
pub fn text(field: &[u8]) -> Result<String, RejectReason> {
    let text = trim(std::str::from_utf8(field).map_err(|_| RejectReason::NotUtf8)?);
    if text.contains('\0') {
        return Err(RejectReason::NulByte);
    }
    Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

/// Checks a text of 1 to `max` characters.
pub fn required(text: String, max: usize, reason: RejectReason) -> Result<String, RejectReason> {
    if text.is_empty() { Err(reason) } else { at_most(text, max, reason) }
}

/// Checks a text of at most `max` characters; returns none if it is empty.
pub fn optional(text: String, max: usize, reason: RejectReason) -> Result<Option<String>, RejectReason> {
    if text.is_empty() { Ok(None) } else { at_most(text, max, reason).map(Some) }
}

fn at_most(text: String, max: usize, reason: RejectReason) -> Result<String, RejectReason> {
    if text.chars().nth(max).is_some() { Err(reason) } else { Ok(text) }
}

/// Returns the first `max` characters, and whether there were more.
pub fn truncate(mut text: String, max: usize) -> (String, bool) {
    let Some((end, _)) = text.char_indices().nth(max) else { return (text, false) };
    text.truncate(end);
    (text.trim_end().to_owned(), true)
}

/// Normalizes a customer number: integers that a spreadsheet turned into decimals (`17850.0`) become integers again.
pub fn customer(text: String) -> String {
    match text.split_once('.') {
        Some((whole, zeros)) if is_digits(whole) && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => {
            whole.to_owned()
        }
        _ => text,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Parses a plain decimal number: an optional sign, and digits with at most one decimal point (or comma).
fn number(text: &str, decimal_comma: bool) -> Option<Decimal> {
    let (whole, fraction) = text.split_once(if decimal_comma { ',' } else { '.' }).unwrap_or((text, "0"));
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    if !is_digits(digits) || !is_digits(fraction) {
        return None;
    }
    Decimal::from_str(&format!("{whole}.{fraction}")).ok()
}

/// Parses a quantity. It must be negative in a cancellation, where the sign is dropped, and positive otherwise.
pub fn quantity(text: &str, decimal_comma: bool, is_cancellation: bool) -> Result<i32, RejectReason> {
    let number = number(text, decimal_comma).filter(|n| n.fract().is_zero()).ok_or(RejectReason::BadQuantity)?;
    let units = i32::try_from(number).map_err(|_| RejectReason::BadQuantity)?;
    if !(-MAX_QUANTITY..=MAX_QUANTITY).contains(&units) {
        return Err(RejectReason::BadQuantity);
    }
    match is_cancellation {
        true if units >= 0 => Err(RejectReason::PositiveCancellation),
        false if units <= 0 => Err(RejectReason::NegativeQuantity),
        _ => Ok(units.abs()),
    }
}

/// Parses a price and rounds it to the currency's decimal places; also returns whether it was rounded.
pub fn price(text: &str, decimal_comma: bool, currency: Currency) -> Result<(Decimal, bool), RejectReason> {
    let exact = number(text, decimal_comma).ok_or(RejectReason::BadPrice)?;
    if exact < Decimal::ZERO {
        return Err(RejectReason::NegativePrice);
    }
    let price = currency.round(exact);
    if price > MAX_PRICE {
        return Err(RejectReason::BadPrice);
    }
    Ok((price, price != exact))
}

/// Parses a date in the given format or ISO 8601; UTC if it has no time zone, midnight if it has no time.
pub fn date(text: &str, format: Option<&str>, now: DateTime<Utc>) -> Result<DateTime<Utc>, RejectReason> {
    let date = match format {
        Some(format) => in_format(text, format),
        None => iso(text),
    };
    // One day of tolerance for clocks and time zones.
    let last = now + Days::new(1);
    date.filter(|date| date.year() >= 1900 && *date <= last && !is_leap_second(date)).ok_or(RejectReason::BadDate)
}

fn iso(text: &str) -> Option<DateTime<Utc>> {
    DATE_TIMES
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|naive| naive.and_utc())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc()))
        .or_else(|| day(text, "%Y-%m-%d"))
}

fn in_format(text: &str, format: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text, format)
        .map(|date| date.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(text, format).map(|naive| naive.and_utc()))
        .ok()
        .or_else(|| day(text, format))
}

fn day(text: &str, format: &str) -> Option<DateTime<Utc>> {
    NaiveDate::parse_from_str(text, format).ok().map(|day| day.and_time(NaiveTime::MIN).and_utc())
}

/// Returns whether this is a valid date format.
pub fn is_date_format(format: &str) -> bool {
    !format.is_empty() && StrftimeItems::new(format).all(|item| item != Item::Error)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn numbers_without_separators_are_parsed() {
        for wrong in ["", "-", ".5", "5.", "1,000", "1e3", "1_000", "0x1", "NaN", "1.2.3", "٣", "--1"] {
            assert_eq!(number(wrong, false), None, "{wrong}");
        }
        assert_eq!(number("-12.50", false), Some(Decimal::new(-1250, 2)));
        assert_eq!(number("12,50", true), Some(Decimal::new(1250, 2)));
        assert_eq!(number("1.212,50", true), None);
    }

    #[test]
    fn quantities_follow_the_kind_of_invoice() {
        assert_eq!(quantity("6", false, false), Ok(6));
        assert_eq!(quantity("6.0", false, false), Ok(6));
        assert_eq!(quantity("-6", false, true), Ok(6));
        assert_eq!(quantity("-6", false, false), Err(RejectReason::NegativeQuantity));
        assert_eq!(quantity("0", false, false), Err(RejectReason::NegativeQuantity));
        assert_eq!(quantity("6", false, true), Err(RejectReason::PositiveCancellation));
        assert_eq!(quantity("1.5", false, false), Err(RejectReason::BadQuantity));
        assert_eq!(quantity("1000001", false, false), Err(RejectReason::BadQuantity));
        assert_eq!(quantity("99999999999999999999999999999999999", false, false), Err(RejectReason::BadQuantity));
    }

    #[test]
    fn prices_round_half_up_and_report_rounding() {
        let read_in = |code, text| {
            let currency = Currency::parse(code).unwrap();
            price(text, false, currency).map(|(price, is_rounded)| (price.to_string(), is_rounded))
        };
        let read = |text| read_in("GBP", text);
        assert_eq!(read("2.5"), Ok(("2.50".into(), false)));
        assert_eq!(read("2.500"), Ok(("2.50".into(), false)));
        assert_eq!(read("2.345"), Ok(("2.35".into(), true)));
        assert_eq!(read("0.001"), Ok(("0.00".into(), true)));
        assert_eq!(read("-0"), Ok(("0.00".into(), false)));
        assert_eq!(read("-0.01"), Err(RejectReason::NegativePrice));
        assert_eq!(read("999999999999.99"), Ok(("999999999999.99".into(), false)));
        assert_eq!(read("999999999999.995"), Err(RejectReason::BadPrice));
        assert_eq!(read_in("JPY", "1000.50"), Ok(("1001".into(), true)));
        assert_eq!(read_in("KWD", "1.2555"), Ok(("1.256".into(), true)));
    }

    #[test]
    fn dates_are_iso_or_of_the_given_format() {
        let now = Utc.with_ymd_and_hms(2012, 1, 1, 0, 0, 0).unwrap();
        let read = |text, format| date(text, format, now).map(|date| date.to_rfc3339());
        let eight = Ok("2010-12-01T08:26:00+00:00".to_owned());
        for text in ["2010-12-01 08:26:00", "2010-12-01T08:26", "2010-12-01T08:26:00.0", "2010-12-01T10:26:00+02:00"] {
            assert_eq!(read(text, None), eight, "{text}");
        }
        assert_eq!(read("12/1/2010 8:26", Some("%m/%d/%Y %H:%M")), eight);
        assert_eq!(read("2010-12-01", None), Ok("2010-12-01T00:00:00+00:00".into()));
        for wrong in ["", "12/1/2010 8:26", "2010-13-01", "1899-12-31", "2012-01-03", "0010-12-01", "soon"] {
            assert_eq!(read(wrong, None), Err(RejectReason::BadDate), "{wrong}");
        }
        assert!(is_date_format("%d.%m.%Y") && !is_date_format("%") && !is_date_format(""));
    }

    #[test]
    fn texts_and_customers_are_normalized() {
        assert_eq!(text(b"  red\tmug \r\n"), Ok("red mug".into()));
        assert_eq!(text(b"red\0mug"), Err(RejectReason::NulByte));
        assert_eq!(text(b"caf\xe9"), Err(RejectReason::NotUtf8));
        assert_eq!(truncate("é".repeat(300), 255), ("é".repeat(255), true));
        assert_eq!(customer("17850.0".into()), "17850");
        for kept in ["17850.5", "A.0", "17850.", "17850"] {
            assert_eq!(customer(kept.into()), kept);
        }
    }
}

//! Points in time in inputs and files.
//! Rule: a leap second (`23:59:60`) is rejected, because PostgreSQL cannot store it and would move it to the next minute.

use chrono::{DateTime, Timelike, Utc};

use super::trim;

/// Parses a time in RFC 3339; none if it is malformed or a leap second.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(trim(text)).ok()?;
    (!is_leap_second(&time)).then(|| time.to_utc())
}

/// Returns whether a time is within a leap second, which chrono represents by more than a second's nanoseconds.
pub fn is_leap_second(time: &impl Timelike) -> bool {
    time.nanosecond() >= 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_second_is_no_time() {
        for (text, is_time) in [
            ("2026-11-29T00:00:59Z", true),
            (" 2026-11-29T00:00:59.999999999+01:00\n", true),
            ("2026-11-29T00:00:60Z", false),
            ("2016-12-31T23:59:60Z", false),
            ("2016-12-31T23:59:60.5Z", false),
            ("2026-11-29", false),
        ] {
            assert_eq!(parse_time(text).is_some(), is_time, "{text}");
        }
    }
}

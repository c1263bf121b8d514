//! The limit of repeated attempts, such as logins with a wrong password.
//! Rule: the first attempts are free; each further one is followed by a pause.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use chrono::Duration;

/// Free attempts that a setting may allow.
const FREE_ATTEMPTS: RangeInclusive<u32> = 1..=1_000_000;

/// Longest pauses that a setting may set, in seconds: at most a day, after which counters are reset.
const MAX_PAUSE_SECONDS: RangeInclusive<u32> = 1..=86_400;

/// Longest pause that a setting may set for attempts that are counted for all clients together, in seconds. Strangers can
/// cause the pause, so the owner of the account must not wait long.
const MAX_SHARED_PAUSE_SECONDS: u32 = 3_600;

/// How many attempts are free, and how long the pauses after further ones are at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimit {
    /// Number of attempts before the first pause, at least 1.
    pub free_attempts: u32,
    /// Longest pause, in seconds.
    pub max_pause_seconds: u32,
}

impl AttemptLimit {
    /// Parses the limit of attempts that are counted for all clients together.
    /// # Errors
    /// If the text is not a limit, or its pause is longer than an hour.
    pub fn parse_shared(text: &str) -> Result<Self, String> {
        let limit: Self = text.parse()?;
        match limit.max_pause_seconds <= MAX_SHARED_PAUSE_SECONDS {
            true => Ok(limit),
            false => Err("SECONDS must be at most 3600, because strangers can cause these pauses".to_owned()),
        }
    }

    /// Returns the longest pause.
    pub fn max_pause(self) -> Duration {
        Duration::seconds(i64::from(self.max_pause_seconds))
    }

    /// Returns the pause after this number of attempts, which doubles from one second with each of them; none while they
    /// are free.
    pub fn doubling_pause(self, attempts: i32) -> Option<Duration> {
        let doublings = self.attempts_over(attempts)?;
        Some(self.max_pause().min(Duration::seconds(1 << doublings.min(30))))
    }

    /// Returns the longest pause after this number of attempts; none while they are free.
    pub fn fixed_pause(self, attempts: i32) -> Option<Duration> {
        self.attempts_over(attempts).map(|_| self.max_pause())
    }

    /// Returns the number of attempts after the last free one; none while they are free.
    fn attempts_over(self, attempts: i32) -> Option<u32> {
        u32::try_from(attempts).unwrap_or(0).checked_sub(self.free_attempts)
    }
}

impl fmt::Display for AttemptLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.free_attempts, self.max_pause_seconds)
    }
}

impl FromStr for AttemptLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str, range: RangeInclusive<u32>| {
            text.trim().parse::<u32>().ok().filter(|number| range.contains(number))
        };
        let parse = |(free, seconds)| Some((number(free, FREE_ATTEMPTS)?, number(seconds, MAX_PAUSE_SECONDS)?));
        let rule = "must be FREE:SECONDS, such as 5:900: 1 to 1000000 free attempts, and a longest pause of 1 to 86400 seconds";
        let (free_attempts, max_pause_seconds) = text.split_once(':').and_then(parse).ok_or(rule)?;
        Ok(Self { free_attempts, max_pause_seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: AttemptLimit = AttemptLimit { free_attempts: 5, max_pause_seconds: 900 };

    fn seconds(pause: impl Fn(i32) -> Option<Duration>) -> Vec<i64> {
        (1..20).map(|attempts| pause(attempts).map_or(0, |pause| pause.num_seconds())).collect()
    }

    #[test]
    fn pauses_double_up_to_the_maximum() {
        let pauses = seconds(|attempts| LIMIT.doubling_pause(attempts));
        assert_eq!(pauses, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900]);
        assert_eq!(LIMIT.doubling_pause(i32::MAX), Some(Duration::minutes(15)));
        let strict = AttemptLimit { free_attempts: 1, max_pause_seconds: 3 };
        assert_eq!(seconds(|attempts| strict.doubling_pause(attempts))[..4], [1, 2, 3, 3]);
    }

    #[test]
    fn fixed_pauses_are_the_maximum() {
        let pauses = seconds(|attempts| LIMIT.fixed_pause(attempts));
        assert_eq!((&pauses[..4], pauses[4..].iter().all(|pause| *pause == 900)), (&[0; 4][..], true), "{pauses:?}");
    }

    #[test]
    fn limits_are_written_as_free_attempts_and_seconds() {
        assert_eq!("5:900".parse(), Ok(LIMIT));
        assert_eq!(LIMIT.to_string(), "5:900");
        for text in ["", "5", "5:", ":900", "0:900", "5:0", "-1:900", "5:900:1", "1000001:900", "5:86401", "5:15m"] {
            let error = text.parse::<AttemptLimit>().unwrap_err();
            assert!(error.starts_with("must be FREE:SECONDS"), "{text}: {error}");
        }
    }

    #[test]
    fn pauses_that_strangers_can_cause_are_at_most_an_hour() {
        assert!("5:86400".parse::<AttemptLimit>().is_ok());
        assert!(AttemptLimit::parse_shared("5:3600").is_ok());
        let error = AttemptLimit::parse_shared("5:3601").unwrap_err();
        assert!(error.contains("at most 3600"), "{error}");
        assert!(AttemptLimit::parse_shared("5").is_err());
    }
}

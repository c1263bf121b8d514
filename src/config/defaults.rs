//! Default settings, for tests and for code that runs without a command line.
//! Rule: a default is written once, at its flag.

use clap::{Args, Command};

use super::{
    AnalyticsSettings, AttemptSettings, CacheSettings, CartSettings, ConnectionSettings, LimitSettings, OrderSettings,
    ReviewSettings, SubscriptionSettings, UploadSettings,
};

/// Returns the settings of a command line without arguments, whatever the environment has.
fn defaults<T: Args>() -> T {
    // No variable has an empty name.
    let command = T::augment_args(Command::new("souk")).mut_args(|arg| arg.env(""));
    let parsed = command.try_get_matches_from(["souk"]).and_then(|matches| T::from_arg_matches(&matches));
    parsed.expect("each setting has a default")
}

macro_rules! impl_default {
    ($($settings:ty),*) => {
        $(impl Default for $settings {
            fn default() -> Self {
                defaults()
            }
        })*
    };
}

impl_default!(
    AnalyticsSettings,
    AttemptSettings,
    CacheSettings,
    CartSettings,
    ConnectionSettings,
    LimitSettings,
    OrderSettings,
    ReviewSettings,
    SubscriptionSettings,
    UploadSettings
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_flags() {
        let (attempts, connections) = (AttemptSettings::default(), ConnectionSettings::default());
        assert_eq!(attempts.login_account.to_string(), "50:60");
        assert_eq!((connections.max_connections, connections.idle_timeout.as_secs()), (4096, 75));
        assert_eq!(CartSettings::default().reservation_minutes, 15);
        assert_eq!((OrderSettings::default().unpaid_share, LimitSettings::default().max_aliases), (50, 30));
        assert_eq!(UploadSettings::default().space, 1 << 30);
        assert_eq!(AnalyticsSettings::default().search_shared_by, 5);
        assert!(ReviewSettings::default().reviews_moderated);
    }
}

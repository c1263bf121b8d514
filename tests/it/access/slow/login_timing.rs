//! A login takes the same time for an unknown address as for a wrong password. The only test that measures time,
//! because an attacker would.

use std::time::{Duration, Instant};

use souk::auth::PasswordCost;

use crate::support::TestApp;

/// Attempts of each kind, alternating, so that disturbances of the machine affect both.
const ATTEMPTS: usize = 40;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Returns the median absolute deviation.
fn median_deviation(times: &[Duration]) -> Duration {
    let middle = median(times.to_vec());
    median(times.iter().map(|time| time.abs_diff(middle)).collect())
}

#[tokio::test]
async fn unknown_email_and_wrong_password_take_the_same_time() {
    // A hash expensive enough to dominate the time of a login.
    let cost = PasswordCost { memory: 512, passes: 2 };
    let app = TestApp::builder().password_cost(cost).build().await;
    let account = async |n: usize| {
        let register = format!(
            r#"mutation {{ register(input: {{ name: "Eve", email: "eve-{n}@souk.example", password: "four unusual words" }}) {{ userErrors {{ code }} }} }}"#
        );
        app.anonymous().run(&register).await.at("register");
    };
    let attempt = async |email: String| {
        let login = format!(
            r#"mutation {{ login(input: {{ email: "{email}", password: "three unusual words" }}) {{ userErrors {{ code }} }} }}"#
        );
        let begun = Instant::now();
        let response = app.anonymous().run(&login).await;
        let took = begun.elapsed();
        assert_eq!(response.user_errors("login")[0].0, "INVALID_CREDENTIALS");
        took
    };
    // An account for each attempt, because repeated attempts on one are throttled.
    for n in 0..ATTEMPTS {
        account(n).await;
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..ATTEMPTS {
        known.push(attempt(format!("eve-{n}@souk.example")).await);
        unknown.push(attempt(format!("nobody-{n}@souk.example")).await);
    }
    let differ = median(known.clone()).abs_diff(median(unknown.clone()));
    let noise = median_deviation(&known).max(median_deviation(&unknown)).max(median(known.clone()) / 20);
    assert!(differ <= 3 * noise, "known {:?}, unknown {:?}, noise {noise:?}", median(known), median(unknown));
}

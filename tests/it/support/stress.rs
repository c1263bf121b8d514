//! How long a stress test runs: for a short time in `cargo test`, for longer if a script of bench/ sets the environment.

/// A number from the environment, or what the tests take.
pub fn env_number(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}"))
}

/// The seed of what happens at random: another one each time, or `SOUK_PROOF_SEED`. Printed, so that a failure can be had
/// again.
pub fn seed() -> u64 {
    let seed = env_number("SOUK_PROOF_SEED", rand::random::<u32>().into());
    println!("SOUK_PROOF_SEED={seed}");
    seed
}

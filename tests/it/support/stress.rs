//! Duration and seed of the stress tests: short in `cargo test`, longer if a script of bench/ sets the environment.

/// Returns a number from the environment, or the default.
pub fn env_number(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}"))
}

/// Returns the random seed: a new one each time, or `SOUK_PROOF_SEED`. It is printed, so that a failure can be
/// reproduced.
pub fn seed() -> u64 {
    let seed = env_number("SOUK_PROOF_SEED", rand::random::<u32>().into());
    println!("SOUK_PROOF_SEED={seed}");
    seed
}

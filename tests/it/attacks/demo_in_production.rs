//! Demo accounts, whose passwords everyone knows, on a production server.

use crate::support::process::DataDir;

#[test]
fn demo_data_is_not_written_in_production() {
    let dir = DataDir::new();
    for arguments in [&["serve", "--listen", "127.0.0.1:0", "--demo"] as &[_], &["demo"]] {
        let mut command = dir.command(arguments);
        command.env("SOUK_ENV", "production").env("SOUK_JWT_SECRET", "a secret of the shop, long enough to sign with");
        let output = command.output().expect("the binary runs");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("known passwords"), "{arguments:?}: {message}");
    }
    assert!(!dir.0.join("postgres").exists(), "nothing was started");
}

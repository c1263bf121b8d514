//! Servers with key files: rotation from one key to the next, and files that are rejected.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use crate::{
    access::jwt_keys::key_path,
    support::{
        SECRET,
        forged_token::parts,
        process::{DataDir, ServerProcess},
    },
};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

fn production_command(dir: &DataDir, keys: &str) -> Command {
    let mut command = dir.command(&SERVE);
    command.env("SOUK_ENV", "production").env("SOUK_JWT_KEYS", keys);
    command
}

#[test]
fn server_rotates_from_a_secret_to_key_files() {
    let dir = DataDir::new();
    for name in ["ed25519.pem", "rsa.pem"] {
        let copy = dir.0.join(name);
        fs::copy(key_path(name), &copy).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(if name == "rsa.pem" { 0o644 } else { 0o600 })).unwrap();
    }
    let me = "{ me { email } }";
    let kid = |token: &str| parts(token)[0]["kid"].clone();

    let mut command = dir.command(&SERVE);
    command.env("SOUK_JWT_SECRET", SECRET).arg("--demo");
    let server = ServerProcess::start(command);
    let log_in = |server: &ServerProcess| server.log_in("customer@souk.example", "demo-customer-2026");
    let by_secret = log_in(&server);
    assert_eq!(server.get("/.well-known/jwks.json"), (200, r#"{"keys":[]}"#.to_owned()));
    assert_eq!(server.stop(), Some(0));

    let mut command = production_command(&dir, "ed25519.pem, rsa.pem");
    command.env("SOUK_JWT_SECRET", SECRET);
    let server = ServerProcess::start(command);
    let warning = server.wait_for_log("key file is readable by all users");
    assert!(warning.contains("rsa.pem"), "{warning}");
    let by_ed = log_in(&server);
    assert_eq!(kid(&by_ed), "ed25519");
    for token in [&by_secret, &by_ed] {
        assert_eq!(server.run(Some(token), me).1["data"]["me"]["email"], "customer@souk.example");
    }
    assert_eq!(server.stop(), Some(0));

    let mut command = production_command(&dir, "rsa.pem,ed25519.pem");
    command.env("SOUK_JWT_AUDIENCE", "souk").args(["--jwt-issuer", "souk"]);
    let server = ServerProcess::start(command);
    let by_rsa = log_in(&server);
    assert_eq!(kid(&by_rsa), "rsa");
    let good = [&by_secret, &by_ed, &by_rsa].map(|token| server.run(Some(token), me).0);
    assert_eq!(good, [401, 200, 200]);
    assert_eq!(server.stop(), Some(0));

    let mut command = production_command(&dir, "rsa.pem");
    command.args(["--jwt-audience", "another"]);
    let server = ServerProcess::start(command);
    assert_eq!(server.run(Some(&by_rsa), me).0, 401);
    assert_eq!(server.run(Some(&log_in(&server)), me).0, 200);
    let (_, public) = server.get("/.well-known/jwks.json");
    assert!(public.contains(r#""kid":"rsa""#) && !public.contains("ed25519"), "{public}");
}

#[test]
fn unsuitable_key_file_is_rejected_at_startup_with_file_and_reason() {
    let dir = DataDir::new();
    for name in [
        "ed25519.pem",
        "rsa.pem",
        "small-rsa.pem",
        "large-rsa.pem",
        "p256.pem",
        "ed448.pem",
        "public-rsa.pem",
        "pkcs1-rsa.pem",
        "encrypted.pem",
    ] {
        fs::copy(key_path(name), dir.0.join(name)).unwrap();
    }
    let write = |name: &str, text: &[u8]| fs::write(dir.0.join(name), text).unwrap();
    write("short", b"thirty-one characters and a line\n"[..31].as_ref());
    write("rsa", SECRET.as_bytes());
    write("empty", b"");
    write("empty.pem", b"");
    write("garbage.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    write("binary", &[0xff; 64]);
    write("pair.key", &fs::read(key_path("ed25519.pem")).unwrap());
    let pkcs8 = "a .pem file must hold a PKCS#8 private key without a passphrase";
    let neither = "the key must be an Ed25519 or an RSA key";
    for (keys, why) in [
        ("", "SOUK_JWT_KEYS contains no file name"),
        (" , ", "SOUK_JWT_KEYS contains no file name"),
        ("nowhere.pem", "nowhere.pem: No such file or directory"),
        ("ed25519.pem,nowhere", "nowhere: No such file or directory"),
        ("postgres", "postgres: "),
        ("rsa.pem,rsa", "two keys have the id `rsa`"),
        ("rsa.pem,./rsa.pem", "two keys have the id `rsa`"),
        ("small-rsa.pem", "small-rsa.pem: an RSA key must have 2048 to 4096 bits; this one has 1024"),
        ("large-rsa.pem", "large-rsa.pem: an RSA key must have 2048 to 4096 bits; this one has 4160"),
        ("p256.pem", neither),
        ("ed448.pem", neither),
        ("garbage.pem", neither),
        ("public-rsa.pem", pkcs8),
        ("pkcs1-rsa.pem", pkcs8),
        ("encrypted.pem", pkcs8),
        ("empty.pem", pkcs8),
        ("short", "short: a secret must have at least 32 characters"),
        ("empty", "empty: a secret must have at least 32 characters"),
        ("binary", "binary: stream did not contain valid UTF-8"),
        ("pair.key", "pair.key: the file holds a key pair; its name must end in .pem"),
    ] {
        if keys == "postgres" {
            fs::create_dir(dir.0.join("postgres")).unwrap();
        }
        let output = production_command(&dir, keys).output().unwrap();
        let reported = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{keys}: {reported}");
        assert!(reported.contains("SOUK_JWT_KEYS") && reported.contains(why), "{keys}: {reported}");
        assert!(output.stdout.is_empty() && !reported.contains(SECRET), "{keys}: {reported}");
    }
    for (name, value) in [("SOUK_JWT_ISSUER", ""), ("SOUK_JWT_AUDIENCE", "")] {
        let output = production_command(&dir, "rsa.pem").env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
    }
    let output = production_command(&dir, "rsa.pem").env("SOUK_JWT_SECRET", "short").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("SOUK_JWT_SECRET is too short"));
}

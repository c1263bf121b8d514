//! `souk admin`: creating the first admin, and resetting a password.

use std::{
    io::Write,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::process::{DataDir, ServerProcess};

/// Runs `souk admin …` with this password on its standard input.
fn run_admin(dir: &DataDir, arguments: &[&str], password: &str) -> Output {
    let mut command = dir.command(&[&["admin"], arguments].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn exit_code_and_text(output: &Output) -> (Option<i32>, String) {
    let text = if output.status.success() { &output.stdout } else { &output.stderr };
    (output.status.code(), String::from_utf8_lossy(text).trim().to_owned())
}

#[test]
fn admin_is_created_logs_in_and_resets_the_password() {
    let dir = DataDir::new();
    let create = ["create", "--email", "Root@Souk.Example", "--name", "Root"];
    let (code, text) = exit_code_and_text(&run_admin(&dir, &create, "short"));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("password"), "{text}");
    let made = exit_code_and_text(&run_admin(&dir, &create, "four unusual words here"));
    assert_eq!(made.0, Some(0), "{made:?}");
    let (code, text) = exit_code_and_text(&run_admin(&dir, &create, "four unusual words here"));
    assert_eq!((code, text.contains("email")), (Some(2), true), "{text}");

    let server = ServerProcess::start(dir.command(&["serve", "--listen", "127.0.0.1:0"]));
    let token = server.log_in("root@souk.example", "four unusual words here");
    let me = "{ me { isEmailVerified role { code } } }";
    let (_, response) = server.run(Some(&token), me);
    assert_eq!(response["data"]["me"]["role"]["code"], "admin", "{response}");
    assert_eq!(response["data"]["me"]["isEmailVerified"], true);

    let nobody = exit_code_and_text(&run_admin(
        &dir,
        &["reset-password", "--email", "nobody@souk.example"],
        "four other words there",
    ));
    assert_eq!(nobody.0, Some(2), "{nobody:?}");
    let reset = exit_code_and_text(&run_admin(
        &dir,
        &["reset-password", "--email", "root@souk.example"],
        "four other words there",
    ));
    assert_eq!(reset.0, Some(0), "{reset:?}");
    // Another process ended the session; this server applies it at its next refresh.
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.run(Some(&token), me).0 != 401 {
        assert!(Instant::now() < deadline, "the old token is still valid");
        thread::sleep(Duration::from_millis(20));
    }
    server.log_in("root@souk.example", "four other words there");
    assert_eq!(server.stop(), Some(0));
}

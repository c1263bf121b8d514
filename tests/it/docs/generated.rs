//! The files that `souk docs` writes. `UPDATE_DOCS=1 cargo test docs` writes them anew.

use std::{fs, path::Path};

use super::pages;
use crate::support::{TestDb, process::DataDir};

#[tokio::test]
async fn generated_files_are_up_to_date() {
    let (database, dir) = (TestDb::new().await, DataDir::new());
    let is_update = std::env::var_os("UPDATE_DOCS").is_some();
    let target = if is_update { pages::root() } else { &dir.0 };
    let arguments = ["docs", "--dir", &target.to_string_lossy()];
    let output = dir.command(&arguments).env("DATABASE_URL", &database.url).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    if is_update {
        return;
    }
    let written = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(written.lines().count() > 1, "{written}");
    for path in written.lines().map(Path::new) {
        let name = path.strip_prefix(&dir.0).expect("a path below the directory");
        let (new, kept) = (fs::read_to_string(path).expect("a file"), fs::read_to_string(pages::root().join(name)));
        assert!(kept.is_ok_and(|kept| kept == new), "{} is old: `UPDATE_DOCS=1 cargo test docs`", name.display());
    }
    let again = dir.command(&arguments).env("DATABASE_URL", &database.url).output().expect("the binary runs");
    assert_eq!(String::from_utf8_lossy(&again.stdout), "", "nothing has changed");
}

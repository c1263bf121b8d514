//! Files with personal data that other accounts of the machine could read.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::support::process::DataDir;

/// Returns the paths below a directory that others can read, except those that the test made.
fn readable(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let mode = entry.metadata().expect("metadata").permissions().mode();
        if mode & 0o066 != 0 {
            found.push(format!("{} {:o}", entry.path().display(), mode & 0o777));
        }
        if entry.path().is_dir() {
            readable(&entry.path(), found);
        }
    }
}

#[test]
fn exports_rejects_and_data_are_private() {
    let dir = DataDir::new();
    dir.stdout_of(&["demo"]);
    // What a killed export of an earlier version left.
    fs::write(dir.0.join("customers.csv.part"), "").expect("a file");
    dir.stdout_of(&["export", "customers", "--website", "sailor", "--out", "customers.csv"]);
    fs::write(dir.0.join("stock.csv"), "sku,stock\nunknown,1\n").expect("a file");
    dir.run(&["import", "stock", "stock.csv", "--website", "sailor", "--rejects", "rejects.csv"]);
    fs::remove_file(dir.0.join("stock.csv")).expect("a file");
    assert!(dir.0.join("customers.csv").exists() && dir.0.join("rejects.csv").exists());
    let mut found = Vec::new();
    readable(&dir.0, &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

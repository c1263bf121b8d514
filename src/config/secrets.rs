//! Secrets in settings: given explicitly, or generated once and stored in the data directory in development.
//! Rule: a secret has at least 32 characters, and only the owner can read its file.

use std::{fs, io, os::unix::fs::OpenOptionsExt, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Environment, Settings};

/// Returns the given secret, or in development the one in this file. `alternative` completes the error message if there
/// is another way to configure it.
/// # Errors
/// Returns an error if the secret is too short, is missing in production, or cannot be written.
pub(super) fn configured_secret(
    settings: &Settings,
    name: &str,
    given: Option<&String>,
    file: &str,
    alternative: &str,
) -> io::Result<String> {
    let rule = "it must have at least 32 random characters";
    match given {
        Some(secret) if secret.len() < 32 => Err(io::Error::other(format!("{name} is too short: {rule}"))),
        Some(secret) => Ok(secret.clone()),
        None if settings.environment == Environment::Production => {
            Err(io::Error::other(format!("{name} is required in production: {rule}{alternative}")))
        }
        None => load_or_create_secret(&settings.data_dir, file),
    }
}

/// Returns the secret in a file of this directory and creates it if it is missing. Several servers may start at once:
/// the first to put a complete file in place determines the secret of all.
pub(super) fn load_or_create_secret(directory: &Path, name: &str) -> io::Result<String> {
    let file = directory.join(name);
    match fs::read_to_string(&file) {
        Ok(secret) => return Ok(secret.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir_all(directory)?;
    let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let temporary = directory.join(format!("{name}.{:016x}", rand::random::<u64>()));
    let mut open = fs::OpenOptions::new();
    io::Write::write_all(&mut open.write(true).create_new(true).mode(0o600).open(&temporary)?, secret.as_bytes())?;
    let linked = fs::hard_link(&temporary, &file);
    fs::remove_file(&temporary)?;
    match linked {
        Ok(()) => Ok(secret),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(fs::read_to_string(&file)?.trim().to_owned()),
        Err(error) => Err(error),
    }
}

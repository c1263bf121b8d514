//! The temporary files of the process.
//! Rule: they are in a directory that only the process's account can enter, and which the next process removes if this one is
//! killed. A lock beside the directory shows that its process is running.

use std::{
    ffi::OsStr,
    fs::{self, DirEntry, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Beginning of the names of the directories.
const PREFIX: &str = "souk-temporary-";
/// End of the names of the locks.
const LOCK_SUFFIX: &str = ".lock";

/// The directory of the process's temporary files; removed when this value is dropped.
#[derive(Debug)]
pub struct TemporaryDirectory {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl TemporaryDirectory {
    /// Creates the directory in this one, and removes those that killed processes left there.
    /// # Errors
    /// Returns the I/O error.
    pub fn create(parent: &Path) -> io::Result<Self> {
        let failed = |error| io::Error::other(format!("cannot write temporary files to {}: {error}", parent.display()));
        remove_abandoned(parent);
        let path = parent.join(format!("{PREFIX}{:016x}", rand::random::<u64>()));
        let lock_path = lock_path(&path);
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock_path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        Ok(Self { path, lock_path, _lock: lock })
    }

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next process.
        if fs::remove_dir_all(&self.path).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Age from which a file that is still incomplete is no longer being written: more than the time limit of any upload.
const INCOMPLETE_TTL: Duration = Duration::from_secs(3600);

/// Removes incomplete files from the directory of the storage and those below it, and returns their number. The storage
/// writes a file under its name with `#` and a number, and renames it when it is complete.
pub(super) fn remove_incomplete_files(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_incomplete_files(&entry.path())?;
        } else if is_incomplete(&entry.file_name()) && is_old(&entry)? {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn is_incomplete(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.rsplit_once('#'));
    number.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_old(entry: &DirEntry) -> io::Result<bool> {
    Ok(entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age > INCOMPLETE_TTL))
}

fn lock_path(directory: &Path) -> PathBuf {
    let mut path = directory.as_os_str().to_owned();
    path.push(LOCK_SUFFIX);
    path.into()
}

/// Removes the directories of processes that were killed. Those of other accounts cannot be opened, and are left.
fn remove_abandoned(parent: &Path) {
    let names =
        fs::read_dir(parent).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| name.starts_with(PREFIX)) {
        let Some(directory) = name.strip_suffix(LOCK_SUFFIX).map(|name| parent.join(name)) else { continue };
        let lock = OpenOptions::new().write(true).open(lock_path(&directory));
        if !lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            continue;
        }
        let removed = match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::remove_file(lock_path(&directory)),
        };
        match removed {
            Ok(()) => tracing::info!(directory = %directory.display(), "temporary files of a killed process removed"),
            Err(error) => tracing::warn!(%error, directory = %directory.display(), "temporary files are left"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_incomplete_files_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let old = std::time::SystemTime::now() - 2 * INCOMPLETE_TTL;
        fs::create_dir_all(directory.path().join("uploads/7")).unwrap();
        for (name, modified) in [
            ("uploads/7/a#1", old),
            ("uploads/7/b", old),
            ("uploads/7/c#x", old),
            ("d#2", old),
            ("e#3", old + INCOMPLETE_TTL * 2),
        ] {
            let file = File::create(directory.path().join(name)).unwrap();
            file.set_modified(modified).unwrap();
        }
        assert_eq!(remove_incomplete_files(directory.path()).unwrap(), 2);
        let left = |name: &str| directory.path().join(name).exists();
        assert!(left("uploads/7/b") && left("uploads/7/c#x") && left("e#3"));
    }

    #[test]
    fn only_directories_of_running_processes_are_kept() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path();
        let running = TemporaryDirectory::create(parent).unwrap();
        fs::write(running.path().join("upload"), "x").unwrap();
        // A killed process leaves both, and its lock is free.
        let killed = parent.join(format!("{PREFIX}0"));
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join("upload"), "x").unwrap();
        fs::write(lock_path(&killed), "").unwrap();
        fs::write(parent.join("other"), "x").unwrap();
        let next = TemporaryDirectory::create(parent).unwrap();
        assert!(!killed.exists() && !lock_path(&killed).exists());
        assert!(running.path().join("upload").exists());
        drop((running, next));
        let left: Vec<_> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["other"]);
    }
}

//! The account that runs the server: the account of this process, or, because PostgreSQL refuses to run as root, the
//! owner of the data, else `postgres`, else `nobody`.
//! Rule: all PostgreSQL programs are started with [`Account::command`].

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::error::{EmbeddedError, at};

/// A system account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
    /// Whether this process is root and switches to this account for PostgreSQL programs.
    pub must_switch: bool,
}

impl Account {
    /// Determines the account for the cluster in this directory, which does not have to exist.
    pub async fn for_cluster(cluster: &Path) -> Result<Self, EmbeddedError> {
        let me = id("-u", None).await?.ok_or(EmbeddedError::NoAccount)?;
        let owner = fs::metadata(cluster).ok().map(|meta| (meta.uid(), meta.gid()));
        if me != 0 {
            return match owner {
                Some((owner, _)) if owner != me => {
                    Err(EmbeddedError::OtherOwner { cluster: cluster.to_owned(), owner })
                }
                _ => Ok(Self {
                    uid: me,
                    gid: id("-g", None).await?.ok_or(EmbeddedError::NoAccount)?,
                    must_switch: false,
                }),
            };
        }
        if let Some((uid, gid)) = owner.filter(|(uid, _)| *uid != 0) {
            return Ok(Self { uid, gid, must_switch: true });
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id("-u", Some(name)).await?, id("-g", Some(name)).await?) {
                return Ok(Self { uid, gid, must_switch: true });
            }
        }
        Err(EmbeddedError::NoAccount)
    }

    /// Returns a command that runs as this account, in an accessible directory and independent of the caller's
    /// environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        for name in ["PGDATA", "PGPORT", "PGDATESTYLE", "PGCLIENTENCODING", "PGTZ"] {
            command.env_remove(name);
        }
        if self.must_switch {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Returns whether this account can enter the directory, by trying it.
    pub async fn can_enter(&self, directory: &Path) -> Result<bool, EmbeddedError> {
        let mut command = self.command("sh");
        command.args(["-c", r#"cd "$1""#, "sh"]).arg(directory);
        let output = tokio::process::Command::from(command).output().await;
        Ok(output.map_err(at("sh"))?.status.success())
    }
}

/// Returns a number from the `id` program; none if the user does not exist.
async fn id(which: &str, user: Option<&str>) -> Result<Option<u32>, EmbeddedError> {
    let output = tokio::process::Command::new("id").arg(which).args(user).output().await;
    Ok(String::from_utf8_lossy(&output.map_err(at("id"))?.stdout).trim().parse().ok())
}

//! A file received with a request, stored in a temporary file during the request.
//! Rule: the file name is for display only and never used as a path.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::{fs::File, io::AsyncReadExt};

use super::space::Reservation;
use crate::error::Result;

/// A file received with a request. Clones share the temporary file; the last one deletes it.
#[derive(Debug, Clone)]
pub struct ReceivedFile {
    /// File name given by the client, without directories.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    file: Arc<(NamedTempFile, Reservation)>,
}

/// A file that is being received.
pub struct IncomingFile {
    name: String,
    size: u64,
    writer: File,
    file: NamedTempFile,
    reservation: Reservation,
}

impl IncomingFile {
    /// Creates an empty temporary file that only the server's user can read. Its space is reserved while it grows.
    /// # Errors
    /// Returns the I/O error.
    pub fn create(name: &str, reservation: Reservation) -> io::Result<Self> {
        let file = NamedTempFile::new()?;
        let writer = File::from_std(file.reopen()?);
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.chars().filter(|c| !c.is_control()).take(255).collect();
        Ok(Self { name, size: 0, writer, file, reservation })
    }

    /// Appends bytes and returns the total number of bytes.
    /// # Errors
    /// Returns the error of the reservation if there is no space left, or UNAVAILABLE if the file cannot be written.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<u64> {
        self.reservation.grow(bytes.len() as u64)?;
        tokio::io::AsyncWriteExt::write_all(&mut self.writer, bytes).await.map_err(super::unavailable)?;
        self.size += bytes.len() as u64;
        Ok(self.size)
    }

    /// Completes the file.
    /// # Errors
    /// Returns the I/O error.
    pub async fn finish(mut self) -> io::Result<ReceivedFile> {
        tokio::io::AsyncWriteExt::flush(&mut self.writer).await?;
        Ok(ReceivedFile { name: self.name, size: self.size, file: Arc::new((self.file, self.reservation)) })
    }
}

impl ReceivedFile {
    /// Opens the file at its beginning.
    /// # Errors
    /// Returns the I/O error.
    pub fn open(&self) -> io::Result<File> {
        Ok(File::from_std(self.file.0.reopen()?))
    }

    /// Returns the path of the temporary file, which exists as long as this value or a clone of it.
    pub fn path(&self) -> &Path {
        self.file.0.path()
    }

    /// Reads the whole file.
    /// # Errors
    /// Returns the I/O error.
    pub async fn bytes(&self) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        self.open()?.read_to_end(&mut bytes).await?;
        Ok(bytes.into())
    }
}

/// Returns the SHA-256 of a local file, which is read in chunks.
/// # Errors
/// Returns the I/O error.
pub fn sha256(file: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hash, mut part) = (fs::File::open(file)?, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&part[..read]),
        }
    }
}

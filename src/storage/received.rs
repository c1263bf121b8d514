//! A file that came with a request, kept on disk while the request lasts.
//! Rule: its name is for people; no path is ever made of it.

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

/// A file that came with a request. Clones share it; the last one deletes it.
#[derive(Debug, Clone)]
pub struct ReceivedFile {
    /// What the client calls it: the last part of its path.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    file: Arc<NamedTempFile>,
}

/// A file that is still coming.
pub struct IncomingFile {
    name: String,
    size: u64,
    writer: File,
    file: NamedTempFile,
}

impl IncomingFile {
    /// An empty file, which nobody else on this machine may read.
    /// # Errors
    /// Those of the disk.
    pub fn create(name: &str) -> io::Result<Self> {
        let file = NamedTempFile::new()?;
        let writer = File::from_std(file.reopen()?);
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.chars().filter(|c| !c.is_control()).take(255).collect();
        Ok(Self { name, size: 0, writer, file })
    }

    /// Adds bytes: how many there are now.
    /// # Errors
    /// Those of the disk.
    pub async fn add(&mut self, bytes: &[u8]) -> io::Result<u64> {
        tokio::io::AsyncWriteExt::write_all(&mut self.writer, bytes).await?;
        self.size += bytes.len() as u64;
        Ok(self.size)
    }

    /// All of it came.
    /// # Errors
    /// Those of the disk.
    pub async fn finish(mut self) -> io::Result<ReceivedFile> {
        tokio::io::AsyncWriteExt::flush(&mut self.writer).await?;
        Ok(ReceivedFile { name: self.name, size: self.size, file: Arc::new(self.file) })
    }
}

impl ReceivedFile {
    /// The file, from its beginning.
    /// # Errors
    /// Those of the disk.
    pub fn open(&self) -> io::Result<File> {
        Ok(File::from_std(self.file.reopen()?))
    }

    /// Where it lies on this disk, while there is a clone of this.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// All of its bytes.
    /// # Errors
    /// Those of the disk.
    pub async fn bytes(&self) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        self.open()?.read_to_end(&mut bytes).await?;
        Ok(bytes.into())
    }
}

/// The SHA-256 of a file of this disk, which is read in pieces.
/// # Errors
/// Those of the disk.
pub fn sha256(file: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hash, mut part) = (fs::File::open(file)?, Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&part[..read]),
        }
    }
}

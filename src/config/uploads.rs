//! Settings for the space that uploads may take.

use clap::Args;

/// Settings for the space of uploads.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Files")]
pub struct UploadSettings {
    /// Maximum total size of the files of all multipart requests in progress, in bytes. They are temporary files.
    #[arg(long = "upload-space-bytes", env = "SOUK_UPLOAD_SPACE_BYTES", default_value_t = 1 << 30, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub space: u64,

    /// Maximum total size of the files of a user's multipart requests in progress, in bytes.
    #[arg(long = "user-upload-space-bytes", env = "SOUK_USER_UPLOAD_SPACE_BYTES", default_value_t = 256 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub space_per_user: u64,

    /// Maximum total size of the files that a user uploads in advance, through signed URLs of this server, in bytes. They
    /// are kept for a day.
    #[arg(long = "user-kept-upload-bytes", env = "SOUK_USER_KEPT_UPLOAD_BYTES", default_value_t = 4 << 30, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub kept_per_user: u64,
}

//! File storage: a directory, memory, and a server that speaks the S3 protocol.

mod local;
mod s3;
mod slow;

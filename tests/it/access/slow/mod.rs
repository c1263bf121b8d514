//! Slow tests of access: they start server processes, or measure how long a login takes.

mod jwt_key_files;
mod login_timing;

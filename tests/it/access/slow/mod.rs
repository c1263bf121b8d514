//! Slow tests of access: they start servers of their own, or measure how long a login takes.

mod jwt_key_files;
mod login_timing;

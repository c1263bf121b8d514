//! Users: their addresses, email addresses and phone numbers. Accounts and sessions are tested in `access`.

mod addresses;
mod contacts;

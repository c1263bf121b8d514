//! Who asks, and what they may: password hashes, the JWT and its claims, the viewer, permissions and scopes.
//! Rule: the code checks permissions and scopes; who holds which permission is data.

mod jwt;
mod keys;
mod live;
mod origin;
mod password;
pub mod secret;
mod viewer;

pub use self::{
    jwt::{Issued, JwtKeys, Key, KeyError, SOUK, TokenError},
    keys::{KnownKey, KnownKeys},
    live::{Grant, Live, News},
    origin::{Origin, VisitorKey},
    password::{PasswordCost, Passwords},
    viewer::{GuestKey, Holder, Identity, Permission, Permissions, Scope, Via, Viewer},
};

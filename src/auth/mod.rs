//! Who asks, and what they may: password hashes, the JWT and its claims, the viewer, permissions and scopes.
//! Rule: the code checks permissions and scopes; who holds which permission is data.

mod jwt;
mod api_key_cache;
mod permission_cache;
mod origin;
mod password;
pub mod secret;
mod viewer;

pub use self::{
    jwt::{IssuedToken, JwtKeys, JwtKey, JwtKeyError, DEFAULT_ISSUER_AND_AUDIENCE, TokenError},
    api_key_cache::{CachedApiKey, ApiKeyCache},
    permission_cache::{Grant, PermissionCache, PermissionChanges},
    origin::{RequestOrigin, VisitorKey},
    password::{PasswordCost, Passwords},
    viewer::{GuestKey, Holder, Identity, Permission, Permissions, Scope, AuthMethod, Viewer},
};

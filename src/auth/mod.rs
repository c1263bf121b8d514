//! Who asks, and what they may: password hashes, the JWT and its claims, the viewer, permissions and scopes.
//! Rule: the code checks permissions and scopes; who holds which permission is data.

mod api_key_cache;
mod jwt;
mod origin;
mod password;
mod permission_cache;
pub mod secret;
mod viewer;

pub use self::{
    api_key_cache::{ApiKeyCache, CachedApiKey},
    jwt::{DEFAULT_ISSUER_AND_AUDIENCE, IssuedToken, JwtKey, JwtKeyError, JwtKeys, TokenError},
    origin::{RequestOrigin, VisitorKey},
    password::{PasswordCost, Passwords},
    permission_cache::{Grant, PermissionCache, PermissionChanges},
    viewer::{AuthMethod, GuestKey, Holder, Identity, Permission, Permissions, Scope, Viewer},
};

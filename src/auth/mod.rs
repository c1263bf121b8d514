//! Authentication and authorization: password hashes, access tokens, the viewer, permissions and scopes.
//! Rule: code checks permissions and scopes; which role has which permission is data.

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
    origin::{NetworkHasher, NetworkKey, RequestOrigin, VisitorKey, network},
    password::{PasswordCost, Passwords},
    permission_cache::{Grant, PermissionCache, PermissionChanges},
    viewer::{AuthMethod, GuestKey, Holder, Identity, Permission, Permissions, Scope, Viewer},
};

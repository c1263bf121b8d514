//! A key that signs and verifies access tokens: a secret, or a key pair loaded from a file.
//! Rule: the type of a key determines its algorithm. An unusable key is rejected at startup, with its file name and the
//! reason.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, crypto,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use sha2::{Digest, Sha256};

/// Minimum length of a secret, in characters.
const MIN_SECRET_LENGTH: usize = 32;
/// Sizes of RSA keys, in bits. Smaller keys are weak, larger ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key with its id.
#[derive(Clone)]
pub struct JwtKey {
    id: String,
    algorithm: Algorithm,
    encoding_key: EncodingKey,
    decoding_key: DecodingKey,
    public_jwk: Option<Jwk>,
}

/// The reason why a key file is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SOUK_JWT_KEYS: {0}")]
pub struct JwtKeyError(String);

impl JwtKeyError {
    pub(super) fn duplicate_id(id: &str) -> Self {
        Self(format!("two keys have the id `{id}`: the file name without its extension is the key id"))
    }
}

impl JwtKey {
    /// Creates an HS256 key from a secret; its id is derived from the secret's hash.
    pub fn from_secret(secret: &str) -> Self {
        let digest = Sha256::digest(secret.as_bytes());
        Self::with_id(hex::encode(&digest[..4]), secret)
    }

    fn with_id(id: String, secret: &str) -> Self {
        Self {
            id,
            algorithm: Algorithm::HS256,
            encoding_key: EncodingKey::from_secret(secret.as_bytes()),
            decoding_key: DecodingKey::from_secret(secret.as_bytes()),
            public_jwk: None,
        }
    }

    /// Loads a key from a file. A `.pem` file holds a private key, any other file a secret; the file name without its
    /// extension is the key id.
    /// # Errors
    /// Returns [`JwtKeyError`] if the file cannot be read or holds no usable key.
    pub fn load(file: &Path) -> Result<Self, JwtKeyError> {
        let refused = |rule: String| JwtKeyError(format!("{}: {rule}", file.display()));
        let id = file.file_stem().and_then(|stem| stem.to_str());
        let id = id.ok_or_else(|| refused("the file name cannot be used as a key id".to_owned()))?.to_owned();
        let text = fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
        warn_if_world_readable(file);
        let is_pem = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pem"));
        if is_pem {
            Self::from_pem(id, &text).map_err(refused)
        } else {
            Self::from_secret_file(id, text.trim()).map_err(refused)
        }
    }

    fn from_secret_file(id: String, secret: &str) -> Result<Self, String> {
        if secret.starts_with("-----BEGIN") {
            return Err("the file holds a key pair; its name must end in .pem".to_owned());
        }
        if secret.chars().count() < MIN_SECRET_LENGTH {
            return Err(format!("a secret must have at least {MIN_SECRET_LENGTH} characters"));
        }
        Ok(Self::with_id(id, secret))
    }

    fn from_pem(id: String, pem: &str) -> Result<Self, String> {
        if !pem.contains("-----BEGIN PRIVATE KEY-----") {
            return Err("a .pem file must hold a PKCS#8 private key without a passphrase, \
                        which begins with -----BEGIN PRIVATE KEY-----"
                .to_owned());
        }
        let (encoding_key, algorithm) = if let Ok(key) = EncodingKey::from_ed_pem(pem.as_bytes()) {
            (key, Algorithm::EdDSA)
        } else if let Ok(key) = EncodingKey::from_rsa_pem(pem.as_bytes()) {
            (key, Algorithm::RS256)
        } else {
            return Err("the key must be an Ed25519 or an RSA key".to_owned());
        };
        let unfit = |_| "the private key is damaged or has an unsupported form".to_owned();
        let mut public = Jwk::from_encoding_key(&encoding_key, algorithm).map_err(unfit)?;
        if let Some(bits) = rsa_bits(&public).filter(|bits| !RSA_BITS.contains(bits)) {
            let (min, max) = RSA_BITS.into_inner();
            return Err(format!("an RSA key must have {min} to {max} bits; this one has {bits}"));
        }
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let decoding_key = DecodingKey::from_jwk(&public).map_err(unfit)?;
        // Find out at startup, not at the first login.
        let signature = crypto::sign(b"souk", &encoding_key, algorithm).map_err(unfit)?;
        match crypto::verify(&signature, b"souk", &decoding_key, algorithm) {
            Ok(true) => Ok(Self { id, algorithm, encoding_key, decoding_key, public_jwk: Some(public) }),
            _ => Err("the private and public key do not match".to_owned()),
        }
    }

    /// Returns the key id, `kid` in tokens.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn encoding_key(&self) -> &EncodingKey {
        &self.encoding_key
    }

    pub(super) fn decoding_key(&self) -> &DecodingKey {
        &self.decoding_key
    }

    /// Returns the public key; none for a secret.
    pub(super) fn public_jwk(&self) -> Option<&Jwk> {
        self.public_jwk.as_ref()
    }
}

/// Returns the size of an RSA key in bits; none for other keys.
fn rsa_bits(public: &Jwk) -> Option<usize> {
    let AlgorithmParameters::RSA(parameters) = &public.algorithm else { return None };
    let modulus = URL_SAFE_NO_PAD.decode(&parameters.n).ok()?;
    let first = modulus.first()?;
    Some(modulus.len() * 8 - first.leading_zeros() as usize)
}

fn warn_if_world_readable(file: &Path) {
    if fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        tracing::warn!(file = %file.display(), "key file is readable by all users; run chmod 600 on it");
    }
}

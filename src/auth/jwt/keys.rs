//! A key that signs and checks tokens: a secret, or a key pair from a file.
//! Rule: what a key is decides its algorithm; a key that will not do is refused at the start, with its file and the rule.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, crypto,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use sha2::{Digest, Sha256};

/// Shortest secret, in characters.
const MIN_SECRET_LENGTH: usize = 32;
/// Sizes of RSA keys, in bits: below they are weak, above they only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key and its id.
#[derive(Clone)]
pub struct JwtKey {
    id: String,
    algorithm: Algorithm,
    encoding_key: EncodingKey,
    decoding_key: DecodingKey,
    public_jwk: Option<Jwk>,
}

/// Why a key is refused: the file and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SOUK_JWT_KEYS: {0}")]
pub struct JwtKeyError(String);

impl JwtKeyError {
    pub(super) fn duplicate_id(id: &str) -> Self {
        Self(format!("two keys have the id `{id}`: a file's name without its ending is the id of its key"))
    }
}

impl JwtKey {
    /// A secret (HS256); its id comes from its hash.
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

    /// The key in a file, whose name without its ending is the id: a `.pem` file holds a private key, any other a secret.
    /// # Errors
    /// [`JwtKeyError`] for a file that cannot be read, or that holds no key for tokens.
    pub fn load(file: &Path) -> Result<Self, JwtKeyError> {
        let refused = |rule: String| JwtKeyError(format!("{}: {rule}", file.display()));
        let id = file.file_stem().and_then(|stem| stem.to_str());
        let id = id.ok_or_else(|| refused("the file's name is no id for a key".to_owned()))?.to_owned();
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
            return Err("it looks like a key pair, and such a file ends in .pem".to_owned());
        }
        if secret.chars().count() < MIN_SECRET_LENGTH {
            return Err(format!("a secret has at least {MIN_SECRET_LENGTH} characters"));
        }
        Ok(Self::with_id(id, secret))
    }

    fn from_pem(id: String, pem: &str) -> Result<Self, String> {
        if !pem.contains("-----BEGIN PRIVATE KEY-----") {
            return Err("a .pem file holds a private key in PKCS#8 without a passphrase, \
                        and begins with -----BEGIN PRIVATE KEY-----"
                .to_owned());
        }
        let (encoding_key, algorithm) = if let Ok(key) = EncodingKey::from_ed_pem(pem.as_bytes()) {
            (key, Algorithm::EdDSA)
        } else if let Ok(key) = EncodingKey::from_rsa_pem(pem.as_bytes()) {
            (key, Algorithm::RS256)
        } else {
            return Err("it is neither an Ed25519 nor an RSA key".to_owned());
        };
        let unfit = |_| "the private key is damaged, or of a form that cannot be used".to_owned();
        let mut public = Jwk::from_encoding_key(&encoding_key, algorithm).map_err(unfit)?;
        if let Some(bits) = rsa_bits(&public).filter(|bits| !RSA_BITS.contains(bits)) {
            let (min, max) = RSA_BITS.into_inner();
            return Err(format!("an RSA key has {min} to {max} bits, and this one {bits}"));
        }
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let decoding_key = DecodingKey::from_jwk(&public).map_err(unfit)?;
        // Better now than at the first login.
        let signature = crypto::sign(b"souk", &encoding_key, algorithm).map_err(unfit)?;
        match crypto::verify(&signature, b"souk", &decoding_key, algorithm) {
            Ok(true) => Ok(Self { id, algorithm, encoding_key, decoding_key, public_jwk: Some(public) }),
            _ => Err("its two halves do not belong together".to_owned()),
        }
    }

    /// The key's id, `kid` in a token.
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

    /// The public half; none of a secret.
    pub(super) fn public_jwk(&self) -> Option<&Jwk> {
        self.public_jwk.as_ref()
    }
}

/// The size of an RSA key; none of another.
fn rsa_bits(public: &Jwk) -> Option<usize> {
    let AlgorithmParameters::RSA(parameters) = &public.algorithm else { return None };
    let modulus = URL_SAFE_NO_PAD.decode(&parameters.n).ok()?;
    let first = modulus.first()?;
    Some(modulus.len() * 8 - first.leading_zeros() as usize)
}

fn warn_if_world_readable(file: &Path) {
    if fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        tracing::warn!(file = %file.display(), "everybody on this machine can read this key: chmod 600");
    }
}

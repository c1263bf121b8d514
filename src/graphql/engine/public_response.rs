//! A response that is the same for everyone: anonymous clients got it, without errors, and everything that it was made of is
//! known.
//! Rule: it is never changed. Its forms for transports are made once and kept with it.

use std::{
    fmt::{self, Write},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    auth::RequestOrigin,
    cache::{Effect, Tags},
};

/// What comes before and after the data in the body.
const FRAME: (&[u8], &[u8]) = (b"{\"data\":", b"}");

/// Size of an effect without its values, in bytes.
const EFFECT_BYTES: usize = 300;
/// Size of an effect's values, as a multiple of its text.
const EFFECT_FACTOR: usize = 4;

/// Maximum length of a key, in bytes. Requests with longer variables are unlikely to be repeated.
const MAX_KEY: usize = 4 * 1024;

/// Number of bytes of the hash in an entity tag.
const ETAG_BYTES: usize = 16;

/// What a response depends on besides the data: the request, without what is the same for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResponseKey(Arc<str>);

impl ResponseKey {
    /// Returns the key with this text; none if it is too long.
    pub fn new(text: String) -> Option<Self> {
        (text.len() <= MAX_KEY).then(|| Self(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A response that is the same for everyone.
pub struct PublicResponse {
    body: Bytes,
    complexity: usize,
    tag_list: Box<str>,
    effects: Box<[Effect]>,
    etag: OnceLock<String>,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

/// An encoding in which a response is kept beside the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Brotli.
    Brotli,
    /// gzip.
    Gzip,
}

impl fmt::Debug for PublicResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicResponse").field("tags", &self.tag_list).finish_non_exhaustive()
    }
}

impl PublicResponse {
    /// Creates the response to an operation of this complexity, with this data as JSON text, that depends on these tags.
    pub fn new(data: &[u8], complexity: usize, tags: &Tags, effects: Vec<Effect>) -> Self {
        let body = Bytes::from([FRAME.0, data, FRAME.1].concat());
        let mut list = String::new();
        for tag in tags {
            let _ = write!(list, "{}{tag}", if list.is_empty() { "" } else { " " });
        }
        Self::from_body(body, complexity, list, effects)
    }

    /// Creates a response again from its body and the names of its tags. None if the body is not one of a response.
    pub(super) fn from_parts(body: Bytes, complexity: usize, tag_list: String, effects: Vec<Effect>) -> Option<Self> {
        let is_complete = body.len() > FRAME.0.len() + FRAME.1.len();
        let has_frame = body.starts_with(FRAME.0) && body.ends_with(FRAME.1);
        (is_complete && has_frame).then(|| Self::from_body(body, complexity, tag_list, effects))
    }

    fn from_body(body: Bytes, complexity: usize, tag_list: String, effects: Vec<Effect>) -> Self {
        Self {
            body,
            complexity,
            tag_list: tag_list.into(),
            effects: effects.into(),
            etag: OnceLock::new(),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        }
    }

    /// Returns the whole response as JSON text.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Returns the data as JSON text.
    pub fn data(&self) -> Bytes {
        self.body.slice(FRAME.0.len()..self.body.len() - FRAME.1.len())
    }

    /// Returns the body in an encoding, which is made by `encode` at the first call.
    pub fn encoded(&self, encoding: Encoding, encode: impl FnOnce(&[u8]) -> Vec<u8>) -> Bytes {
        let kept = match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        };
        kept.get_or_init(|| encode(&self.body).into()).clone()
    }

    /// Returns the complexity of the operation.
    pub fn complexity(&self) -> usize {
        self.complexity
    }

    /// Returns the names of the tags of what the response was made of, separated by spaces.
    pub fn tag_list(&self) -> &str {
        &self.tag_list
    }

    /// Returns the names of the tags of what the response was made of.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.tag_list.split_ascii_whitespace()
    }

    /// Returns the weak entity tag of the response: a hash of its body.
    pub fn etag(&self) -> &str {
        self.etag.get_or_init(|| {
            let hash = Sha256::digest(&self.body);
            format!("W/\"{}\"", hex::encode(&hash[..ETAG_BYTES]))
        })
    }

    /// Does what happens besides the response each time that the operation runs. Returns how many things that were.
    pub fn repeat_effects(&self, origin: &RequestOrigin) -> u32 {
        self.effects.iter().for_each(|effect| (effect.run)(origin));
        u32::try_from(self.effects.len()).unwrap_or(u32::MAX)
    }

    /// Returns the texts of the effects.
    pub(super) fn effects(&self) -> impl Iterator<Item = &str> {
        self.effects.iter().map(|effect| &*effect.text)
    }

    /// Returns the memory that the response takes besides its body, in bytes, about. The values of an effect take several
    /// times the size of their text.
    pub(super) fn extra_bytes(&self) -> usize {
        self.tag_list.len() + self.effects().map(|text| EFFECT_BYTES + EFFECT_FACTOR * text.len()).sum::<usize>()
    }
}

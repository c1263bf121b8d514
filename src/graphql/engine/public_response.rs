//! A response that is the same for everyone: anonymous clients got it, without errors, and everything that it was made of is
//! known.
//! Rule: it is never changed. Its forms for transports are made once and kept with it.

use std::{
    fmt::{self, Write},
    sync::OnceLock,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    auth::RequestOrigin,
    cache::{Effect, Tag, Tags},
};

/// What comes before and after the data in the body.
const FRAME: (&[u8], &[u8]) = (b"{\"data\":", b"}");

/// Number of bytes of the hash in an entity tag.
const ETAG_BYTES: usize = 16;

/// A response that is the same for everyone.
pub struct PublicResponse {
    body: Bytes,
    complexity: usize,
    tags: Box<[Tag]>,
    effects: Box<[Effect]>,
    etag: OnceLock<String>,
    tag_list: OnceLock<String>,
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
        f.debug_struct("PublicResponse").field("tags", &self.tags).finish_non_exhaustive()
    }
}

impl PublicResponse {
    /// Creates the response to an operation of this complexity, with this data as JSON text, that depends on these tags.
    pub fn new(data: &[u8], complexity: usize, tags: Tags, effects: Vec<Effect>) -> Self {
        let body = Bytes::from([FRAME.0, data, FRAME.1].concat());
        Self {
            body,
            complexity,
            tags: tags.into_iter().collect(),
            effects: effects.into(),
            etag: OnceLock::new(),
            tag_list: OnceLock::new(),
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

    /// Returns what the response was made of.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Returns the names of the tags, separated by spaces.
    pub fn tag_list(&self) -> &str {
        self.tag_list.get_or_init(|| {
            let mut list = String::new();
            for tag in &self.tags {
                let _ = write!(list, "{}{tag}", if list.is_empty() { "" } else { " " });
            }
            list
        })
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

    /// Returns the memory that the effects take, in bytes.
    pub fn effect_bytes(&self) -> usize {
        self.effects.iter().map(|effect| effect.bytes).sum()
    }
}

//! Sealed sort keys: the keys of rows whose value clients may not read, encrypted with a key that only the servers know.
//! Rule: a sealed key is valid for its list and row only, so that clients can neither read nor choose a key.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Cursor, SortKey};

/// Length of the tag, in bytes.
const TAG: usize = 16;
/// Length of a rank, in bytes.
const RANK: usize = 4;

/// Encrypts and authenticates sort keys. The tag is derived from the key, the row and the list, and the encryption from
/// the tag (as in the SIV modes of RFC 5297): the same row has the same cursor on all servers, and no random number is
/// needed.
#[derive(Clone)]
pub struct CursorSeal(Hmac<Sha256>);

impl CursorSeal {
    /// Creates a seal with this secret key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"))
    }

    /// Returns the cursor of a row whose sort key is a rank that clients may not read.
    pub fn cursor(&self, list: &'static str, rank: f32, id: i64) -> Cursor {
        let bits = rank.to_be_bytes();
        let tag = &self.tag(list, id, bits).finalize().into_bytes()[..TAG];
        let sealed = [tag, &self.mask(tag, bits)].concat();
        Cursor::new(list, SortKey::Sealed(URL_SAFE_NO_PAD.encode(sealed)), id)
    }

    /// Returns the rank in a cursor; none if the cursor was not sealed with this key for its list and row.
    pub fn rank(&self, cursor: &Cursor) -> Option<f32> {
        let SortKey::Sealed(text) = &cursor.key else { return None };
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, bits) = sealed.split_at_checked(TAG)?;
        let bits = self.mask(tag, bits.try_into().ok()?);
        // Constant-time comparison.
        self.tag(&cursor.list, cursor.id, bits).verify_truncated_left(tag).ok()?;
        Some(f32::from_be_bytes(bits))
    }

    /// Returns a text that clients can neither read nor choose, for a list.
    pub fn seal(&self, list: &str, text: &[u8]) -> Vec<u8> {
        let tag = &self.text_tag(list, text).finalize().into_bytes()[..TAG];
        [tag, &self.mask_text(tag, text)].concat()
    }

    /// Returns the text that was sealed with this key for a list; none if it was not.
    pub fn open(&self, list: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (tag, masked) = sealed.split_at_checked(TAG)?;
        let text = self.mask_text(tag, masked);
        // Constant-time comparison.
        self.text_tag(list, &text).verify_truncated_left(tag).ok()?;
        Some(text)
    }

    /// The text comes last, because its length varies.
    fn text_tag(&self, list: &str, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [b"text".as_slice(), &(list.len() as u64).to_be_bytes(), list.as_bytes(), text] {
            mac.update(part);
        }
        mac
    }

    /// Encrypts a text, or decrypts it: each part with a mask of its own.
    fn mask_text(&self, tag: &[u8], text: &[u8]) -> Vec<u8> {
        let parts = (0_u64..).zip(text.chunks(32)).flat_map(|(number, part)| {
            let mut mac = self.0.clone();
            for part in [b"text mask".as_slice(), tag, &number.to_be_bytes()] {
                mac.update(part);
            }
            let mask = mac.finalize().into_bytes();
            part.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<_>>()
        });
        parts.collect()
    }

    /// The list comes last, because only its length varies.
    fn tag(&self, list: &str, id: i64, bits: [u8; RANK]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [b"tag".as_slice(), &id.to_be_bytes(), &bits, list.as_bytes()] {
            mac.update(part);
        }
        mac
    }

    /// Encrypts the bits of a rank, or decrypts them.
    fn mask(&self, tag: &[u8], mut bits: [u8; RANK]) -> [u8; RANK] {
        let mut mac = self.0.clone();
        mac.update(b"mask");
        mac.update(tag);
        for (bit, mask) in bits.iter_mut().zip(mac.finalize().into_bytes()) {
            *bit ^= mask;
        }
        bits
    }
}

impl fmt::Debug for CursorSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorSeal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paging::{Page, PageArgs};

    /// Returns the cursor as a client sends it back.
    fn sent(list: &'static str, cursor: &Cursor) -> Cursor {
        let args = PageArgs { after: Some(cursor.to_string()), ..PageArgs::default() };
        Page::new(list, args).unwrap().after.unwrap()
    }

    #[test]
    fn sealed_ranks_are_read_with_the_same_key_only() {
        let (seal, other) = (CursorSeal::new([1; 32]), CursorSeal::new([2; 32]));
        for rank in [0.0, 0.7, 6.9, -1.5, f32::MIN_POSITIVE] {
            let cursor = seal.cursor("search:rank", rank, 7);
            assert_eq!(cursor, seal.cursor("search:rank", rank, 7));
            let cursor = sent("search:rank", &cursor);
            assert_eq!(seal.rank(&cursor), Some(rank));
            assert_eq!(CursorSeal::new([1; 32]).rank(&cursor), Some(rank), "another server");
            assert_eq!(other.rank(&cursor), None);
        }
    }

    #[test]
    fn sealed_texts_are_read_with_the_same_key_and_list_only() {
        let (seal, other) = (CursorSeal::new([1; 32]), CursorSeal::new([2; 32]));
        for length in [0, 1, 31, 32, 33, 200] {
            let text = vec![b'x'; length];
            let sealed = seal.seal("events", &text);
            assert_eq!(sealed.len(), TAG + length);
            assert!(length < 8 || !sealed.windows(8).any(|part| part == b"xxxxxxxx"));
            assert_eq!(seal.open("events", &sealed), Some(text));
            assert_eq!((seal.open("others", &sealed), other.open("events", &sealed)), (None, None));
            for index in [0, sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[index] ^= 1;
                assert_eq!(seal.open("events", &changed), None);
            }
        }
    }

    #[test]
    fn sealed_ranks_belong_to_a_list_and_a_row() {
        let seal = CursorSeal::new([1; 32]);
        let SortKey::Sealed(text) = seal.cursor("search:rank", 0.7, 7).key else { panic!("not sealed") };
        let rank = |list, text: &str, id| seal.rank(&Cursor::new(list, SortKey::Sealed(text.to_owned()), id));
        assert_eq!(rank("search:rank", &text, 7), Some(0.7));
        assert_eq!(rank("search:rank", &text, 8), None);
        assert_eq!(rank("search:popularity", &text, 7), None);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            // The last character has two bits that mean nothing; with them set, the text is rejected.
            assert_eq!(rank("search:rank", std::str::from_utf8(&changed).unwrap(), 7), None, "character {at}");
        }
        for bad in ["", "A", "AAAA", &text[1..], &format!("{text}A"), &format!("{text}AAAA"), "ä"] {
            assert_eq!(rank("search:rank", bad, 7), None, "{bad}");
        }
        assert_eq!(seal.rank(&Cursor::new("search:rank", SortKey::Int(7), 7)), None);
    }

    #[test]
    fn equal_ranks_look_different_in_each_row() {
        let seal = CursorSeal::new([1; 32]);
        let keys = (0..100).map(|id| match seal.cursor("search:popularity", 2.5, id).key {
            SortKey::Sealed(text) => URL_SAFE_NO_PAD.decode(text).unwrap()[TAG..].to_vec(),
            key => panic!("{key:?}"),
        });
        assert_eq!(keys.collect::<std::collections::HashSet<_>>().len(), 100);
    }
}

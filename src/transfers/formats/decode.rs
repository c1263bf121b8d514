//! Bytes of a file as UTF-8, whatever encoding its first bytes tell.
//! Rule: UTF-16 is known by its byte order mark; Windows-1252 is never guessed, because any byte is a letter there.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How the bytes of a file become letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-16 where a byte order mark says so, else UTF-8.
    #[default]
    Unicode,
    /// What Western European Windows programs write without asking.
    Windows1252,
}

const CHUNK: usize = 64 * 1024;

/// A reader that gives UTF-8 without a byte order mark. Bytes that are no UTF-8 in a file that should be pass unchanged:
/// whoever reads the line refuses it.
pub struct DecodingReader<R> {
    input: R,
    encoding: Encoding,
    /// None until the first bytes are seen; then none within for what is UTF-8 already.
    decoder: Option<Option<Decoder>>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    consumed: usize,
    at_end: bool,
}

impl<R: Read> DecodingReader<R> {
    /// Over a file from its beginning.
    pub fn new(input: R, encoding: Encoding) -> Self {
        Self { input, encoding, decoder: None, raw: Vec::new(), ready: Vec::new(), consumed: 0, at_end: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.consumed = 0;
        while self.ready.is_empty() && !self.at_end {
            self.raw.resize(CHUNK, 0);
            let mut read = read_uninterrupted(&mut self.input, &mut self.raw)?;
            self.at_end = read == 0;
            if self.decoder.is_none() {
                // Three bytes tell every mark, and a reader may give one at a time.
                while read < 3 && !self.at_end {
                    let more = read_uninterrupted(&mut self.input, &mut self.raw[read..])?;
                    self.at_end = more == 0;
                    read += more;
                }
            }
            self.raw.truncate(read);
            self.decode();
        }
        Ok(())
    }

    fn decode(&mut self) {
        let mut start = 0;
        let decoder = self.decoder.get_or_insert_with(|| {
            let (mark, encoding) = match self.raw.as_slice() {
                [0xef, 0xbb, 0xbf, ..] => (3, None),
                [0xff, 0xfe, ..] => (2, Some(UTF_16LE)),
                [0xfe, 0xff, ..] => (2, Some(UTF_16BE)),
                _ => (0, (self.encoding == Encoding::Windows1252).then_some(WINDOWS_1252)),
            };
            start = mark;
            encoding.map(|encoding| encoding.new_decoder_without_bom_handling())
        });
        match decoder {
            None => self.ready.extend_from_slice(&self.raw[start..]),
            Some(decoder) => {
                // Three bytes of UTF-8 for two of UTF-16 are the most, and a few for what was left over.
                self.ready.resize(self.raw.len() * 3 + 16, 0);
                let (result, _, written, _) = decoder.decode_to_utf8(&self.raw[start..], &mut self.ready, self.at_end);
                debug_assert_eq!(result, CoderResult::InputEmpty);
                self.ready.truncate(written);
            }
        }
    }
}

impl<R: Read> Read for DecodingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.consumed == self.ready.len() {
            self.fill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.consumed);
        buffer[..count].copy_from_slice(&self.ready[self.consumed..self.consumed + count]);
        self.consumed += count;
        Ok(count)
    }
}

/// Reads, and again where a signal got in between.
pub(super) fn read_uninterrupted(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct OneByteReader<'a>(&'a [u8]);

    impl Read for OneByteReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn byte_order_marks_select_the_encoding_and_are_removed() {
        let (unicode, western) = (Encoding::Unicode, Encoding::Windows1252);
        for (bytes, encoding, expected) in [
            (&b"caf\xc3\xa9"[..], unicode, &b"caf\xc3\xa9"[..]),
            (b"\xef\xbb\xbfcaf\xc3\xa9", unicode, b"caf\xc3\xa9"),
            (b"\xef\xbb\xbfcaf\xc3\xa9", western, b"caf\xc3\xa9"),
            (b"\xff\xfec\0a\0f\0\xe9\0", unicode, b"caf\xc3\xa9"),
            (b"\xfe\xff\0c\0a\0f\0\xe9", unicode, b"caf\xc3\xa9"),
            (b"caf\xe9 5 \x80", western, "café 5 €".as_bytes()),
            (b"caf\xe9", unicode, b"caf\xe9"),
            (b"", unicode, b""),
            (b"\xff", western, "ÿ".as_bytes()),
        ] {
            let mut text = Vec::new();
            DecodingReader::new(bytes, encoding).read_to_end(&mut text).unwrap();
            assert_eq!(text, expected, "{bytes:?}");
            text.clear();
            DecodingReader::new(OneByteReader(bytes), encoding).read_to_end(&mut text).unwrap();
            assert_eq!(text, expected, "{bytes:?}, byte by byte");
        }
    }
}

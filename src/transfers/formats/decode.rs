//! Decodes a file to UTF-8; the encoding is detected from its first bytes.
//! Rule: UTF-16 is detected by its byte order mark; Windows-1252 is never guessed, because any bytes are valid in it.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-16 with a byte order mark, otherwise UTF-8.
    #[default]
    Unicode,
    /// The default of Western European Windows programs.
    Windows1252,
}

const CHUNK: usize = 64 * 1024;

/// A reader that returns UTF-8 without a byte order mark. Invalid UTF-8 is passed through, so that the reader of the
/// lines can reject the line.
pub struct DecodingReader<R> {
    input: R,
    encoding: Encoding,
    /// None until the first bytes are read; the inner value is none if the file is UTF-8 already.
    decoder: Option<Option<Decoder>>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    consumed: usize,
    at_end: bool,
}

impl<R: Read> DecodingReader<R> {
    /// Creates a reader for a file at its start.
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
                // Three bytes are enough for every byte order mark, but a reader may return one at a time.
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
                // At most three bytes of UTF-8 per two bytes of UTF-16, plus a few for the rest of the previous chunk.
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

/// Reads, and retries after an interrupting signal.
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

    /// Returns one byte at a time.
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

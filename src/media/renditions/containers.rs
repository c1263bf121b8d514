//! The structure of image files, as far as the decoders ignore it.
//! Rule: these functions read markers and chunks from the start of the file; they decode no pixels and trust no length.

use std::borrow::Cow;

/// Markers of JPEG, without their first byte 0xff.
mod marker {
    pub(super) const SOI: u8 = 0xd8;
    pub(super) const EOI: u8 = 0xd9;
    pub(super) const SOS: u8 = 0xda;
    pub(super) const APP0: u8 = 0xe0;
    pub(super) const APP14: u8 = 0xee;
}

/// A complete JPEG image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Jpeg<'a> {
    /// The image, without the data behind it, such as the video of a motion photo.
    pub(super) bytes: &'a [u8],
    /// Whether the image has four components and no Adobe segment. Then 0 means no ink; with the segment it means full
    /// ink, which is what the decoder always assumes.
    pub(super) is_plain_cmyk: bool,
}

/// Returns the JPEG image at the start of a file; none if it has no end. The decoder would fill missing parts with gray.
pub(super) fn jpeg(bytes: &[u8]) -> Option<Jpeg<'_>> {
    let (mut components, mut has_adobe, mut has_scan) = (0, false, false);
    let mut at = bytes.starts_with(&[0xff, marker::SOI]).then_some(2)?;
    loop {
        let (code, start) = next_marker(bytes, at)?;
        match code {
            marker::EOI => {
                let is_plain_cmyk = components == 4 && !has_adobe;
                return has_scan.then_some(Jpeg { bytes: &bytes[..start], is_plain_cmyk });
            }
            // Another image begins before this one has ended, or these are not markers at all.
            0x00 | 0x01 | 0xd0..=marker::SOI => return None,
            _ => {}
        }
        let length = bytes.get(start..start + 2)?;
        at = start + usize::from(u16::from_be_bytes([length[0], length[1]]));
        let segment = bytes.get(start + 2..at)?;
        // A table was cut, and the start of another image fills it. Application data may contain an image: a thumbnail.
        if code < marker::APP0 && segment.windows(3).any(|start| start == [0xff, marker::SOI, 0xff]) {
            return None;
        }
        match code {
            // Start of frame: precision, height, width, number of components. An image has one.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if components == 0 => components = *segment.get(5)?,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return None,
            marker::APP14 => has_adobe |= segment.starts_with(b"Adobe"),
            // Number of components, two bytes for each, three more.
            marker::SOS if segment.len() != 4 + 2 * usize::from(*segment.first()?) => return None,
            marker::SOS => {
                // In the data of a scan, 0xff is followed by 0 or the number of a restart.
                let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
                at += bytes[at..].windows(2).position(ends)?;
                has_scan = true;
            }
            _ => {}
        }
    }
}

/// Returns the code of the next marker and the position after it. Some programs write zeros between segments.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let at = at + bytes.get(at..)?.iter().position(|byte| *byte != 0)?;
    let fill = bytes[at..].iter().position(|byte| *byte != 0xff).filter(|fill| *fill > 0)?;
    Some((bytes[at + fill], at + fill + 1))
}

/// Returns the Exif data of a PNG. It may stand after the pixels, where the decoder does not look for it.
pub(super) fn png_exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(8..)?;
    loop {
        let (length, kind) = (rest.first_chunk::<4>()?, rest.get(4..8)?);
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        match kind {
            b"eXIf" => return rest.get(8..length.checked_add(8)?),
            // The chunk ends with a checksum.
            _ => rest = rest.get(length.checked_add(12)?..)?,
        }
    }
}

/// Returns a WebP file whose header says that it may be transparent if its content may be. Some programs forget to say
/// it; the decoder would show black instead.
pub(super) fn webp_with_alpha_flag(bytes: &[u8]) -> Cow<'_, [u8]> {
    /// Position of the flags in the extended header, which is the first chunk.
    const FLAGS: usize = 20;
    const ALPHA: u8 = 0x10;
    const ANIMATION: u8 = 0x02;
    if bytes.get(12..16) != Some(b"VP8X") {
        return bytes.into();
    }
    match bytes.get(FLAGS) {
        Some(flags) if flags & ALPHA == 0 && (flags & ANIMATION != 0 || has_webp_alpha(bytes)) => {
            let mut bytes = bytes.to_vec();
            bytes[FLAGS] |= ALPHA;
            bytes.into()
        }
        _ => bytes.into(),
    }
}

/// Returns whether the image of an extended WebP file that is not animated has an alpha channel.
fn has_webp_alpha(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let (Some(kind), Some(length)) = (rest.get(..4), rest.get(4..).and_then(|rest| rest.first_chunk::<4>())) {
        match kind {
            b"ALPH" => return true,
            // The fifth byte of lossless data has the flag.
            b"VP8L" => return rest.get(12).is_some_and(|flags| flags & 0x10 != 0),
            _ => {}
        }
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        rest = rest.get(length.saturating_add(length & 1).saturating_add(8)..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::{super::tests::*, *};

    #[test]
    fn jpeg_ends_at_its_own_end() {
        let whole = encoded(&halves(40, 30), ImageFormat::Jpeg);
        let expected = Some(Jpeg { bytes: &whole[..], is_plain_cmyk: false });
        let tails: [&[u8]; 6] = [b"", &[0xff, 0xda, 0, 0], b"....ftypmp42", &whole, &whole[..50], &[0xff]];
        for tail in tails {
            assert_eq!(jpeg(&[&whole[..], tail].concat()), expected, "{tail:?}");
        }
        let padded = [&whole[..2], &[0, 0, 0xff, 0xff], &whole[2..]].concat();
        assert_eq!(jpeg(&padded), Some(Jpeg { bytes: &padded, is_plain_cmyk: false }), "zeros and fill bytes");
    }

    #[test]
    fn cut_jpeg_has_no_end_whatever_follows() {
        let whole = encoded(&halves(40, 30), ImageFormat::Jpeg);
        let frame = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
        for cut in 0..whole.len() {
            assert_eq!(jpeg(&whole[..cut]), None, "{cut}");
            // Before the frame, the other image may take the place of the first, with all of its tables.
            if cut >= frame + 10 {
                assert_eq!(jpeg(&[&whole[..cut], &whole[..]].concat()), None, "{cut} and the whole image");
            }
        }
    }

    #[test]
    fn broken_chunks_are_read_without_panic() {
        let png = encoded(&halves(4, 4), ImageFormat::Png);
        let webp = [&b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"ICCP\xff\xff\xff\xff"].concat();
        for cut in 0..png.len() {
            assert_eq!(png_exif(&png[..cut]), None);
        }
        for cut in 0..webp.len() {
            assert!(matches!(webp_with_alpha_flag(&webp[..cut]), Cow::Borrowed(_)));
        }
        assert_eq!(png_exif(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt"), None);
    }
}

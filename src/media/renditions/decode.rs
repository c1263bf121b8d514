//! Decodes an image to the pixels to show.
//! Rule: the format is detected from the content, never from the name or media type; the header is checked before
//! anything is decoded.

use std::{borrow::Cow, io::Cursor};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, metadata::Orientation};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{
    super::model::SourceFormat,
    ImageError, check_size,
    containers::{jpeg, png_exif, webp_with_alpha_flag},
};

/// Maximum memory of a decoder, in bytes.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;

/// Maximum number of pixels of 16 bits per channel.
const MAX_DEEP_PIXELS: u64 = 16_000_000;

/// Returns the number of pixels according to the header; 0 if it cannot be read.
pub(super) fn pixel_count(bytes: &[u8]) -> u64 {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    size.map_or(0, |(width, height)| u64::from(width) * u64::from(height))
}

/// Returns the displayed pixels of a file: first frame, orientation applied, sRGB, 8-bit RGB or RGBA.
pub(super) fn decode(bytes: &[u8]) -> Result<(SourceFormat, DynamicImage), ImageError> {
    let (kind, format) = match image::guess_format(bytes) {
        Ok(kind @ ImageFormat::Jpeg) => (kind, SourceFormat::Jpeg),
        Ok(kind @ ImageFormat::Png) => (kind, SourceFormat::Png),
        Ok(kind @ ImageFormat::WebP) => (kind, SourceFormat::Webp),
        Ok(kind @ ImageFormat::Gif) => (kind, SourceFormat::Gif),
        _ => return Err(ImageError::UnsupportedFormat),
    };
    let mut is_plain_cmyk = false;
    let bytes = match format {
        SourceFormat::Jpeg => {
            let jpeg = jpeg(bytes).ok_or(ImageError::Damaged)?;
            is_plain_cmyk = jpeg.is_plain_cmyk;
            Cow::Borrowed(jpeg.bytes)
        }
        SourceFormat::Webp => webp_with_alpha_flag(bytes),
        SourceFormat::Png | SourceFormat::Gif => Cow::Borrowed(bytes),
    };
    let damaged = |_| ImageError::Damaged;
    let mut decoder = ImageReader::with_format(Cursor::new(&bytes[..]), kind).into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let orientation = match format {
        SourceFormat::Png => png_exif(&bytes).and_then(Orientation::from_exif_chunk),
        _ => Some(decoder.orientation().map_err(damaged)?),
    };
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            check_size(height, width)?
        }
        _ => check_size(width, height)?,
    }
    let color = decoder.color_type();
    let is_deep = color.bytes_per_pixel() > color.channel_count();
    if is_deep && u64::from(width) * u64::from(height) > MAX_DEEP_PIXELS {
        return Err(ImageError::TooManyDeepPixels(width, height));
    }
    if format == SourceFormat::Jpeg && is_cut(&bytes) {
        return Err(ImageError::Damaged);
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    decoder.set_limits(limits).map_err(damaged)?;
    let profile = decoder.icc_profile().ok().flatten();
    let pixels = match is_plain_cmyk {
        true => decode_plain_cmyk(&bytes, width, height)?,
        false => DynamicImage::from_decoder(decoder).map_err(damaged)?,
    };
    let mut pixels = if pixels.color().has_alpha() {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    };
    if let Some(profile) = profile {
        to_srgb(&mut pixels, &profile);
    }
    pixels.apply_orientation(orientation);
    Ok((format, pixels))
}

/// Returns whether the pixels of a JPEG end early although it has an end marker. The decoder would fill the rest with gray.
/// Without the marker it notices that the data ends; files that break other rules fail either way. Of a progressive image,
/// all rows are there once the first pass is.
fn is_cut(bytes: &[u8]) -> bool {
    // The decoder reads ahead, in a complete image too.
    const PADDING: [u8; 32] = [0; 32];
    const END_MARKER: usize = 2;
    let is_valid = |bytes: &[u8]| JpegDecoder::new_with_options(ZCursor::new(bytes), options(true)).decode().is_ok();
    let endless = [&bytes[..bytes.len().saturating_sub(END_MARKER)], &PADDING].concat();
    !is_valid(&endless) && is_valid(bytes)
}

fn options(is_strict: bool) -> DecoderOptions {
    let side = usize::from(u16::MAX);
    DecoderOptions::default().set_strict_mode(is_strict).set_max_width(side).set_max_height(side)
}

/// Decodes a CMYK JPEG whose values are amounts of ink. `image` takes them for amounts of light, and would show white
/// paper as black.
fn decode_plain_cmyk(bytes: &[u8], width: u32, height: u32) -> Result<DynamicImage, ImageError> {
    let options = options(false).jpeg_set_out_colorspace(ColorSpace::CMYK);
    let decoded = JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode();
    let cmyk = decoded.map_err(|_| ImageError::Damaged)?;
    let light = |ink: u8, black: u8| {
        let light = u16::from(255 - ink) * u16::from(255 - black) / 255;
        u8::try_from(light).unwrap_or(u8::MAX)
    };
    let rgb = cmyk.chunks_exact(4).flat_map(|pixel| [0, 1, 2].map(|color| light(pixel[color], pixel[3])));
    RgbImage::from_raw(width, height, rgb.collect()).map(DynamicImage::from).ok_or(ImageError::Damaged)
}

/// Converts other RGB color spaces, as used by phones, to sRGB. An unreadable profile is ignored.
fn to_srgb(pixels: &mut DynamicImage, profile: &[u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let (layout, samples): (_, &mut [u8]) = match pixels {
        DynamicImage::ImageRgb8(pixels) => (Layout::Rgb, pixels),
        DynamicImage::ImageRgba8(pixels) => (Layout::Rgba, pixels),
        _ => return,
    };
    let srgb = ColorProfile::new_srgb();
    if let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()) {
        let mut shown = vec![0; samples.len()];
        if transform.transform(samples, &mut shown).is_ok() {
            samples.copy_from_slice(&shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::{
        super::{super::model::RenditionFormat, render, tests::*},
        *,
    };

    /// Returns Exif data with an orientation and a place.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        exif.extend(b"secret place");
        exif
    }

    /// Returns a JPEG with an Exif segment inserted after its first two bytes.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let exif = [&b"Exif\0\0"[..], &exif(orientation)].concat();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn orientation_is_applied_and_metadata_removed() {
        // Orientation 6: rotated by 90 degrees.
        let jpeg = with_exif(&encoded(&halves(100, 50), ImageFormat::Jpeg), 6);
        let rendered = render(&jpeg).expect("an image");
        assert_eq!((rendered.width, rendered.height), (50, 100));
        let upright = shown(&rendered, 50, RenditionFormat::Jpeg);
        assert!(upright.get_pixel(25, 10).0[0] > 200 && upright.get_pixel(25, 90).0[2] > 200);
        for file in &rendered.files {
            let has = |text: &[u8]| file.bytes.windows(text.len()).any(|window| window == text);
            assert!(!has(b"Exif") && !has(b"secret place"), "{:?}", file.format);
        }
    }

    #[test]
    fn image_of_16_bits_per_channel_may_have_fewer_pixels() {
        let deep = |width, height| png_bomb(&DynamicImage::new_rgba16(1, 1), width, height);
        assert_eq!(decode(&deep(5_000, 5_000)).err(), Some(ImageError::TooManyDeepPixels(5_000, 5_000)));
        assert_eq!(pixel_count(&deep(5_000, 5_000)), 25_000_000);
        assert_eq!(decode(&deep(4_000, 4_000)).err(), Some(ImageError::Damaged), "its pixels are missing");
        assert!(decode(&encoded(&DynamicImage::new_rgba16(40, 30), ImageFormat::Png)).is_ok());
        assert_eq!(pixel_count(b"no image"), 0);
    }

    #[test]
    fn jpeg_whose_pixels_end_early_is_rejected() {
        let noise = |width, height| {
            let pixel = |x: u32, y: u32| {
                let value = (x * 7919 + y * 104_729) ^ (x * y);
                image::Rgb([(value >> 3) as u8, (value >> 5) as u8, value as u8])
            };
            DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, pixel))
        };
        for pixels in [noise(400, 300), halves(400, 300)] {
            let whole = encoded(&pixels, ImageFormat::Jpeg);
            let half = &whole[..whole.len() / 2];
            let end: &[u8] = &[0xff, 0xd9];
            for (what, file) in [("alone", [half, end].concat()), ("with another", [half, end, &whole].concat())] {
                assert!(matches!(decode(&file), Err(ImageError::Damaged)), "{what}");
            }
        }
        for pixels in [noise(400, 300), noise(1, 1), noise(17, 400), halves(8, 8), halves(640, 16), halves(33, 777)] {
            assert!(decode(&encoded(&pixels, ImageFormat::Jpeg)).is_ok(), "{} x {}", pixels.width(), pixels.height());
        }
    }

    #[test]
    fn orientation_after_the_pixels_of_a_png_is_applied() {
        let png = encoded(&halves(100, 50), ImageFormat::Png);
        let exif = exif(6);
        let length = u32::try_from(exif.len()).unwrap().to_be_bytes();
        let (pixels, end) = png.split_at(png.len() - 12);
        let turned = [pixels, &length, b"eXIf", &exif, &[0; 4], end].concat();
        let (_, pixels) = decode(&turned).expect("an image");
        assert_eq!((pixels.width(), pixels.height()), (50, 100));
        assert_eq!(pixels.to_rgb8().get_pixel(25, 10).0, [255, 0, 0]);
    }

    /// Returns an animated WebP of one frame whose header does not say that it is transparent.
    fn animation(frame: &RgbaImage) -> Vec<u8> {
        let frame_file = encoded(&frame.clone().into(), ImageFormat::WebP);
        let size = [frame.width() - 1, frame.height() - 1].map(|side| side.to_le_bytes());
        let size = [&size[0][..3], &size[1][..3]].concat();
        let chunk = |kind: &[u8; 4], data: &[u8]| {
            [&kind[..], &u32::try_from(data.len()).unwrap().to_le_bytes()[..], data].concat()
        };
        let chunks = [
            &b"WEBP"[..],
            &chunk(b"VP8X", &[&[0x02, 0, 0, 0][..], &size].concat()),
            &chunk(b"ANIM", &[255, 255, 255, 255, 0, 0]),
            // At 0, 0, for 100 ms, without blending.
            &chunk(b"ANMF", &[&[0; 6][..], &size, &[100, 0, 0, 0x02], &frame_file[12..]].concat()),
        ];
        chunk(b"RIFF", &chunks.concat())
    }

    #[test]
    fn animation_without_an_alpha_flag_stays_transparent() {
        let mut frame = RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0]));
        frame.put_pixel(3, 3, Rgba([255, 0, 0, 255]));
        let (_, pixels) = decode(&animation(&frame)).expect("an image");
        assert_eq!(pixels.to_rgba8().get_pixel(3, 3).0, [255, 0, 0, 255]);
        assert_eq!(pixels.to_rgba8().get_pixel(10, 10).0[3], 0);
    }

    /// Returns a JPEG of 8 x 8 pixels with these four values, with or without an Adobe segment.
    fn cmyk_jpeg(values: [u8; 4], has_adobe: bool) -> Vec<u8> {
        let segment = |code: u8, data: &[u8]| {
            [&[0xff, code][..], &u16::try_from(data.len() + 2).unwrap().to_be_bytes(), data].concat()
        };
        let components: Vec<u8> = (1..=4).flat_map(|id| [id, 0x11, 0]).collect();
        let scans: Vec<u8> = (1..=4).flat_map(|id| [id, 0]).collect();
        let counts = |length: usize, count| (1..=16).map(|at| if at == length { count } else { 0 }).collect::<Vec<_>>();
        let categories: Vec<u8> = (0..12).collect();
        let mut bits = String::new();
        for value in values {
            // The mean of a block: its category in 4 bits, then its value, negative ones less one. No other coefficients.
            let mean = i32::from(value) - 128;
            let category = (i32::BITS - mean.abs().leading_zeros()) as usize;
            let coded = if mean < 0 { mean + (1 << category) - 1 } else { mean };
            bits += &format!("{category:04b}");
            bits += &if category == 0 { "0".to_owned() } else { format!("{coded:0category$b}0") };
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        let bytes =
            bits.as_bytes().chunks(8).map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap());
        let scan: Vec<u8> = bytes.flat_map(|byte| if byte == 0xff { vec![byte, 0] } else { vec![byte] }).collect();
        [
            &[0xff, 0xd8][..],
            &if has_adobe { segment(0xee, b"Adobe\0\x64\0\0\0\0\0") } else { Vec::new() },
            &segment(0xdb, &[&[0][..], &[8; 64]].concat()),
            &segment(0xc0, &[&[8, 0, 8, 0, 8, 4][..], &components].concat()),
            &segment(0xc4, &[&[0x00][..], &counts(4, 12), &categories].concat()),
            &segment(0xc4, &[&[0x10][..], &counts(1, 1), &[0]].concat()),
            &segment(0xda, &[&[4][..], &scans, &[0, 63, 0]].concat()),
            &scan,
            &[0xff, 0xd9],
        ]
        .concat()
    }

    #[test]
    fn cmyk_has_its_colors_with_and_without_an_adobe_segment() {
        let table = [
            ("white", [0, 0, 0, 0], [255, 255, 255]),
            ("red", [0, 255, 255, 0], [255, 0, 0]),
            ("gray", [0, 0, 0, 127], [128, 128, 128]),
            ("black", [0, 0, 0, 255], [0, 0, 0]),
        ];
        for (name, ink, expected) in table {
            for (values, has_adobe) in [(ink, false), (ink.map(|value| 255 - value), true)] {
                let (_, pixels) = decode(&cmyk_jpeg(values, has_adobe)).expect("an image");
                let shown = pixels.to_rgb8().get_pixel(4, 4).0;
                let is_near = shown.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3);
                assert!(is_near, "{name}, Adobe {has_adobe}: {shown:?}");
            }
        }
    }

    #[test]
    fn height_limit_is_named() {
        let table = [
            (100, 17_000, Err(ImageError::TooHigh(100, 17_000))),
            (1, 16_384, Err(ImageError::TooHigh(1, 16_384))),
            (1, 16_383, Ok(())),
            (17_000, 100, Ok(())),
            (3_000, 16_600, Ok(())),
            (0, 5, Err(ImageError::Damaged)),
        ];
        for (width, height, expected) in table {
            assert_eq!(check_size(width, height), expected, "{width} x {height}");
        }
        let tall = encoded(&halves(100, 17_000), ImageFormat::Png);
        let rejected = decode(&tall).map(|_| ()).unwrap_err();
        assert_eq!(rejected.to_string(), "the image has 100 x 17000 pixels; the maximum height is 16,383 pixels");
    }

    /// Returns a tiny PNG whose header declares these dimensions.
    /// Returns the PNG of these pixels with another size in its header.
    fn png_bomb(pixels: &DynamicImage, width: u32, height: u32) -> Vec<u8> {
        let mut png = encoded(pixels, ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = png[12..29].iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        });
        png[29..33].copy_from_slice(&(!crc).to_be_bytes());
        png
    }

    #[test]
    fn invalid_images_are_rejected() {
        let jpeg = encoded(&halves(200, 200), ImageFormat::Jpeg);
        let png = encoded(&halves(200, 200), ImageFormat::Png);
        let mut gif = encoded(&halves(2, 2), ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[0x50, 0xc3, 0x50, 0xc3]);
        let mut wide = jpeg.clone();
        let start = wide.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a frame");
        wide[start + 5..start + 9].copy_from_slice(&[0xc3, 0x50, 0xc3, 0x50]);
        let half_and_whole = [&jpeg[..jpeg.len() / 2], &jpeg].concat();
        let table: [(&str, &[u8], ImageError); 14] = [
            ("nothing", b"", ImageError::UnsupportedFormat),
            ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ImageError::UnsupportedFormat),
            ("HTML", b"<!doctype html><script>alert(1)</script>", ImageError::UnsupportedFormat),
            ("PDF", b"%PDF-1.7", ImageError::UnsupportedFormat),
            ("a BMP", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", ImageError::UnsupportedFormat),
            ("HTML that begins like a GIF", b"GIF89a\x10\0\x10\0;<script>alert(1)</script>", ImageError::Damaged),
            ("half a PNG", &png[..png.len() / 2], ImageError::Damaged),
            ("half a JPEG", &jpeg[..jpeg.len() * 3 / 4], ImageError::Damaged),
            ("half a JPEG and a whole one", &half_and_whole, ImageError::Damaged),
            ("the head of a JPEG", &jpeg[..100], ImageError::Damaged),
            (
                "a PNG of 2,500 million pixels",
                &png_bomb(&halves(1, 1), 50_000, 50_000),
                ImageError::TooManyPixels(50_000, 50_000),
            ),
            (
                "a PNG one pixel too large",
                &png_bomb(&halves(1, 1), 50_000_001, 1),
                ImageError::TooManyPixels(50_000_001, 1),
            ),
            ("a GIF of as many", &gif, ImageError::TooManyPixels(50_000, 50_000)),
            ("a JPEG of as many", &wide, ImageError::TooManyPixels(50_000, 50_000)),
        ];
        for (name, bytes, why) in table {
            assert_eq!(render(bytes).map(|_| ()), Err(why), "{name}");
        }
    }
}

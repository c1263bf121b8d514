//! Decodes an image and encodes its renditions. Pure: no database, no storage.
//! Rule: every file is encoded from pixels, so that no metadata and no appended data survives.

mod containers;
mod decode;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fast_image_resize::{PixelType, ResizeOptions, Resizer, images::Image as Pixels};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbaImage, codecs::jpeg::JpegEncoder};

use self::decode::{decode, pixel_count};
use super::model::{RenditionFormat, SourceFormat};

/// Maximum number of pixels: 50 million.
pub const MAX_PIXELS: u64 = 50_000_000;
/// Maximum height of a rendition: the limit of WebP.
const MAX_HEIGHT: u64 = 16_383;
/// Time limit per image.
pub const MAX_TIME: Duration = Duration::from_secs(30);
/// Widths of the renditions in pixels, up to the image's own width.
pub const WIDTHS: [u32; 5] = [160, 320, 640, 1280, 2560];
/// Quality of JPEG and WebP, 0 to 100.
const QUALITY: u8 = 80;

/// An image with its encoded renditions.
#[derive(Debug)]
pub struct RenderedImage {
    /// Format of the original file.
    pub format: SourceFormat,
    /// Displayed width in pixels.
    pub width: u32,
    /// Displayed height in pixels.
    pub height: u32,
    /// BlurHash placeholder shown while the image loads.
    pub blurhash: String,
    /// The files, by ascending width, two per width.
    pub files: Vec<RenditionFile>,
}

/// An encoded rendition.
#[derive(Debug)]
pub struct RenditionFile {
    /// Width in pixels.
    pub width: u32,
    /// Format.
    pub format: RenditionFormat,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

/// Reason why a file is rejected, as a message for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The first bytes match no supported format.
    #[error("the file must be a JPEG, PNG, WebP or GIF image")]
    UnsupportedFormat,
    /// The image has too many pixels.
    #[error("the image has {0} x {1} pixels; the maximum is 50 million pixels")]
    TooManyPixels(u32, u32),
    /// The image has too many pixels of 16 bits per channel, which take twice the memory.
    #[error("the image has {0} x {1} pixels with 16 bits per channel; the maximum is 16 million pixels of these")]
    TooManyDeepPixels(u32, u32),
    /// The largest rendition would be higher than [`MAX_HEIGHT`].
    #[error("the image has {0} x {1} pixels; the maximum height is 16,383 pixels")]
    TooHigh(u32, u32),
    /// The file cannot be decoded completely.
    #[error("the image is damaged or incomplete")]
    Damaged,
    /// Processing took longer than [`MAX_TIME`].
    #[error("the image takes too long to process")]
    TooSlow,
}

/// Returns the widths of the renditions of an image: the standard widths below its own, and its own up to the largest
/// standard width.
pub fn widths(width: u32) -> Vec<u32> {
    let own = width.min(WIDTHS[WIDTHS.len() - 1]);
    WIDTHS.into_iter().filter(|set| *set < own).chain([own]).collect()
}

/// Checks the displayed size of an image against the limits.
fn check_size(width: u32, height: u32) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Damaged);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooManyPixels(width, height));
    }
    let largest = width.min(WIDTHS[WIDTHS.len() - 1]);
    if u64::from(height) * u64::from(largest) / u64::from(width) > MAX_HEIGHT {
        return Err(ImageError::TooHigh(width, height));
    }
    Ok(())
}

/// Images with more pixels are processed one at a time.
const MAX_PARALLEL_PIXELS: u64 = 8_000_000;

/// Held while a large image is processed, so that the memory for images is bounded.
static LARGE_IMAGE: Mutex<()> = Mutex::new(());

/// Decodes an image and encodes its renditions. Takes seconds of processor time; never call it on an async thread.
/// # Errors
/// The reason why the file is rejected.
pub fn render(bytes: &[u8]) -> Result<RenderedImage, ImageError> {
    let is_large = pixel_count(bytes) > MAX_PARALLEL_PIXELS;
    let _alone = is_large.then(|| LARGE_IMAGE.lock().unwrap_or_else(PoisonError::into_inner));
    let deadline = Instant::now() + MAX_TIME;
    let check_deadline = || if Instant::now() < deadline { Ok(()) } else { Err(ImageError::TooSlow) };
    let (format, pixels) = decode(bytes)?;
    check_deadline()?;
    let (width, height) = (pixels.width(), pixels.height());
    let mut files = Vec::new();
    let mut source = pixels;
    // From the largest to the smallest, each resized from the previous one: a third of the cost without visible loss.
    for width in widths(width).into_iter().rev() {
        source = resize(source, width)?;
        check_deadline()?;
        files.push(RenditionFile { width, format: RenditionFormat::Webp, bytes: encode_webp(&source)? });
        check_deadline()?;
        files.push(RenditionFile { width, format: RenditionFormat::Jpeg, bytes: encode_jpeg(&source)? });
        check_deadline()?;
    }
    let blurhash = blurhash(source)?;
    files.reverse();
    Ok(RenderedImage { format, width, height, blurhash, files })
}

/// Keeps a WebP file and the same image in smaller widths, narrowest first, as WebP renditions and encodes a JPEG for each. For
/// files of the program itself: they contain nothing that must not leave, and encoding WebP takes most of the time of [`render`].
/// # Errors
/// The reason why a file is rejected.
pub fn render_trusted(bytes: &[u8], smaller: &[&[u8]]) -> Result<RenderedImage, ImageError> {
    let (mut files, mut narrowest, mut size) = (Vec::new(), None, (0, 0));
    for webp in smaller.iter().copied().chain([bytes]) {
        let (format, pixels) = decode(webp)?;
        if format != SourceFormat::Webp {
            return Err(ImageError::UnsupportedFormat);
        }
        size = (pixels.width(), pixels.height());
        let width = pixels.width();
        files.push(RenditionFile { width, format: RenditionFormat::Webp, bytes: webp.to_vec() });
        files.push(RenditionFile { width, format: RenditionFormat::Jpeg, bytes: encode_jpeg(&pixels)? });
        narrowest.get_or_insert(pixels);
    }
    let (width, height) = size;
    let blurhash = blurhash(narrowest.ok_or(ImageError::Damaged)?)?;
    Ok(RenderedImage { format: SourceFormat::Webp, width, height, blurhash, files })
}

/// Returns the BlurHash of an image.
fn blurhash(pixels: DynamicImage) -> Result<String, ImageError> {
    let width = pixels.width().min(32);
    let small = resize(pixels, width)?.into_rgba8();
    blurhash::encode(4, 3, small.width(), small.height(), small.as_raw()).map_err(|_| ImageError::Damaged)
}

/// Resizes to a width. Opaque images are resized with an alpha channel, too, because the library is compiled for that
/// pixel type only; all types together take a tenth of this crate's compile time.
fn resize(source: DynamicImage, width: u32) -> Result<DynamicImage, ImageError> {
    if source.width() == width {
        return Ok(source);
    }
    let height = u64::from(source.height()) * u64::from(width) / u64::from(source.width());
    let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
    let has_alpha = source.color().has_alpha();
    let from = Pixels::from_vec_u8(source.width(), source.height(), source.into_rgba8().into_vec(), PixelType::U8x4);
    let mut to = Pixels::new(width, height, PixelType::U8x4);
    let options = ResizeOptions::new().use_alpha(has_alpha);
    let from = from.map_err(|_| ImageError::Damaged)?;
    Resizer::new().resize(&from, &mut to, &options).map_err(|_| ImageError::Damaged)?;
    let resized = RgbaImage::from_raw(width, height, to.into_vec()).ok_or(ImageError::Damaged)?;
    let resized = DynamicImage::from(resized);
    Ok(if has_alpha { resized } else { resized.into_rgb8().into() })
}

fn encode_webp(pixels: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (pixels.width(), pixels.height());
    let encoder = match pixels {
        DynamicImage::ImageRgba8(pixels) => webp::Encoder::from_rgba(pixels, width, height),
        pixels => webp::Encoder::from_rgb(pixels.as_bytes(), width, height),
    };
    let encoded = encoder.encode_simple(false, f32::from(QUALITY)).map_err(|_| ImageError::Damaged)?;
    Ok(encoded.to_vec())
}

/// Encodes JPEG, which has no transparency: transparent areas become white.
fn encode_jpeg(pixels: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (pixels.width(), pixels.height());
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let done = match pixels {
        DynamicImage::ImageRgba8(pixels) => {
            let over_white = |c: u8, alpha: u8| {
                let (c, alpha) = (u16::from(c), u16::from(alpha));
                u8::try_from((c * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
            };
            let flat = pixels.pixels().flat_map(|pixel| {
                let [r, g, b, alpha] = pixel.0;
                [r, g, b].map(|c| over_white(c, alpha))
            });
            encoder.write_image(&flat.collect::<Vec<_>>(), width, height, ExtendedColorType::Rgb8)
        }
        pixels => encoder.write_image(pixels.as_bytes(), width, height, ExtendedColorType::Rgb8),
    };
    done.map_err(|_| ImageError::Damaged)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgb, RgbImage, Rgba};

    use super::*;

    pub(super) fn encoded(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        pixels.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// An image with a red left half and a blue right half.
    pub(super) fn halves(width: u32, height: u32) -> DynamicImage {
        let colour = |x| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
        RgbImage::from_fn(width, height, |x, _| colour(x)).into()
    }

    pub(super) fn shown(rendered: &RenderedImage, width: u32, format: RenditionFormat) -> RgbImage {
        let file =
            rendered.files.iter().find(|file| file.width == width && file.format == format).expect("a rendition");
        image::load_from_memory(&file.bytes).expect("an image").into_rgb8()
    }

    #[test]
    fn renditions_are_at_most_as_wide_as_the_original() {
        let table: [(u32, &[u32]); 5] = [
            (1, &[1]),
            (160, &[160]),
            (200, &[160, 200]),
            (2560, &[160, 320, 640, 1280, 2560]),
            (9000, &[160, 320, 640, 1280, 2560]),
        ];
        for (width, expected) in table {
            assert_eq!(widths(width), expected, "{width}");
        }
    }

    #[test]
    fn all_formats_produce_the_same_renditions() {
        let formats = [
            (ImageFormat::Jpeg, SourceFormat::Jpeg),
            (ImageFormat::Png, SourceFormat::Png),
            (ImageFormat::WebP, SourceFormat::Webp),
            (ImageFormat::Gif, SourceFormat::Gif),
        ];
        for (format, expected) in formats {
            let rendered = render(&encoded(&halves(200, 100), format)).expect("an image");
            assert_eq!((rendered.format, rendered.width, rendered.height), (expected, 200, 100));
            assert_eq!(rendered.files.len(), 4, "two widths in two formats");
            for rendition in [RenditionFormat::Webp, RenditionFormat::Jpeg] {
                let small = shown(&rendered, 160, rendition);
                assert_eq!(small.dimensions(), (160, 80));
                let (left, right) = (small.get_pixel(20, 40).0, small.get_pixel(140, 40).0);
                assert!(
                    left[0] > 200 && left[2] < 60 && right[0] < 60 && right[2] > 200,
                    "{format:?}: {left:?} {right:?}"
                );
            }
            assert!(!rendered.blurhash.is_empty());
        }
    }

    #[test]
    fn transparent_pixels_are_white_in_jpeg() {
        let clear = RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0]));
        let rendered = render(&encoded(&clear.into(), ImageFormat::Png)).expect("an image");
        assert_eq!(shown(&rendered, 20, RenditionFormat::Jpeg).get_pixel(10, 10).0, [255; 3]);
        let webp = rendered.files.iter().find(|file| file.format == RenditionFormat::Webp).unwrap();
        assert_eq!(image::load_from_memory(&webp.bytes).unwrap().into_rgba8().get_pixel(10, 10).0[3], 0);
    }

    #[test]
    fn data_after_the_image_is_removed() {
        let script = b"\xff\xda\0\0PK\x03\x04<script>alert(1)</script>";
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let file = [encoded(&halves(20, 20), format), script.to_vec()].concat();
            for file in render(&file).expect("an image").files {
                assert!(!file.bytes.windows(8).any(|window| window == b"<script>"), "{format:?}");
            }
        }
    }
}

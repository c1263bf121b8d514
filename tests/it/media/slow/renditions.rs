//! Cost of rendering an image. `bench/renditions.sh` runs it alone in release mode, so that the peak memory is its own.

use std::{io::Cursor, time::Instant};

use image::{ImageFormat, Rgb, RgbImage};
use souk::media::renditions::{WIDTHS, render};

/// Returns the peak memory of the process so far, in MB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

#[test]
#[ignore = "takes a minute in debug builds; bench/renditions.sh runs it"]
fn renditions_of_12_megapixels() {
    let mut jpeg = Cursor::new(Vec::new());
    let pixel =
        |x: u32, y: u32| Rgb([(x / 16) ^ (y / 16), (x * y) >> 12, (x * x + y * y) >> 15].map(|c| (c & 255) as u8));
    RgbImage::from_fn(4000, 3000, pixel).write_to(&mut jpeg, ImageFormat::Jpeg).expect("a JPEG");
    let (jpeg, before) = (jpeg.into_inner(), peak_memory());
    let begun = Instant::now();
    let rendered = render(&jpeg).expect("an image");
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(rendered.files.len(), 2 * WIDTHS.len());
    println!(
        "a JPEG of 4000 x 3000 pixels, {} KB: {seconds:.2} s on one core, peak {} MB ({before} MB before)",
        jpeg.len() / 1024,
        peak_memory()
    );
    for file in &rendered.files {
        println!("  {:>4} {:?}: {} KB", file.width, file.format, file.bytes.len() / 1024);
    }
}

//! The illustrations of the demo data, drawn by `draw.mjs`; run it again after changing a drawing. They are embedded in all widths
//! that the image processor would make, because encoding them would take longer than everything else.
//! Rule: files are stored before the rows that refer to them. Storage keys are derived from the content, so a crash in between
//! leaves files that the next start uses again or that the cleanup job deletes.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    db::Db,
    error::{Error, Result},
    media::{actions::ImageProcessor, model::NewMedia},
};

/// Number of images that are processed at the same time.
const CONCURRENCY: usize = 8;

/// An embedded illustration.
struct Illustration {
    name: &'static str,
    /// The illustration in its full width, which its storage keys are derived from.
    file: &'static [u8],
    /// The same in the standard widths below its own ([`crate::media::renditions::WIDTHS`]), narrowest first.
    smaller: &'static [&'static [u8]],
}

macro_rules! illustrations {
    (drawings: $($drawing:literal,)* logos: $($logo:literal,)*) => {
        /// All illustrations: drawings are 600 pixels wide, logos 320.
        const ILLUSTRATIONS: &[Illustration] = &[
            $(illustrations!($drawing, "160/", "320/"),)*
            $(illustrations!($logo, "160/"),)*
        ];
    };
    ($name:literal, $($directory:literal),*) => {
        Illustration {
            name: $name,
            file: include_bytes!(concat!($name, ".webp")),
            smaller: &[$(include_bytes!(concat!($directory, $name, ".webp"))),*],
        }
    };
}

illustrations! {
    drawings:
    "anchor",
    "apron-natural",
    "apron-navy",
    "baking-stone",
    "basket-1000",
    "basket-500",
    "basket-oval",
    "bib-trousers",
    "boots",
    "bowl-cream",
    "bowl-indigo",
    "bread-board",
    "bread-knife",
    "bread-lame",
    "bread-oven",
    "brioche-moulds",
    "candles",
    "cap-charcoal",
    "cap-navy",
    "cap-rust",
    "category-bags",
    "category-bakers-tools",
    "category-bread-making",
    "category-clothing",
    "category-cups-brewers",
    "category-deck-fittings",
    "category-foul-weather",
    "category-kettles",
    "category-kitchen",
    "category-kitchen-linen",
    "category-knitwear",
    "category-lanterns",
    "category-navigation",
    "category-on-the-water",
    "category-pantry",
    "category-proofing",
    "category-rope",
    "category-rope-rigging",
    "category-tea-coffee",
    "category-tins-stones",
    "cleat-150",
    "cleat-200",
    "compass",
    "couche",
    "custard-mix",
    "dough-scraper",
    "dough-whisk",
    "dripper",
    "duffel-natural",
    "duffel-navy",
    "flour-rye",
    "flour-white",
    "flour-wholemeal",
    "glass-teapot",
    "honey",
    "jacket-navy",
    "jacket-olive",
    "kettle-copper",
    "kettle-gooseneck",
    "kettle-steel",
    "kitchen-scale",
    "life-ring",
    "loaf-tin-20",
    "loaf-tin-33",
    "mug-blue",
    "mug-red",
    "oil-lamp",
    "oven-mitts",
    "proofing-mat",
    "pulley-block",
    "rigging-knife",
    "rolling-pin",
    "rope-doormat",
    "rope-fender",
    "rope-manila",
    "rope-navy-10",
    "rope-navy-20",
    "ships-bell",
    "ships-clock",
    "signal-flags",
    "socks",
    "solar-lantern",
    "souwester",
    "splicing-kit",
    "starter-jar",
    "storm-lantern-red",
    "storm-lantern-steel",
    "striped-shirt",
    "sweater-navy",
    "sweater-oatmeal",
    "tea-tin-large",
    "tea-tin-small",

    logos:
    "brand-atelier-pommier",
    "brand-crumbwell",
    "brand-fahrwasser",
    "brand-greywether",
    "brand-halyard-hitch",
    "brand-hearth-and-linen",
    "brand-kettlewright",
    "brand-leafwell",
    "brand-lumen-point",
    "brand-oxbow-mill",
    "brand-skerry-knit",
    "brand-watt-und-wind",
}

/// Stores the renditions of all illustrations and returns the content row of each by name.
pub(super) async fn store_files(db: &Db, processor: &ImageProcessor) -> Result<HashMap<&'static str, NewMedia>> {
    let processed = stream::iter(ILLUSTRATIONS).map(|Illustration { name, file, smaller }| async move {
        let processed = processor.process_trusted(db, file, smaller).await?;
        let media = processed.map_err(|error| Error::Internal(format!("the illustration {name}: {error}")))?;
        Ok::<_, Error>((*name, media))
    });
    processed.buffer_unordered(CONCURRENCY).try_collect().await
}

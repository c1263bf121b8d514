//! The illustrations of the demo data, drawn by `draw.mjs`; run it again after changing a drawing.
//! Rule: files are stored before the rows that refer to them. Storage keys are derived from the content, so a crash in between
//! leaves files that the next start uses again or that the cleanup job deletes.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    db::Db,
    error::{Error, Result},
    media::{actions::ImageProcessor, model::NewMedia},
};

/// Number of images that are processed at the same time.
const CONCURRENCY: usize = 8;

macro_rules! illustrations {
    ($($name:literal,)*) => {
        /// Name and file of each illustration.
        const ILLUSTRATIONS: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!($name, ".webp"))),)*];
    };
}

illustrations! {
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
}

/// Stores the renditions of all illustrations and returns the content row of each by name.
pub(super) async fn store_files(db: &Db, processor: &ImageProcessor) -> Result<HashMap<&'static str, NewMedia>> {
    let processed = stream::iter(ILLUSTRATIONS).map(|(name, file)| async move {
        let processed = processor.process_trusted(db, Bytes::from_static(file)).await?;
        let media = processed.map_err(|error| Error::Internal(format!("the illustration {name}: {error}")))?;
        Ok::<_, Error>((*name, media))
    });
    processed.buffer_unordered(CONCURRENCY).try_collect().await
}

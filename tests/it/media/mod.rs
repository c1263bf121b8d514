//! Product images: uploads, images fetched by URL, and the cost of renditions.

mod absolute_urls;
mod catalog_images;
mod images;
mod images_by_url;
mod shared_downloads;
mod slow;

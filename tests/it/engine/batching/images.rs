//! Batching of images, and of what imports report about them.

use super::Case;

pub const IMAGES: &[Case] = &[
    Case("{ products(first: 50) { nodes { images { id position } image { id url(width: 300) } } } }", 2),
    Case("{ brands(first: 50) { nodes { logo { url } } } }", 2),
    Case("{ categories(first: 100) { nodes { image { url } } } }", 2),
    Case("{ brands(first: 50) { nodes { logo { brand { id } } } } }", 3),
    Case("{ categories(first: 100) { nodes { image { category { id } } } } }", 3),
    // A page of images takes two: the rows, and their contents, if there are any.
    Case("{ images(first: 50) { PAGE } }", 3),
    Case("{ images(first: 50, where: {failed: true}) { nodes { failure product { id } } } }", 2),
    Case("{ transfers(first: 50) { nodes { imagesPending imageFailures { examples { product { id } } } } } }", 4),
];

//! Batching of images, and of what imports report about them.

use super::Case;

pub const IMAGES: &[Case] = &[
    Case("{ products(first: 50) { nodes { images { id url(width: 300) } image { id } } } }", 2),
    Case("{ brands(first: 50) { nodes { logo { url } } } }", 2),
    Case("{ categories(first: 100) { nodes { image { url } } } }", 2),
    // A page of images takes two: the rows, and their contents.
    Case("{ images(first: 50) { PAGE } }", 3),
    Case(
        "{ images(first: 100, orderBy: {field: CREATED_AT, direction: ASC}) { nodes { product { id } brand { id } } } }",
        4,
    ),
    Case("{ images(first: 100) { nodes { category { id } } } }", 3),
    Case("{ transfers(first: 50) { nodes { imagesPending imageFailures { examples { product { id } } } } } }", 2),
];

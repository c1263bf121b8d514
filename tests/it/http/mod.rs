//! The HTTP transport: GraphQL over HTTP, multipart requests, the IDE pages, and rules for every route.

mod all_routes;
mod compression;
mod graphql;
mod ide;
mod multipart;
mod start_page;

//! The HTTP transport: GraphQL over HTTP, arrays of requests, persisted queries, multipart requests, the IDE pages, and
//! rules for every route.

mod all_routes;
mod batches;
mod compression;
mod event_streams;
mod graphql;
mod ide;
mod multipart;
mod persisted_queries;
mod start_page;
mod trusted_documents;
mod unread_bodies;
mod websocket;

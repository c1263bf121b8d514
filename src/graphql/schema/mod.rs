//! The GraphQL types by domain, and what their resolvers share: services, loaders and `node`.
//! Rule: reads go through the loaders or, for lists, to the stores; writes go to the actions.

pub mod caches;
pub mod context;
pub mod entities;
pub mod loaders;
pub mod nested_lists;
pub mod node;
pub mod resource;
pub mod subscriptions;

pub mod access;
pub mod analytics;
pub mod audit;
pub mod brands;
pub mod carts;
pub mod categories;
pub mod events;
pub mod federation;
pub mod groups;
pub mod jobs;
pub mod media;
pub mod orders;
pub mod payments;
pub mod prices;
pub mod privacy;
pub mod products;
pub mod reviews;
pub mod search;
pub mod slugs;
pub mod sources;
pub mod stock;
pub mod suppliers;
pub mod transfers;
pub mod trusted_documents;
pub mod users;
pub mod webhooks;
pub mod websites;
pub mod wishlists;

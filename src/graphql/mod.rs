//! The graph: objects, inputs, queries and mutations by noun, and what they share.
//! Rule: reads go through the loaders or, for lists, to the stores; writes go to the actions. Every object is an
//! `Ordered`, so that answers keep the order of the query.

pub mod account;
pub mod address;
pub mod analytics;
pub mod api_key;
pub mod audit;
pub mod batches;
pub mod brand;
pub mod cart;
pub mod category;
pub mod connection;
pub mod container;
pub mod context;
pub mod cookie;
pub mod documents;
pub mod engine;
pub mod errors;
pub mod filters;
pub mod guards;
pub mod image;
pub mod job;
pub mod limits;
pub mod loaders;
pub mod node;
pub mod order;
pub mod patch;
pub mod payload;
pub mod payment;
pub mod price;
pub mod privacy;
pub mod product;
pub mod product_group;
pub mod returns;
pub mod review;
pub mod role;
pub mod scalars;
pub mod search;
pub mod session;
pub mod shipment;
pub mod source;
pub mod stock;
pub mod supplier;
pub mod transfer;
pub mod upload;
pub mod user;
pub mod variables;
pub mod website;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject, Schema};

use self::{
    container::{Ordered, Plain},
    context::Services,
    engine::{Engine, EngineSettings},
    limits::Limits,
};
use crate::config;

/// All queries, by noun.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Queries(
    user::UserQuery,
    role::RoleQuery,
    website::WebsiteQuery,
    category::CategoryQuery,
    brand::BrandQuery,
    supplier::SupplierQuery,
    product::ProductQuery,
    product_group::ProductGroupQuery,
    review::ReviewQuery,
    cart::CartQuery,
    order::OrderQuery,
    payment::PaymentQuery,
    search::SearchQuery,
    search::SuggestionQuery,
    search::SearchRuleQuery,
    analytics::AnalyticsQuery,
    privacy::PrivacyQuery,
    audit::AuditQuery,
    job::JobQuery,
    transfer::TransferQuery,
    node::NodeQuery,
);

/// All mutations, by noun.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutations(
    session::SessionMutation,
    account::AccountMutation,
    api_key::ApiKeyMutation,
    user::UserMutation,
    role::RoleMutation,
    address::AddressMutation,
    website::WebsiteMutation,
    category::CategoryMutation,
    brand::BrandMutation,
    supplier::SupplierMutation,
    product::ProductMutation,
    stock::StockMutation,
    image::ImageMutation,
    upload::UploadMutation,
    product::ProductLinkMutation,
    product_group::ProductGroupMutation,
    search::SearchRuleMutation,
    review::ReviewMutation,
    cart::CartMutation,
    order::CheckoutMutation,
    order::OrderMutation,
    payment::PaymentMutation,
    shipment::ShipmentMutation,
    returns::ReturnMutation,
    analytics::AnalyticsMutation,
    privacy::PrivacyMutation,
    job::JobMutation,
    transfer::TransferMutation,
);

impl Plain for Queries {}
impl Plain for Mutations {}

/// The engine that runs operations on these services.
pub fn engine(services: &Arc<Services>, limits: &config::Limits) -> Engine {
    let settings = EngineSettings {
        limits: Limits::from(limits),
        cached_documents: limits.document_cache,
        ..EngineSettings::default()
    };
    Engine::new(|| builder().data(Arc::clone(services)), settings)
}

/// The schema as text, as it stands in `schema.graphql`.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().sorted_fields().sorted_enum_items().sorted_arguments();
    builder().finish().sdl_with_options(options)
}

fn builder() -> async_graphql::SchemaBuilder<Ordered<Queries>, Ordered<Mutations>, EmptySubscription> {
    Schema::build(Ordered(Queries::default()), Ordered(Mutations::default()), EmptySubscription)
        .register_output_type::<node::Node>()
}

//! The GraphQL API: the engine, and the schema by domain.
//! Rule: reads go through the loaders or, for lists, to the stores; writes go to the actions.

pub mod engine;
pub mod schema;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema};

use self::engine::{
    Engine, EngineSettings,
    container::{Merged, root},
    limits::Limits,
};
use self::schema::{
    access::{account, api_key, role, session},
    analytics, audit, brands, carts, categories,
    context::Services,
    groups, jobs, media, node, orders, payments, privacy, products, reviews, search, stock, suppliers, transfers,
    users, websites,
};
use crate::config;

root! {
    /// All queries, by noun.
    Query {
        users::UserQuery,
        role::RoleQuery,
        websites::WebsiteQuery,
        categories::CategoryQuery,
        brands::BrandQuery,
        suppliers::SupplierQuery,
        products::ProductQuery,
        groups::ProductGroupQuery,
        reviews::ReviewQuery,
        carts::CartQuery,
        orders::OrderQuery,
        payments::PaymentQuery,
        search::SearchQuery,
        search::SuggestionQuery,
        search::SearchRuleQuery,
        analytics::AnalyticsQuery,
        privacy::PrivacyQuery,
        audit::AuditQuery,
        jobs::JobQuery,
        transfers::TransferQuery,
        node::NodeQuery,
    }
}

root! {
    /// All mutations, by noun.
    Mutation {
        session::SessionMutation,
        account::AccountMutation,
        api_key::ApiKeyMutation,
        users::UserMutation,
        role::RoleMutation,
        users::address::AddressMutation,
        websites::WebsiteMutation,
        categories::CategoryMutation,
        brands::BrandMutation,
        suppliers::SupplierMutation,
        products::ProductMutation,
        stock::StockMutation,
        media::ImageMutation,
        media::upload::UploadMutation,
        products::ProductLinkMutation,
        groups::ProductGroupMutation,
        search::SearchRuleMutation,
        reviews::ReviewMutation,
        carts::CartMutation,
        orders::CheckoutMutation,
        orders::OrderMutation,
        payments::PaymentMutation,
        orders::shipment::ShipmentMutation,
        orders::returns::ReturnMutation,
        analytics::AnalyticsMutation,
        privacy::PrivacyMutation,
        jobs::JobMutation,
        transfers::TransferMutation,
    }
}

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

fn builder() -> async_graphql::SchemaBuilder<Merged<Query>, Merged<Mutation>, EmptySubscription> {
    Schema::build(Merged::default(), Merged::default(), EmptySubscription).register_output_type::<node::Node>()
}

//! Who sees the history of a product: its stock ledger and its past prices.

/// The condition that a row of a product's history is visible: `All` sees every row, staff of some websites those of what is
/// sold there, a seller those of their own products, anybody else none. `$product_id` is the row's column.
macro_rules! visible_history {
    ($scope:expr, $product_id:expr) => {{
        use $crate::{auth::Scope, db::filter::always, db::tables::products};
        let of = products::table.select(products::id).filter(products::id.eq($product_id));
        match $scope {
            Scope::All => always(true),
            Scope::Seller(seller) => {
                let own = products::seller_id.is_not_null().and(products::seller_id.assume_not_null().eq(*seller));
                Box::new(diesel::dsl::exists(of.filter(own)))
            }
            Scope::Websites(_, websites) => {
                Box::new(diesel::dsl::exists(of.filter(products::source_website_id.eq_any(websites.to_vec()))))
            }
            Scope::Own(_) | Scope::Guest(_) | Scope::Public => always(false),
        }
    }};
}
pub(crate) use visible_history;

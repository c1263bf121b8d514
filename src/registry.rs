//! Every domain of the shop, once.
//! Rule: what follows from a domain's entry is listed nowhere else: ids, `node`, the loaders by id, the names in the audit
//! log, the names of sources, the fields of `Query` and `Mutation`, transfers, and personal data. What an entry names is
//! written in the domain itself.

/// Gives one section of the registry to a macro: `domains!(ids => row_ids)`.
///
/// An entry of a domain says, in this order:
///
/// - `resource Type(Id) in module: "Doc.", audit "Doc.", source "Doc."`: a type of the schema whose rows have a global id.
///   The module of `graphql::schema::<domain>` that declares it with `resource!` is left out if it is the domain's own;
///   with `audit`, changes of its rows are recorded under its name; with `source`, websites have ids of their own for it.
/// - `query` and `mutation`: the objects of `graphql::schema::<domain>` whose fields are fields of the roots.
/// - `transfer Name("name"): "Doc.", CONSTANT`: what can be exported, as the constant in `<domain>::store` says, and
///   perhaps imported.
/// - `personal "key"`: `<domain>::actions` has `personal_data` and `erase_personal_data`; the key is that of the export of
///   a user.
macro_rules! domains {
    ($section:ident => $callback:ident) => {
        $crate::registry::sections! { $section $callback
            websites {
                resource Website(WebsiteId): "A website.", audit "A website.";
                query WebsiteQuery;
                mutation WebsiteMutation;
                transfer Websites("websites"): "Websites.", WEBSITES;
            }
            users {
                resource User(UserId): "A user.", audit "A user.", source "A user.";
                resource Address(AddressId) in address: "An address of a user.";
                query UserQuery;
                mutation UserMutation;
                mutation address::AddressMutation;
                transfer Customers("customers"): "Customers and their addresses.", CUSTOMERS;
            }
            access {
                resource Role(RoleId) in role: "A role.", audit "A role: itself, a permission that it gives, or a website that it is limited to.";
                resource Session(SessionId) in session: "A login on one device.";
                resource ApiKey(ApiKeyId) in api_key: "A key of a machine.", audit "A key of a machine.";
                query role::RoleQuery;
                mutation session::SessionMutation;
                mutation account::AccountMutation;
                mutation api_key::ApiKeyMutation;
                mutation role::RoleMutation;
            }
            audit {
                resource AuditEntry(AuditEntryId): "An entry of the audit log.";
                query AuditQuery;
            }
            categories {
                resource Category(CategoryId): "A category.", audit "A category.", source "A category.";
                query CategoryQuery;
                mutation CategoryMutation;
                transfer Categories("categories"): "Categories.", CATEGORIES;
            }
            brands {
                resource Brand(BrandId): "A brand.", audit "A brand.";
                query BrandQuery;
                mutation BrandMutation;
                transfer Brands("brands"): "Brands.", BRANDS;
            }
            suppliers {
                resource Supplier(SupplierId): "A supplier.", audit "A supplier.";
                query SupplierQuery;
                mutation SupplierMutation;
                transfer Suppliers("suppliers"): "Suppliers.", SUPPLIERS;
            }
            groups {
                resource ProductGroup(ProductGroupId): "Products that are the same thing in other sizes or colours.", audit "A group of products.";
                query ProductGroupQuery;
                mutation ProductGroupMutation;
            }
            products {
                resource Product(ProductId): "A product.", audit "A product; its stock is told by movements.", source "A product.";
                query ProductQuery;
                mutation ProductMutation;
                mutation ProductLinkMutation;
                transfer Products("products"): "Products.", PRODUCTS;
            }
            media {
                resource Image(ImageId): "A picture of a product.", audit "A picture of a product.";
                mutation ImageMutation;
                mutation upload::UploadMutation;
            }
            reviews {
                resource Review(ReviewId): "What a customer says of a product.", audit "A review.";
                query ReviewQuery;
                mutation ReviewMutation;
                transfer Reviews("reviews"): "Reviews.", REVIEWS;
                personal "reviews";
            }
            prices {
                resource PriceChange(PriceChangeId): "A price that a product had or has.";
                personal "priceChanges";
            }
            stock {
                resource StockMovement(StockMovementId): "An entry of the stock ledger.", audit "A movement of stock by hand: an opening or an adjustment. Sales are told by their orders.";
                mutation StockMutation;
                transfer Stock("stock"): "Pieces in stock by SKU.", STOCK;
                transfer StockMovements("stock_movements"): "The ledger of stock.", STOCK_MOVEMENTS;
                personal "stockMovements";
            }
            carts {
                resource Cart(CartId): "A cart.";
                resource CartLine(CartLineId): "A line of a cart.";
                query CartQuery;
                mutation CartMutation;
            }
            wishlists {
                resource Wishlist(WishlistId): "A wishlist.", audit "A wishlist; its name is not recorded.";
                resource WishlistItem(WishlistItemId) in item: "A product on a wishlist.", audit "A product on a wishlist.";
                query WishlistQuery;
                mutation WishlistMutation;
                mutation item::WishlistItemMutation;
                transfer Wishlists("wishlists"): "Items of wishlists.", WISHLISTS;
                personal "wishlists";
            }
            orders {
                resource Order(OrderId): "An order.", audit "An order, with the total of the lines that it was made with.", source "An order.";
                resource OrderDetail(OrderDetailId): "A line of an order.", audit "A line of an order, changed after the order was made.";
                resource Shipment(ShipmentId) in shipment: "A part of an order on its way.", audit "A part of an order on its way.";
                resource Return(ReturnId) in returns: "A part of an order on its way back.", audit "A part of an order on its way back, without what people wrote.";
                query OrderQuery;
                mutation CheckoutMutation;
                mutation OrderMutation;
                mutation shipment::ShipmentMutation;
                mutation returns::ReturnMutation;
                transfer Orders("orders"): "Orders and their lines.", ORDERS;
            }
            payments {
                resource Payment(PaymentId): "A payment.", audit "A payment.";
                query PaymentQuery;
                mutation PaymentMutation;
            }
            search {
                resource SearchRule(SearchRuleId): "What a merchant tells the search.", audit "What a merchant tells the search.";
                query SearchQuery;
                query SuggestionQuery;
                query SearchRuleQuery;
                mutation SearchRuleMutation;
            }
            analytics {
                query AnalyticsQuery;
                mutation AnalyticsMutation;
                personal "searches";
            }
            transfers {
                resource Transfer(TransferId): "A run of an import or export.", audit "A run of an import or export.";
                query TransferQuery;
                mutation TransferMutation;
            }
            jobs {
                resource Job(JobId): "A job of the background.", audit "A dead job, when it was queued again or deleted.";
                query JobQuery;
                mutation JobMutation;
            }
            privacy {
                query PrivacyQuery;
                mutation PrivacyMutation;
            }
        }
    };
}
pub(crate) use domains;

/// Takes one section out of all entries.
macro_rules! sections {
    ($section:ident $callback:ident $($domain:ident {
        $(resource $type:ident($id:ident) $(in $module:ident)?: $doc:literal $(, audit $audit:literal)? $(, source $source:literal)?;)*
        $(query $($query:ident)::+;)*
        $(mutation $($mutation:ident)::+;)*
        $(transfer $transfer:ident($name:literal): $moved:literal, $rows:ident;)*
        $(personal $key:literal;)?
    })*) => {
        $crate::registry::section! { $section $callback
            ids { $($($doc $type($id);)*)* }
            objects { $($($type($id) at $domain $($module)?;)*)* }
            audited { $($($($type $audit;)?)*)* }
            sources { $($($($type $source;)?)*)* }
            queries { $($($domain::$($query)::+,)*)* }
            mutations { $($($domain::$($mutation)::+,)*)* }
            transfers { $($($transfer($name) $moved in $domain $rows;)*)* }
            personal { $($($domain $key;)?)* }
        }
    };
}
pub(crate) use sections;

macro_rules! section {
    (ids $callback:ident ids { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (objects $callback:ident objects { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (audited $callback:ident audited { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (sources $callback:ident sources { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (queries $callback:ident queries { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (mutations $callback:ident mutations { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (transfers $callback:ident transfers { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (personal $callback:ident personal { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    ($section:ident $callback:ident $other:ident $skipped:tt $($rest:tt)*) => {
        $crate::registry::section! { $section $callback $($rest)* }
    };
}
pub(crate) use section;

//! The registry of all domains.
//! Rule: everything derived from a domain's entry is listed nowhere else: ids, `node`, loaders by id, the resource
//! types of the audit log and of sources, the fields of `Query`, `Mutation` and `Subscription`, transfers, and personal data. The items
//! that an entry names are implemented in the domain itself.

/// Passes one section of the registry to a macro: `domains!(ids => row_ids)`.
///
/// The entry of a domain consists of, in this order:
///
/// - `resource Type(Id) in module: "Doc.", audit "Doc.", source "Doc."`: a GraphQL type whose rows have a global ID.
///   The module of `graphql::schema::<domain>` that declares it with `resource!` is omitted if it is the domain's own.
///   With `audit`, changes of its rows are recorded in the audit log; with `source`, its rows can have external ids per
///   website.
/// - `query`, `mutation` and `subscription`: objects of `graphql::schema::<domain>` whose fields become fields of the root types.
/// - `transfer Name("name"): "Doc.", CONSTANT`: data that can be exported as defined by the constant in
///   `<domain>::store`, and possibly imported.
/// - `personal "key" by Permission`: `<domain>::actions` has `personal_data` and `erase_personal_data`; `key` is the key of
///   this section in the export of a user's personal data. Other users read it with the permission; without one, only
///   the user reads it.
macro_rules! domains {
    ($section:ident => $callback:ident) => {
        $crate::registry::sections! { $section $callback
            websites {
                resource Website(WebsiteId): "A shop website.", audit "A shop website.";
                query WebsiteQuery;
                mutation WebsiteMutation;
                transfer Websites("websites"): "Shop websites with their currency and URL.", WEBSITES;
            }
            users {
                resource User(UserId): "A user.", audit "A user.", source "A user.";
                resource Address(AddressId) in address: "A postal address of a user.";
                query UserQuery;
                query country::CountryQuery;
                mutation UserMutation;
                mutation address::AddressMutation;
                transfer Customers("customers"): "Customers and their addresses.", CUSTOMERS;
            }
            access {
                resource Role(RoleId) in role: "A role.", audit "A role, including its permissions and the websites it is limited to.";
                resource Session(SessionId) in session: "A login session on one device.";
                resource ApiKey(ApiKeyId) in api_key: "An API key.", audit "An API key.";
                query role::RoleQuery;
                mutation session::SessionMutation;
                mutation account::AccountMutation;
                mutation api_key::ApiKeyMutation;
                mutation role::RoleMutation;
            }
            audit {
                resource AuditEntry(AuditEntryId): "An entry in the audit log.";
                query AuditQuery;
            }
            categories {
                resource Category(CategoryId): "A product category.", audit "A product category.", source "A product category.";
                query CategoryQuery;
                mutation CategoryMutation;
                transfer Categories("categories"): "Product categories.", CATEGORIES;
            }
            brands {
                resource Brand(BrandId): "A brand.", audit "A brand.";
                query BrandQuery;
                mutation BrandMutation;
                transfer Brands("brands"): "Brands of products.", BRANDS;
            }
            suppliers {
                resource Supplier(SupplierId): "A supplier.", audit "A supplier.";
                query SupplierQuery;
                mutation SupplierMutation;
                transfer Suppliers("suppliers"): "Suppliers that products are purchased from.", SUPPLIERS;
            }
            groups {
                resource ProductGroup(ProductGroupId): "A group of product variants, such as sizes or colors of one article.", audit "A product group.";
                query ProductGroupQuery;
                mutation ProductGroupMutation;
            }
            products {
                resource Product(ProductId): "A product.", audit "A product. Stock changes are recorded as stock movements instead.", source "A product.";
                query ProductQuery;
                mutation ProductMutation;
                mutation ProductLinkMutation;
                subscription ProductSubscription;
                transfer Products("products"): "Products with prices, options, stock and images.", PRODUCTS;
            }
            media {
                resource Image(ImageId): "An image of a product, brand or category.", audit "An image of a product, brand or category.";
                query ImageQuery;
                mutation ImageMutation;
                mutation CatalogImageMutation;
                mutation upload::UploadMutation;
            }
            reviews {
                resource Review(ReviewId): "A customer's review of a product.", audit "A product review.";
                query ReviewQuery;
                mutation ReviewMutation;
                transfer Reviews("reviews"): "Product reviews.", REVIEWS;
                personal "reviews" by ManageReviews;
            }
            prices {
                resource PriceChange(PriceChangeId): "A change of a product's price.";
                personal "priceChanges" by ManageProducts;
            }
            stock {
                resource StockMovement(StockMovementId): "An entry in the stock ledger.", audit "A manual stock movement: an opening entry or an adjustment. Sales are recorded with their orders.";
                mutation StockMutation;
                subscription StockSubscription;
                transfer Stock("stock"): "Stock levels by SKU.", STOCK;
                transfer StockMovements("stock_movements"): "Entries of the stock ledger.", STOCK_MOVEMENTS;
                personal "stockMovements" by ManageStock;
            }
            carts {
                resource Cart(CartId): "A shopping cart.";
                resource CartLine(CartLineId): "A line of a shopping cart.";
                query CartQuery;
                mutation CartMutation;
                subscription CartSubscription;
            }
            wishlists {
                resource Wishlist(WishlistId): "A wishlist.", audit "A wishlist. Its name is not recorded.";
                resource WishlistItem(WishlistItemId) in item: "An item of a wishlist.", audit "An item of a wishlist.";
                query WishlistQuery;
                mutation WishlistMutation;
                mutation item::WishlistItemMutation;
                transfer Wishlists("wishlists"): "Wishlist items.", WISHLISTS;
                personal "wishlists" by ManageUsers;
            }
            orders {
                resource Order(OrderId): "An order.", audit "An order, recorded with the total of its original lines.", source "An order.";
                resource OrderDetail(OrderDetailId): "A line of an order.", audit "A line of an order that was changed after the order was placed.";
                resource Shipment(ShipmentId) in shipment: "A shipment of an order.", audit "A shipment of an order.";
                resource Return(ReturnId) in returns: "A return of items of an order.", audit "A return of items of an order. Notes are not recorded.";
                query OrderQuery;
                mutation CheckoutMutation;
                mutation OrderMutation;
                mutation shipment::ShipmentMutation;
                mutation returns::ReturnMutation;
                subscription OrderSubscription;
                transfer Orders("orders"): "Orders and their lines.", ORDERS;
            }
            payments {
                resource Payment(PaymentId): "A payment.", audit "A payment.";
                query PaymentQuery;
                mutation PaymentMutation;
            }
            search {
                resource SearchRule(SearchRuleId): "A search rule set by the merchant.", audit "A search rule set by the merchant.";
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
                subscription TransferSubscription;
            }
            jobs {
                resource Job(JobId): "A background job.", audit "A dead background job that was retried or deleted.";
                query JobQuery;
                mutation JobMutation;
            }
            events {
                subscription NotificationSubscription;
                subscription shop_event::EventSubscription;
            }
            webhooks {
                resource WebhookSubscription(WebhookSubscriptionId): "A subscription of another system to events.", audit "A webhook subscription. Its secret is not recorded.";
                resource WebhookDelivery(WebhookDeliveryId) in delivery: "A delivery of an event to a webhook.";
                query WebhookQuery;
                mutation WebhookMutation;
                personal "webhookSubscriptions" by ManageWebhooks;
            }
            privacy {
                query PrivacyQuery;
                mutation PrivacyMutation;
            }
        }
    };
}
pub(crate) use domains;

/// Extracts one section from all entries.
macro_rules! sections {
    ($section:ident $callback:ident $($domain:ident {
        $(resource $type:ident($id:ident) $(in $module:ident)?: $doc:literal $(, audit $audit:literal)? $(, source $source:literal)?;)*
        $(query $($query:ident)::+;)*
        $(mutation $($mutation:ident)::+;)*
        $(subscription $($subscription:ident)::+;)*
        $(transfer $transfer:ident($name:literal): $moved:literal, $rows:ident;)*
        $(personal $key:literal $(by $reader:ident)?;)?
    })*) => {
        $crate::registry::section! { $section $callback
            ids { $($($doc $type($id);)*)* }
            objects { $($($type($id) at $domain $($module)?;)*)* }
            audited { $($($($type $audit;)?)*)* }
            sources { $($($($type $source;)?)*)* }
            queries { $($($domain::$($query)::+,)*)* }
            mutations { $($($domain::$($mutation)::+,)*)* }
            subscriptions { $($($domain::$($subscription)::+,)*)* }
            transfers { $($($transfer($name) $moved in $domain $rows;)*)* }
            personal { $($($domain $key $($reader)?;)?)* }
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
    (subscriptions $callback:ident subscriptions { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (transfers $callback:ident transfers { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    (personal $callback:ident personal { $($found:tt)* } $($rest:tt)*) => { $callback! { $($found)* } };
    ($section:ident $callback:ident $other:ident $skipped:tt $($rest:tt)*) => {
        $crate::registry::section! { $section $callback $($rest)* }
    };
}
pub(crate) use section;

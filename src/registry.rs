//! Every resource of the shop, once.
//! Rule: a resource is a type of the schema whose rows have a global id. Its entry here gives it the id, a place in `node`,
//! the loader by id, and its name in the audit log. What an entry names is written in the resource's own domain.

/// Gives all resources to the macro of this name.
///
/// An entry says: the type and its row id, the module below `graphql::schema` that declares it with `resource!`, the name
/// of its loader by id, and for what the audit log records, the description of the name there.
macro_rules! resources {
    ($callback:ident) => {
        $callback! {
            /// A website.
            Website(WebsiteId) at websites, loader websites, audit "A website.";
            /// A user.
            User(UserId) at users, loader users, audit "A user.";
            /// An address of a user.
            Address(AddressId) at users::address, loader addresses;
            /// A role.
            Role(RoleId) at access::role, loader roles, audit "A role: itself, a permission that it gives, or a website that it is limited to.";
            /// A login on one device.
            Session(SessionId) at access::session, loader sessions;
            /// A key of a machine.
            ApiKey(ApiKeyId) at access::api_key, loader api_keys, audit "A key of a machine.";
            /// An entry of the audit log.
            AuditEntry(AuditEntryId) at audit, loader audit_entries;
            /// A category.
            Category(CategoryId) at categories, loader categories, audit "A category.";
            /// A brand.
            Brand(BrandId) at brands, loader brands, audit "A brand.";
            /// A supplier.
            Supplier(SupplierId) at suppliers, loader suppliers, audit "A supplier.";
            /// A product.
            Product(ProductId) at products, loader products, audit "A product; its stock is told by movements.";
            /// An entry of the stock ledger.
            StockMovement(StockMovementId) at stock, loader movements, audit "A movement of stock by hand: an opening or an adjustment. Sales are told by their orders.";
            /// An order.
            Order(OrderId) at orders, loader orders, audit "An order, with the total of the lines that it was made with.";
            /// A line of an order.
            OrderDetail(OrderDetailId) at orders, loader details, audit "A line of an order, changed after the order was made.";
            /// A cart.
            Cart(CartId) at carts, loader carts;
            /// A line of a cart.
            CartLine(CartLineId) at carts, loader cart_lines;
            /// A part of an order on its way.
            Shipment(ShipmentId) at orders::shipment, loader shipments, audit "A part of an order on its way.";
            /// A part of an order on its way back.
            Return(ReturnId) at orders::returns, loader returns, audit "A part of an order on its way back, without what people wrote.";
            /// A payment.
            Payment(PaymentId) at payments, loader payments, audit "A payment.";
            /// Products that are the same thing in other sizes or colours.
            ProductGroup(ProductGroupId) at groups, loader product_groups, audit "A group of products.";
            /// A picture of a product.
            Image(ImageId) at media, loader images, audit "A picture of a product.";
            /// What a customer says of a product.
            Review(ReviewId) at reviews, loader reviews, audit "A review.";
            /// A price that a product had or has.
            PriceChange(PriceChangeId) at prices, loader price_changes;
            /// A run of an import or export.
            Transfer(TransferId) at transfers, loader transfers, audit "A run of an import or export.";
            /// What a merchant tells the search.
            SearchRule(SearchRuleId) at search, loader search_rules, audit "What a merchant tells the search.";
            /// A job of the background.
            Job(JobId) at jobs, loader jobs, audit "A dead job, when it was queued again or deleted.";
        }
    };
}
pub(crate) use resources;

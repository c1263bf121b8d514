DROP TABLE wishlist_items;
DROP TABLE wishlists;
-- The audit log is append-only: entries about wishlists stay.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_noun_known;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order',
    'OrderDetail', 'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job', 'Shipment', 'Return', 'Payment',
    'ProductGroup', 'Image', 'Review', 'Transfer', 'SearchRule')) NOT VALID;

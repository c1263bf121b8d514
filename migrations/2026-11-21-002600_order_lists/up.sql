-- Indexes for lists of orders, measured with a million orders. Every index slows down checkouts, since it is written
-- with each order and with each change of its total or status. So there are only those that no other index can replace.
-- Other filters leave few orders, which are sorted, or many, of which a page fills quickly in any order.

-- Open orders are few and are the latest: reading them oldest first would scan all others before. For filters by
-- several statuses, and by number.
CREATE INDEX orders_open_placed_at_idx ON orders (placed_at, id) WHERE status IN ('pending', 'confirmed', 'shipped');
CREATE INDEX orders_open_order_number_idx ON orders (order_number, id) WHERE status IN ('pending', 'confirmed', 'shipped');

-- For searches by a part of the number. New entries go to the pending list, which every search scans and an insert
-- flushes now and then; a small list limits both delays.
CREATE INDEX orders_order_number_trgm_idx ON orders USING gin (order_number gin_trgm_ops) WITH (gin_pending_list_limit = 512);

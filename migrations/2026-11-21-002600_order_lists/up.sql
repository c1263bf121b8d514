-- What lists of orders lack at a million orders. Every index is written with every order, and again with each change of its
-- total or status, on the way of a checkout; so these are only what no other index can do. What a list is limited by
-- otherwise leaves few orders, which are sorted, or many, of which a page is soon full in any order.

-- Orders that are not over are few and the latest of all: who reads them from the oldest would pass all the others first.
-- For several of the statuses at once, and by number.
CREATE INDEX orders_open_placed_at_idx ON orders (placed_at, id) WHERE status IN ('pending', 'confirmed', 'shipped');
CREATE INDEX orders_open_order_number_idx ON orders (order_number, id) WHERE status IN ('pending', 'confirmed', 'shipped');

-- For a part of a number. What is added waits in a list that every search reads and some insertion takes in: a short one, so
-- that neither waits for long.
CREATE INDEX orders_order_number_trgm_idx ON orders USING gin (order_number gin_trgm_ops) WITH (gin_pending_list_limit = 512);

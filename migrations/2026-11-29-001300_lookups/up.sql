-- Orders by a part of the contact's name, and orders that changed since a time; no other index can replace these. Other
-- new filters and sort orders have no index of their own: products by SKU are read from the unique index, and an index on
-- `stock` or `updated_at` of products would make every sale update all indexes of the product.
CREATE INDEX orders_contact_name_trgm_idx ON orders USING gin (contact_name gin_trgm_ops) WITH (gin_pending_list_limit = 512);
CREATE INDEX orders_updated_at_idx ON orders (updated_at, id);

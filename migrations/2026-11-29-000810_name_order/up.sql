-- The order that people expect of a list of names, by Unicode's root collation: a, Ä, b, Z; `Size 2` before `Size 10`.
-- The collation is deterministic, so names that it considers equal are ordered by their bytes, and then by ID.
-- A PostgreSQL without ICU orders names by code points.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') THEN
        CREATE COLLATION name_order (provider = icu, locale = 'und-u-kn-true');
    ELSE
        CREATE COLLATION name_order FROM "C";
    END IF;
END $$;

DROP INDEX users_name_idx;
CREATE INDEX users_name_idx ON users (name COLLATE name_order, id);
DROP INDEX categories_name_idx;
CREATE INDEX categories_name_idx ON categories (name COLLATE name_order, id);
DROP INDEX brands_name_idx;
CREATE INDEX brands_name_idx ON brands (name COLLATE name_order, id);
DROP INDEX suppliers_name_idx;
CREATE INDEX suppliers_name_idx ON suppliers (name COLLATE name_order, id);
DROP INDEX products_name_idx;
CREATE INDEX products_name_idx ON products (name COLLATE name_order, id);
DROP INDEX product_groups_source_website_id_idx;
CREATE INDEX product_groups_source_website_id_idx ON product_groups (source_website_id, name COLLATE name_order, id);
DROP INDEX product_groups_name_idx;
CREATE INDEX product_groups_name_idx ON product_groups (name COLLATE name_order, id);
DROP INDEX wishlists_user_id_name_idx;
CREATE INDEX wishlists_user_id_name_idx ON wishlists (user_id, name COLLATE name_order, id);
DROP INDEX wishlists_name_idx;
CREATE INDEX wishlists_name_idx ON wishlists (name COLLATE name_order, id);

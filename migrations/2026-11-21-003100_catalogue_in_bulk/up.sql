-- Bulk inserts of products. Figures: microseconds of processor time per product for 50,000 products; two cores,
-- PostgreSQL 15.

-- Search documents for all products of a statement: 36 instead of 215 with one function call per product.
CREATE FUNCTION search_put_products(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, document)
    SELECT 'product', p.id, p.is_active,
        setweight(to_tsvector('souk', concat_ws(' ', p.name, p.sku, p.barcode)), 'A')
        || setweight(to_tsvector('souk', concat_ws(' ', b.name, c.name, p.variant)), 'B')
        || setweight(to_tsvector('souk', p.description), 'C')
    FROM products p LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
    WHERE p.id = ANY (ids)
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, document = EXCLUDED.document
$$;

CREATE FUNCTION search_products_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_documents (kind, node_id, is_public, document)
        SELECT 'product', p.id, p.is_active,
            setweight(to_tsvector('souk', concat_ws(' ', p.name, p.sku, p.barcode)), 'A')
            || setweight(to_tsvector('souk', concat_ws(' ', b.name, c.name, p.variant)), 'B')
            || setweight(to_tsvector('souk', p.description), 'C')
        FROM new_rows p LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
        ORDER BY p.id;
    RETURN NULL;
END $$;
DROP TRIGGER products_search_insert ON products;
CREATE TRIGGER products_search_insert AFTER INSERT ON products
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION search_products_inserted();

-- Updates stay row-level: a statement-level trigger would have to collect the changed rows of every sale, too.
CREATE OR REPLACE FUNCTION search_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put_products(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
DROP TRIGGER products_search_update ON products;
CREATE TRIGGER products_search_update AFTER UPDATE OF name, sku, barcode, variant, description, brand_id, category_id, is_active ON products
    FOR EACH ROW WHEN ((OLD.name, OLD.sku, OLD.barcode, OLD.variant, OLD.description, OLD.brand_id, OLD.category_id, OLD.is_active)
        IS DISTINCT FROM
        (NEW.name, NEW.sku, NEW.barcode, NEW.variant, NEW.description, NEW.brand_id, NEW.category_id, NEW.is_active))
    EXECUTE FUNCTION search_products();

CREATE OR REPLACE FUNCTION search_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('category', NEW.id, true, NEW.name, '', NEW.description);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_products((SELECT array_agg(id) FROM products WHERE category_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION search_brands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('brand', NEW.id, true, NEW.name, '', NEW.description);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_products((SELECT array_agg(id) FROM products WHERE brand_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;
DROP FUNCTION search_put_product(products);

-- A product can be inserted with a stock. Its first ledger entry is added by trigger, without an update of the product,
-- which would cost more than the insert.
DROP TRIGGER products_stock_insert ON products;
CREATE FUNCTION products_enter_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := nullif(current_setting('souk.actor', true), '');
BEGIN
    INSERT INTO stock_movements (product_id, user_id, reason, delta, balance)
        SELECT id, (actor ->> 'user')::bigint, 'opening', stock, stock FROM new_rows WHERE stock <> 0 ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER products_stock_insert AFTER INSERT ON products
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION products_enter_stock();
DROP TRIGGER stock_movements_apply ON stock_movements;
CREATE TRIGGER stock_movements_apply BEFORE INSERT ON stock_movements
    FOR EACH ROW WHEN (NEW.reason <> 'opening' OR pg_trigger_depth() = 0) EXECUTE FUNCTION stock_movements_apply();

-- Fewer indexes: saves 25. The index on SKU and website also serves lookups by SKU alone. Lists of a website or a
-- category in another sort order are sorted if they are short, and read in that order if they are long.
ALTER TABLE products DROP CONSTRAINT products_source_website_id_sku_key,
    ADD CONSTRAINT products_source_website_id_sku_key UNIQUE (sku, source_website_id);
DROP INDEX products_sku_idx;
DROP INDEX products_source_website_id_name_idx;
DROP INDEX products_source_website_id_price_idx;
DROP INDEX products_category_id_name_idx;
-- The unique key of sources starts with the website and so also serves the foreign key.
ALTER TABLE sources DROP CONSTRAINT sources_noun_website_id_external_id_key,
    ADD CONSTRAINT sources_noun_website_id_external_id_key UNIQUE (website_id, noun, external_id);
DROP INDEX sources_website_id_idx;

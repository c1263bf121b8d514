CREATE INDEX sources_website_id_idx ON sources (website_id);
ALTER TABLE sources DROP CONSTRAINT sources_noun_website_id_external_id_key,
    ADD CONSTRAINT sources_noun_website_id_external_id_key UNIQUE (noun, website_id, external_id);
CREATE INDEX products_category_id_name_idx ON products (category_id, name, id);
CREATE INDEX products_source_website_id_price_idx ON products (source_website_id, price, id);
CREATE INDEX products_source_website_id_name_idx ON products (source_website_id, name, id);
CREATE INDEX products_sku_idx ON products (sku);
ALTER TABLE products DROP CONSTRAINT products_source_website_id_sku_key,
    ADD CONSTRAINT products_source_website_id_sku_key UNIQUE (source_website_id, sku);

DROP TRIGGER stock_movements_apply ON stock_movements;
CREATE TRIGGER stock_movements_apply BEFORE INSERT ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION stock_movements_apply();
DROP TRIGGER products_stock_insert ON products;
DROP FUNCTION products_enter_stock();
CREATE TRIGGER products_stock_insert BEFORE INSERT ON products
    FOR EACH ROW WHEN (NEW.stock <> 0) EXECUTE FUNCTION products_guard_stock();

CREATE FUNCTION search_put_product(p products) RETURNS void LANGUAGE sql AS $$
    SELECT search_put('product', p.id, p.is_active,
        concat_ws(' ', p.name, p.sku, p.barcode),
        concat_ws(' ', (SELECT name FROM brands WHERE id = p.brand_id), (SELECT name FROM categories WHERE id = p.category_id), p.variant),
        p.description)
$$;
CREATE OR REPLACE FUNCTION search_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put_product(NEW);
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION search_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('category', NEW.id, true, NEW.name, '', NEW.description);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_product(p) FROM products p WHERE p.category_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION search_brands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('brand', NEW.id, true, NEW.name, '', NEW.description);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_product(p) FROM products p WHERE p.brand_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER products_search_update ON products;
CREATE TRIGGER products_search_update AFTER UPDATE OF name, sku, barcode, variant, description, brand_id, category_id, is_active ON products
    FOR EACH ROW EXECUTE FUNCTION search_products();
DROP TRIGGER products_search_insert ON products;
CREATE TRIGGER products_search_insert AFTER INSERT ON products FOR EACH ROW EXECUTE FUNCTION search_products();
DROP FUNCTION search_products_inserted();
DROP FUNCTION search_put_products(bigint[]);

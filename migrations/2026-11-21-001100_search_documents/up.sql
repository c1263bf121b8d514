-- One text document per thing that can be searched, kept by triggers of the nouns, so that a search is one index
-- scan over one table. Weights: A name, SKU, barcode; B brand, category, variant; C description.
CREATE TEXT SEARCH CONFIGURATION souk (COPY = english);
ALTER TEXT SEARCH CONFIGURATION souk
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;

CREATE TABLE search_documents (
    kind text NOT NULL CONSTRAINT search_documents_kind_known CHECK (kind IN ('product', 'category', 'brand', 'supplier')),
    node_id bigint NOT NULL,
    is_public boolean NOT NULL,
    document tsvector NOT NULL,
    CONSTRAINT search_documents_pkey PRIMARY KEY (kind, node_id)
);
CREATE INDEX search_documents_document_idx ON search_documents USING gin (document);

CREATE FUNCTION search_put(kind text, node_id bigint, is_public boolean, a text, b text, c text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, document)
    VALUES (kind, node_id, is_public,
        setweight(to_tsvector('souk', a), 'A') || setweight(to_tsvector('souk', b), 'B') || setweight(to_tsvector('souk', c), 'C'))
    ON CONFLICT ON CONSTRAINT search_documents_pkey
        DO UPDATE SET is_public = EXCLUDED.is_public, document = EXCLUDED.document
$$;

CREATE FUNCTION search_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_documents WHERE kind = TG_ARGV[0] AND node_id = OLD.id;
    RETURN NULL;
END $$;

CREATE FUNCTION search_put_product(p products) RETURNS void LANGUAGE sql AS $$
    SELECT search_put('product', p.id, p.is_active,
        concat_ws(' ', p.name, p.sku, p.barcode),
        concat_ws(' ', (SELECT name FROM brands WHERE id = p.brand_id), (SELECT name FROM categories WHERE id = p.category_id), p.variant),
        p.description)
$$;

CREATE FUNCTION search_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put_product(NEW);
    RETURN NULL;
END $$;
CREATE TRIGGER products_search_insert AFTER INSERT ON products FOR EACH ROW EXECUTE FUNCTION search_products();
CREATE TRIGGER products_search_update AFTER UPDATE OF name, sku, barcode, variant, description, brand_id, category_id, is_active ON products
    FOR EACH ROW EXECUTE FUNCTION search_products();
CREATE TRIGGER products_search_delete AFTER DELETE ON products FOR EACH ROW EXECUTE FUNCTION search_forget('product');

CREATE FUNCTION search_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('category', NEW.id, true, NEW.name, '', NEW.description);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_product(p) FROM products p WHERE p.category_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER categories_search AFTER INSERT OR UPDATE OF name, description ON categories
    FOR EACH ROW EXECUTE FUNCTION search_categories();
CREATE TRIGGER categories_search_delete AFTER DELETE ON categories FOR EACH ROW EXECUTE FUNCTION search_forget('category');

CREATE FUNCTION search_brands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('brand', NEW.id, true, NEW.name, '', NEW.description);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_product(p) FROM products p WHERE p.brand_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER brands_search AFTER INSERT OR UPDATE OF name, description ON brands
    FOR EACH ROW EXECUTE FUNCTION search_brands();
CREATE TRIGGER brands_search_delete AFTER DELETE ON brands FOR EACH ROW EXECUTE FUNCTION search_forget('brand');

CREATE FUNCTION search_suppliers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('supplier', NEW.id, false, NEW.name, concat_ws(' ', NEW.email, NEW.phone), '');
    RETURN NULL;
END $$;
CREATE TRIGGER suppliers_search AFTER INSERT OR UPDATE ON suppliers FOR EACH ROW EXECUTE FUNCTION search_suppliers();
CREATE TRIGGER suppliers_search_delete AFTER DELETE ON suppliers FOR EACH ROW EXECUTE FUNCTION search_forget('supplier');

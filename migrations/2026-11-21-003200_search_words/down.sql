CREATE OR REPLACE FUNCTION search_put(kind text, node_id bigint, is_public boolean, a text, b text, c text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, document)
    VALUES (kind, node_id, is_public,
        setweight(to_tsvector('souk', a), 'A') || setweight(to_tsvector('souk', b), 'B') || setweight(to_tsvector('souk', c), 'C'))
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, document = EXCLUDED.document
$$;
CREATE OR REPLACE FUNCTION search_put_products(ids bigint[]) RETURNS void LANGUAGE sql AS $$
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
CREATE OR REPLACE FUNCTION search_products_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP INDEX search_documents_popularity_idx;
ALTER TABLE search_documents DROP COLUMN popularity;
DROP FUNCTION search_learn(text);
DROP TABLE search_words;
DROP FUNCTION search_words_of(text);
DROP FUNCTION search_product(text, text, text, text, text, text, text);
DROP FUNCTION search_part("char", VARIADIC text[]);
DROP TEXT SEARCH CONFIGURATION souk_words;

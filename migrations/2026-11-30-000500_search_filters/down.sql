DROP FUNCTION search_is_complete(text, text);
DROP TRIGGER product_groups_search ON product_groups;
DROP TRIGGER categories_search_path ON categories;
DROP TRIGGER products_search_values ON products;
DROP FUNCTION search_group_options();
DROP FUNCTION search_category_path();
DROP FUNCTION search_product_values();

DROP TRIGGER products_search_update ON products;
CREATE TRIGGER products_search_update
    AFTER UPDATE OF name, sku, barcode, variant, tags, description, brand_id, category_id, is_active ON products
    FOR EACH ROW WHEN ((OLD.name, OLD.sku, OLD.barcode, OLD.variant, OLD.tags, OLD.description, OLD.brand_id, OLD.category_id, OLD.is_active)
        IS DISTINCT FROM
        (NEW.name, NEW.sku, NEW.barcode, NEW.variant, NEW.tags, NEW.description, NEW.brand_id, NEW.category_id, NEW.is_active))
    EXECUTE FUNCTION search_products();
CREATE OR REPLACE FUNCTION search_put_products(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, website_id, is_public, language, document)
    SELECT 'product', p.id, w.id, p.is_active, w.language,
        search_product(w.language, p.name, p.sku, p.barcode, b.name, c.name, concat_ws(' ', p.variant, array_to_string(p.tags, ' ')),
                       p.description)
    FROM products p JOIN websites w ON w.id = p.source_website_id
        LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
    WHERE p.id = ANY (ids)
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET website_id = EXCLUDED.website_id, is_public = EXCLUDED.is_public, language = EXCLUDED.language, document = EXCLUDED.document;
    INSERT INTO search_words (word)
    SELECT DISTINCT w FROM products p, search_words_of(concat_ws(' ', p.name, p.variant)) w WHERE p.id = ANY (ids) ORDER BY w
    ON CONFLICT DO NOTHING
$$;
CREATE OR REPLACE FUNCTION search_products_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_documents (kind, node_id, website_id, is_public, language, document)
        SELECT 'product', p.id, w.id, p.is_active, w.language,
            search_product(w.language, p.name, p.sku, p.barcode, b.name, c.name, concat_ws(' ', p.variant, array_to_string(p.tags, ' ')),
                           p.description)
        FROM new_rows p JOIN websites w ON w.id = p.source_website_id
            LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
        ORDER BY p.id;
    INSERT INTO search_words (word)
        SELECT DISTINCT w FROM new_rows p, search_words_of(concat_ws(' ', p.name, p.variant)) w ORDER BY w
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION search_put(kind text, node_id bigint, is_public boolean, a text, b text, c text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, language, document)
    SELECT kind, node_id, is_public, 'all',
        string_agg((search_part(l, 'A', a) || search_part(l, 'B', b) || search_part(l, 'C', c))::text, ' ')::tsvector
    FROM search_languages() l
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, language = EXCLUDED.language, document = EXCLUDED.document
$$;
DROP VIEW search_product_documents;
ALTER TABLE search_documents DROP COLUMN facets, DROP COLUMN sales_tier, DROP COLUMN created_at, DROP COLUMN is_on_sale,
    DROP COLUMN availability, DROP COLUMN rating, DROP COLUMN price, DROP COLUMN brand_id, DROP COLUMN category_id, DROP COLUMN barcode,
    DROP COLUMN sku, DROP COLUMN name, DROP COLUMN terms, DROP COLUMN keys;
ALTER TABLE search_documents RESET (fillfactor);
DROP FUNCTION search_terms(text[], text[], text[]);
DROP FUNCTION search_keys(bigint, bigint[], bigint, bigint, bigint, text[], text[], text[]);
DROP FUNCTION search_tag_keys(text[]);
DROP FUNCTION search_option_key(text, text);
DROP FUNCTION search_facets(bigint, bigint, bigint, numeric, numeric, text, boolean);
CREATE INDEX search_documents_document_idx ON search_documents USING gin (document);

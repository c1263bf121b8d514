-- Tags, weight and texts for search engines of products, and the columns of imported files that have no place in Souk.
ALTER TABLE products
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}'
        CONSTRAINT products_tags_no_null CHECK (array_position(tags, NULL) IS NULL)
        CONSTRAINT products_tags_count CHECK (cardinality(tags) <= 250),
    ADD COLUMN weight numeric(12, 4) CONSTRAINT products_weight_not_negative CHECK (weight >= 0),
    ADD COLUMN weight_unit text CONSTRAINT products_weight_unit_known CHECK (weight_unit IN ('g', 'kg', 'oz', 'lb')),
    ADD COLUMN seo_title text
        CONSTRAINT products_seo_title_length CHECK (char_length(seo_title) <= 255 AND btrim(seo_title) <> ''),
    ADD COLUMN seo_description text
        CONSTRAINT products_seo_description_length CHECK (char_length(seo_description) <= 1000 AND btrim(seo_description) <> ''),
    ADD CONSTRAINT products_weight_with_unit CHECK ((weight IS NULL) = (weight_unit IS NULL));

-- Returns tags in lower case, in which they are compared. Not a quoted body: it is used in an index, which PostgreSQL
-- builds with a search path that has no collations of Souk.
CREATE FUNCTION souk_tag_keys(tags text[]) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN cardinality(tags) = 0 THEN tags ELSE
        ARRAY(SELECT lower(tag COLLATE lower_case) FROM unnest(tags) WITH ORDINALITY AS t (tag, place) ORDER BY place) END;
CREATE INDEX products_tags_idx ON products USING gin (souk_tag_keys(tags));

-- Tags are searchable words with the weight of brand, category and variant.
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
DROP TRIGGER products_search_update ON products;
CREATE TRIGGER products_search_update
    AFTER UPDATE OF name, sku, barcode, variant, tags, description, brand_id, category_id, is_active ON products
    FOR EACH ROW WHEN ((OLD.name, OLD.sku, OLD.barcode, OLD.variant, OLD.tags, OLD.description, OLD.brand_id, OLD.category_id, OLD.is_active)
        IS DISTINCT FROM
        (NEW.name, NEW.sku, NEW.barcode, NEW.variant, NEW.tags, NEW.description, NEW.brand_id, NEW.category_id, NEW.is_active))
    EXECUTE FUNCTION search_products();

-- The columns of an imported file that Souk has no place for, as a list of {column, rows}.
ALTER TABLE transfers ADD COLUMN ignored_columns jsonb NOT NULL DEFAULT '[]';

-- Audited when it is requested, without its progress.
DROP TRIGGER transfers_audit ON transfers;
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'rejections',
        'ignored_columns', 'missing', 'failure', 'started_at', 'finished_at', 'locked_until', 'run');

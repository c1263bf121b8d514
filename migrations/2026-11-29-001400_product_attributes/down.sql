DROP TRIGGER transfers_audit ON transfers;
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'rejections',
        'missing', 'failure', 'started_at', 'finished_at', 'locked_until', 'run');
ALTER TABLE transfers DROP COLUMN ignored_columns;

DROP TRIGGER products_search_update ON products;
CREATE TRIGGER products_search_update AFTER UPDATE OF name, sku, barcode, variant, description, brand_id, category_id, is_active ON products
    FOR EACH ROW WHEN ((OLD.name, OLD.sku, OLD.barcode, OLD.variant, OLD.description, OLD.brand_id, OLD.category_id, OLD.is_active)
        IS DISTINCT FROM
        (NEW.name, NEW.sku, NEW.barcode, NEW.variant, NEW.description, NEW.brand_id, NEW.category_id, NEW.is_active))
    EXECUTE FUNCTION search_products();
CREATE OR REPLACE FUNCTION search_put_products(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, website_id, is_public, language, document)
    SELECT 'product', p.id, w.id, p.is_active, w.language,
        search_product(w.language, p.name, p.sku, p.barcode, b.name, c.name, p.variant, p.description)
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
            search_product(w.language, p.name, p.sku, p.barcode, b.name, c.name, p.variant, p.description)
        FROM new_rows p JOIN websites w ON w.id = p.source_website_id
            LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
        ORDER BY p.id;
    INSERT INTO search_words (word)
        SELECT DISTINCT w FROM new_rows p, search_words_of(concat_ws(' ', p.name, p.variant)) w ORDER BY w
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
SELECT search_put_products((SELECT array_agg(id) FROM products WHERE tags <> '{}'));

DROP INDEX products_tags_idx;
DROP FUNCTION souk_tag_keys(text[]);
ALTER TABLE products
    DROP COLUMN tags,
    DROP COLUMN weight,
    DROP COLUMN weight_unit,
    DROP COLUMN seo_title,
    DROP COLUMN seo_description;

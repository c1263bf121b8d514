DROP TRIGGER websites_search_update ON websites;
DROP TRIGGER websites_search_insert ON websites;
DROP FUNCTION search_website();
DROP FUNCTION search_put_common();
DROP FUNCTION search_product(text, text, text, text, text, text, text, text);
DROP FUNCTION search_part(text, "char", VARIADIC text[]);
DROP INDEX search_documents_few_idx;
DROP INDEX search_documents_sold_idx;
ALTER TABLE search_documents DROP COLUMN website_id;
ALTER TABLE search_documents DROP COLUMN language;
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY '{ar,hy,eu,ca,da,nl,fi,fr,de,el,hi,hu,id,ga,it,lt,ne,no,pt,ro,ru,sr,es,sv,ta,tr,yi,other}'::text[] LOOP
        EXECUTE format('DROP TEXT SEARCH CONFIGURATION souk_%s', one);
        EXECUTE format('DROP TEXT SEARCH DICTIONARY IF EXISTS souk_stop_%s', one);
    END LOOP;
END $$;
ALTER TEXT SEARCH CONFIGURATION souk_en RENAME TO souk;

CREATE FUNCTION search_part(weight "char", VARIADIC texts text[]) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(to_tsvector('souk', translate(array_to_string(texts, ' '), '/', ' ')), weight)
$$;
CREATE FUNCTION search_product(name text, sku text, barcode text, brand text, category text, variant text, description text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_part('A', name, sku, barcode) || search_part('B', brand, category, variant) || search_part('C', description)
$$;
CREATE OR REPLACE FUNCTION search_put(kind text, node_id bigint, is_public boolean, a text, b text, c text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, document)
    VALUES (kind, node_id, is_public, search_part('A', a) || search_part('B', b) || search_part('C', c))
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, document = EXCLUDED.document
$$;
CREATE OR REPLACE FUNCTION search_put_products(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, document)
    SELECT 'product', p.id, p.is_active,
        search_product(p.name, p.sku, p.barcode, b.name, c.name, p.variant, p.description)
    FROM products p LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
    WHERE p.id = ANY (ids)
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, document = EXCLUDED.document;
    INSERT INTO search_words (word)
    SELECT DISTINCT w FROM products p, search_words_of(concat_ws(' ', p.name, p.variant)) w WHERE p.id = ANY (ids) ORDER BY w
    ON CONFLICT DO NOTHING
$$;
CREATE OR REPLACE FUNCTION search_products_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_documents (kind, node_id, is_public, document)
        SELECT 'product', p.id, p.is_active,
            search_product(p.name, p.sku, p.barcode, b.name, c.name, p.variant, p.description)
        FROM new_rows p LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
        ORDER BY p.id;
    INSERT INTO search_words (word)
        SELECT DISTINCT w FROM new_rows p, search_words_of(concat_ws(' ', p.name, p.variant)) w ORDER BY w
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

DROP FUNCTION search_languages();
DROP TABLE search_websites;
ALTER TABLE websites DROP COLUMN language;

SELECT search_put_products((SELECT array_agg(id) FROM products));
SELECT search_put('category', id, true, name, '', description) FROM categories;
SELECT search_put('brand', id, true, name, '', description) FROM brands;
SELECT search_put('supplier', id, false, name, concat_ws(' ', email, phone), '') FROM suppliers;

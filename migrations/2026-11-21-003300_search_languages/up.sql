-- A website has a language, and its products are indexed with the stemming of that language. Entities without a website
-- (categories, brands, suppliers) are indexed in all languages. A document has the language it was indexed in and is
-- searched in it.
ALTER TABLE websites ADD COLUMN language text NOT NULL DEFAULT 'en'
    CONSTRAINT websites_language_known CHECK (language IN (
        'ar', 'hy', 'eu', 'ca', 'da', 'nl', 'en', 'fi', 'fr', 'de', 'el', 'hi', 'hu', 'id', 'ga', 'it', 'lt', 'ne',
        'no', 'pt', 'ro', 'ru', 'sr', 'es', 'sv', 'ta', 'tr', 'yi', 'other'));

ALTER TEXT SEARCH CONFIGURATION souk RENAME TO souk_en;
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('ar', 'arabic'), ('hy', 'armenian'), ('eu', 'basque'), ('ca', 'catalan'), ('da', 'danish'), ('nl', 'dutch'),
        ('fi', 'finnish'), ('fr', 'french'), ('de', 'german'), ('el', 'greek'), ('hi', 'hindi'), ('hu', 'hungarian'),
        ('id', 'indonesian'), ('ga', 'irish'), ('it', 'italian'), ('lt', 'lithuanian'), ('ne', 'nepali'),
        ('no', 'norwegian'), ('pt', 'portuguese'), ('ro', 'romanian'), ('ru', 'russian'), ('sr', 'serbian'),
        ('es', 'spanish'), ('sv', 'swedish'), ('ta', 'tamil'), ('tr', 'turkish'), ('yi', 'yiddish')) AS languages (code, name)
    LOOP
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION souk_%s (COPY = %s)', one.code, one.name);
        EXECUTE format('ALTER TEXT SEARCH CONFIGURATION souk_%s ALTER MAPPING FOR hword, hword_part, word WITH unaccent, %s_stem',
                       one.code, one.name);
    END LOOP;
    -- Stop words are removed before unaccent, after which the stop word lists would not match.
    FOR one IN SELECT * FROM (VALUES
        ('da', 'danish'), ('nl', 'dutch'), ('fi', 'finnish'), ('fr', 'french'), ('de', 'german'), ('hu', 'hungarian'),
        ('it', 'italian'), ('ne', 'nepali'), ('no', 'norwegian'), ('pt', 'portuguese'), ('ru', 'russian'), ('es', 'spanish'),
        ('sv', 'swedish'), ('tr', 'turkish')) AS languages (code, name)
    LOOP
        EXECUTE format('CREATE TEXT SEARCH DICTIONARY souk_stop_%s (TEMPLATE = pg_catalog.simple, STOPWORDS = %s, ACCEPT = false)',
                       one.code, one.name);
        EXECUTE format('ALTER TEXT SEARCH CONFIGURATION souk_%s ALTER MAPPING FOR hword, hword_part, word
                        WITH souk_stop_%s, unaccent, %s_stem', one.code, one.code, one.name);
    END LOOP;
END $$;
-- For languages that PostgreSQL has no stemmer for: unaccented words.
CREATE TEXT SEARCH CONFIGURATION souk_other (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION souk_other ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;

-- The language that a website's products are indexed in. It differs from the website's language only until reindexing
-- is done.
CREATE TABLE search_websites (
    website_id bigint CONSTRAINT search_websites_pkey PRIMARY KEY
        CONSTRAINT search_websites_website_id_fkey REFERENCES websites ON DELETE CASCADE,
    language text NOT NULL
);
INSERT INTO search_websites (website_id, language) SELECT id, language FROM websites;

-- The languages of all documents.
CREATE FUNCTION search_languages() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT language FROM websites UNION SELECT language FROM search_websites
    UNION SELECT 'en' WHERE NOT EXISTS (SELECT FROM websites)
$$;

ALTER TABLE search_documents ADD COLUMN language text NOT NULL DEFAULT 'en';
ALTER TABLE search_documents ALTER COLUMN language DROP DEFAULT;
-- The website that sells a product; null for entities without a website.
ALTER TABLE search_documents ADD COLUMN website_id bigint;
UPDATE search_documents d SET website_id = p.source_website_id FROM products p WHERE d.kind = 'product' AND p.id = d.node_id;
-- Suggestions query categories and brands separately from the far more numerous products, and products with sales
-- first.
CREATE INDEX search_documents_few_idx ON search_documents USING gin (document) WHERE kind <> 'product';
CREATE INDEX search_documents_sold_idx ON search_documents USING gin (document) WHERE popularity > 0;

DROP FUNCTION search_product(text, text, text, text, text, text, text);
DROP FUNCTION search_part("char", VARIADIC text[]);
-- PostgreSQL parses words joined by a slash as a file path, so slashes are replaced with spaces.
CREATE FUNCTION search_part(language text, weight "char", VARIADIC texts text[]) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(to_tsvector(('souk_' || language)::regconfig, translate(array_to_string(texts, ' '), '/', ' ')), weight)
$$;
CREATE FUNCTION search_product(language text, name text, sku text, barcode text, brand text, category text, variant text,
                               description text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_part(language, 'A', name, sku, barcode) || search_part(language, 'B', brand, category, variant)
        || search_part(language, 'C', description)
$$;

CREATE OR REPLACE FUNCTION search_put(kind text, node_id bigint, is_public boolean, a text, b text, c text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, language, document)
    SELECT kind, node_id, is_public, 'all',
        string_agg((search_part(l, 'A', a) || search_part(l, 'B', b) || search_part(l, 'C', c))::text, ' ')::tsvector
    FROM search_languages() l
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, language = EXCLUDED.language, document = EXCLUDED.document
$$;
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

-- Indexes the entities without a website in all languages.
CREATE FUNCTION search_put_common() RETURNS void LANGUAGE sql AS $$
    SELECT search_put('category', id, true, name, '', description) FROM categories;
    SELECT search_put('brand', id, true, name, '', description) FROM brands;
    SELECT search_put('supplier', id, false, name, concat_ws(' ', email, phone), '') FROM suppliers
$$;

CREATE FUNCTION search_website() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_known boolean := EXISTS (SELECT FROM search_websites s WHERE s.language = NEW.language);
BEGIN
    INSERT INTO search_websites (website_id, language) VALUES (NEW.id, NEW.language) ON CONFLICT DO NOTHING;
    IF NOT is_known THEN
        PERFORM search_put_common();
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER websites_search_insert AFTER INSERT ON websites FOR EACH ROW EXECUTE FUNCTION search_website();
CREATE TRIGGER websites_search_update AFTER UPDATE OF language ON websites FOR EACH ROW
    WHEN (NEW.language <> OLD.language) EXECUTE FUNCTION search_website();

SELECT search_put_common();

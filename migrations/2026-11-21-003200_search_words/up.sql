-- Spelling correction and popularity. Indexed words are the candidates for a word that matches nothing; how much a
-- product sells ranks the many matches of a common word.
CREATE TEXT SEARCH CONFIGURATION souk_words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION souk_words
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;

-- Words of names as written, without stemming. A word is revealed only if a search for it finds something visible.
CREATE TABLE search_words (
    word text COLLATE "C" CONSTRAINT search_words_pkey PRIMARY KEY
        CONSTRAINT search_words_length CHECK (char_length(word) BETWEEN 3 AND 40)
);
CREATE INDEX search_words_word_trgm_idx ON search_words USING gin (word gin_trgm_ops);

ALTER TABLE search_documents ADD COLUMN popularity real NOT NULL DEFAULT 0
    CONSTRAINT search_documents_popularity_not_negative CHECK (popularity >= 0);
CREATE INDEX search_documents_popularity_idx ON search_documents (popularity, id);

-- PostgreSQL parses words joined by a slash as a file path, so slashes are replaced with spaces.
CREATE FUNCTION search_part(weight "char", VARIADIC texts text[]) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(to_tsvector('souk', translate(array_to_string(texts, ' '), '/', ' ')), weight)
$$;

CREATE FUNCTION search_product(name text, sku text, barcode text, brand text, category text, variant text, description text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_part('A', name, sku, barcode) || search_part('B', brand, category, variant) || search_part('C', description)
$$;

CREATE FUNCTION search_words_of(text text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT w FROM unnest(tsvector_to_array(to_tsvector('souk_words', translate(text, '/', ' ')))) w
    WHERE char_length(w) BETWEEN 3 AND 40 AND w !~ '[0-9@/.:_&+-]'
$$;
-- Sorted, so that concurrent inserts of the same words do not deadlock.
CREATE FUNCTION search_learn(text text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_words (word) SELECT w FROM search_words_of(text) w ORDER BY w ON CONFLICT DO NOTHING
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
CREATE OR REPLACE FUNCTION search_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('category', NEW.id, true, NEW.name, '', NEW.description), search_learn(NEW.name);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_products((SELECT array_agg(id) FROM products WHERE category_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION search_brands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put('brand', NEW.id, true, NEW.name, '', NEW.description), search_learn(NEW.name);
    IF TG_OP = 'UPDATE' AND NEW.name <> OLD.name THEN
        PERFORM search_put_products((SELECT array_agg(id) FROM products WHERE brand_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;

SELECT search_put_products((SELECT array_agg(id) FROM products));
SELECT search_put('category', id, true, name, '', description), search_learn(name) FROM categories;
SELECT search_put('brand', id, true, name, '', description), search_learn(name) FROM brands;

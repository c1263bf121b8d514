-- Filters of the search in the search documents. A word and the filters that rarely change are found by one scan of one
-- index; the row has the other filters, all values that facets count and the names that rank, so that no hit needs its
-- product.

-- Returns the values that facets count as 35 bytes: keys of category, brand and website (0 for none), price in
-- thousandths (8 bytes each, big-endian); whole stars (0 if not rated), first letter of the availability, and 1 if on sale.
-- The values of ten thousand products are read as one text of bytes, many times faster than as rows.
CREATE FUNCTION search_facets(category_id bigint, brand_id bigint, website_id bigint, price numeric, rating numeric,
                              availability text, is_on_sale boolean)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT int8send(coalesce(category_id, 0)) || int8send(coalesce(brand_id, 0)) || int8send(website_id)
        || int8send((price * 1000)::bigint)
        || set_byte(set_byte(set_byte('\x000000', 0, coalesce(trunc(rating), 0)::integer), 1, ascii(availability)), 2, is_on_sale::integer)
$$;

DROP INDEX search_documents_document_idx;
ALTER TABLE search_documents
    -- Filters that rarely change, as texts such as `category:17`; see search_keys.
    ADD COLUMN keys text[] NOT NULL DEFAULT '{}',
    -- Options as name, chr(2) and value, and tags as they are written; separated by chr(1).
    ADD COLUMN terms text NOT NULL DEFAULT '',
    ADD COLUMN name text,
    ADD COLUMN sku text,
    ADD COLUMN barcode text,
    ADD COLUMN category_id bigint,
    ADD COLUMN brand_id bigint,
    ADD COLUMN price numeric,
    -- The average rating; null without ratings.
    ADD COLUMN rating numeric(3, 2),
    ADD COLUMN availability text,
    ADD COLUMN is_on_sale boolean,
    ADD COLUMN created_at timestamptz,
    -- 1 for the best-selling 2 % of the products, 2 for the next 18 %, 0 for all others.
    ADD COLUMN sales_tier smallint NOT NULL DEFAULT 0
        CONSTRAINT search_documents_sales_tier_known CHECK (sales_tier BETWEEN 0 AND 2),
    -- Null for categories, brands and suppliers, which have no price.
    ADD COLUMN facets bytea GENERATED ALWAYS AS (CASE WHEN price IS NOT NULL THEN
        search_facets(category_id, brand_id, website_id, price, rating, availability, is_on_sale) END) STORED;
-- Prices, ratings and availabilities are in no index: a change of them stays on the row's page, if it has space.
ALTER TABLE search_documents SET (fillfactor = 90);

-- Returns the keys of a product: `category` with its category, `in` with the category and its ancestors, and others with
-- what their names say. Tags are in lower case.
CREATE FUNCTION search_keys(category_id bigint, path bigint[], brand_id bigint, website_id bigint, supplier_id bigint,
                            varies_by text[], option_values text[], tags text[])
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    keys text[] := ARRAY['website:' || website_id];
    one text;
BEGIN
    IF category_id IS NOT NULL THEN
        keys := keys || ('category:' || category_id);
        FOREACH one IN ARRAY path LOOP
            keys := keys || ('in:' || one);
        END LOOP;
    END IF;
    IF brand_id IS NOT NULL THEN
        keys := keys || ('brand:' || brand_id);
    END IF;
    IF supplier_id IS NOT NULL THEN
        keys := keys || ('supplier:' || supplier_id);
    END IF;
    FOR i IN 1 .. coalesce(least(cardinality(varies_by), cardinality(option_values)), 0) LOOP
        keys := keys || search_option_key(varies_by[i], option_values[i]);
    END LOOP;
    RETURN keys || search_tag_keys(tags);
END $$;
CREATE FUNCTION search_option_key(name text, value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT 'option:' || name || chr(2) || value
$$;
CREATE FUNCTION search_tag_keys(tags text[]) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN cardinality(tags) = 0 THEN tags ELSE ARRAY(SELECT 'tag:' || tag FROM unnest(souk_tag_keys(tags)) tag) END
$$;
CREATE FUNCTION search_terms(varies_by text[], option_values text[], tags text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    terms text[] := tags;
BEGIN
    FOR i IN 1 .. coalesce(least(cardinality(varies_by), cardinality(option_values)), 0) LOOP
        terms := terms || (varies_by[i] || chr(2) || option_values[i]);
    END LOOP;
    RETURN array_to_string(terms, chr(1));
END $$;

-- The search documents of the products as they must be.
CREATE VIEW search_product_documents AS
    SELECT p.id AS node_id, w.id AS website_id, p.is_active AS is_public, w.language,
        search_product(w.language, p.name, p.sku, p.barcode, b.name, c.name, concat_ws(' ', p.variant, array_to_string(p.tags, ' ')),
                       p.description) AS document,
        search_keys(p.category_id, c.path, p.brand_id, w.id, p.supplier_id, g.varies_by, p.option_values, p.tags) AS keys,
        search_terms(g.varies_by, p.option_values, p.tags) AS terms,
        p.name, p.sku, p.barcode, p.category_id, p.brand_id, p.group_id, p.price, CASE WHEN p.rating_count > 0 THEN p.rating_average END AS rating, p.availability,
        (p.compare_at_price > p.price) IS TRUE AS is_on_sale, p.created_at, concat_ws(' ', p.name, p.variant) AS words
    FROM products p JOIN websites w ON w.id = p.source_website_id
        LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
        LEFT JOIN product_groups g ON g.id = p.group_id;

CREATE OR REPLACE FUNCTION search_put_products(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, website_id, is_public, language, document, keys, terms, name, sku, barcode,
                                  category_id, brand_id, price, rating, availability, is_on_sale, created_at)
    SELECT 'product', v.node_id, v.website_id, v.is_public, v.language, v.document, v.keys, v.terms, v.name, v.sku, v.barcode,
        v.category_id, v.brand_id, v.price, v.rating, v.availability, v.is_on_sale, v.created_at
    FROM search_product_documents v WHERE v.node_id = ANY (ids) ORDER BY v.node_id
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET website_id = EXCLUDED.website_id, is_public = EXCLUDED.is_public, language = EXCLUDED.language,
            document = EXCLUDED.document, keys = EXCLUDED.keys, terms = EXCLUDED.terms,
            name = EXCLUDED.name, sku = EXCLUDED.sku, barcode = EXCLUDED.barcode, category_id = EXCLUDED.category_id,
            brand_id = EXCLUDED.brand_id, price = EXCLUDED.price, rating = EXCLUDED.rating, availability = EXCLUDED.availability,
            is_on_sale = EXCLUDED.is_on_sale, created_at = EXCLUDED.created_at;
    INSERT INTO search_words (word)
    SELECT DISTINCT w FROM search_product_documents v, search_words_of(v.words) w WHERE v.node_id = ANY (ids) ORDER BY w
    ON CONFLICT DO NOTHING
$$;
CREATE OR REPLACE FUNCTION search_put(kind text, node_id bigint, is_public boolean, a text, b text, c text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_documents (kind, node_id, is_public, language, document, name)
    SELECT kind, node_id, is_public, 'all',
        string_agg((search_part(l, 'A', a) || search_part(l, 'B', b) || search_part(l, 'C', c))::text, ' ')::tsvector, a
    FROM search_languages() l
    ON CONFLICT ON CONSTRAINT search_documents_kind_node_id_key
        DO UPDATE SET is_public = EXCLUDED.is_public, language = EXCLUDED.language, document = EXCLUDED.document, name = EXCLUDED.name
$$;
CREATE OR REPLACE FUNCTION search_products_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put_products(ARRAY(SELECT id FROM new_rows));
    RETURN NULL;
END $$;
DROP TRIGGER products_search_update ON products;
CREATE TRIGGER products_search_update
    AFTER UPDATE OF name, sku, barcode, variant, tags, description, brand_id, category_id, supplier_id, source_website_id, group_id,
        option_values, is_active ON products
    FOR EACH ROW WHEN ((OLD.name, OLD.sku, OLD.barcode, OLD.variant, OLD.tags, OLD.description, OLD.brand_id, OLD.category_id,
                        OLD.supplier_id, OLD.source_website_id, OLD.group_id, OLD.option_values, OLD.is_active)
        IS DISTINCT FROM
        (NEW.name, NEW.sku, NEW.barcode, NEW.variant, NEW.tags, NEW.description, NEW.brand_id, NEW.category_id,
         NEW.supplier_id, NEW.source_website_id, NEW.group_id, NEW.option_values, NEW.is_active))
    EXECUTE FUNCTION search_products();

-- Prices, ratings and availabilities change often: only they are written. Not `UPDATE OF`, because the availability is
-- generated.
CREATE FUNCTION search_product_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_documents SET price = NEW.price, rating = CASE WHEN NEW.rating_count > 0 THEN NEW.rating_average END,
        availability = NEW.availability, is_on_sale = (NEW.compare_at_price > NEW.price) IS TRUE, created_at = NEW.created_at
    WHERE kind = 'product' AND node_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER products_search_values AFTER UPDATE ON products FOR EACH ROW
    WHEN ((OLD.price, OLD.compare_at_price, OLD.rating_count, OLD.rating_average, OLD.availability, OLD.created_at)
        IS DISTINCT FROM
        (NEW.price, NEW.compare_at_price, NEW.rating_count, NEW.rating_average, NEW.availability, NEW.created_at))
    EXECUTE FUNCTION search_product_values();

-- Products of a moved category are in other categories, and those of a group with renamed options have other options.
CREATE FUNCTION search_category_path() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_documents d SET keys = v.keys FROM search_product_documents v
    WHERE v.category_id = NEW.id AND d.kind = 'product' AND d.node_id = v.node_id;
    RETURN NULL;
END $$;
CREATE TRIGGER categories_search_path AFTER UPDATE ON categories
    FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION search_category_path();
CREATE FUNCTION search_group_options() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_documents d SET keys = v.keys, terms = v.terms FROM search_product_documents v
    WHERE v.group_id = NEW.id AND d.kind = 'product' AND d.node_id = v.node_id;
    RETURN NULL;
END $$;
CREATE TRIGGER product_groups_search AFTER UPDATE OF varies_by ON product_groups
    FOR EACH ROW WHEN (OLD.varies_by <> NEW.varies_by) EXECUTE FUNCTION search_group_options();

UPDATE search_documents d SET keys = v.keys, terms = v.terms, name = v.name, sku = v.sku, barcode = v.barcode,
    category_id = v.category_id, brand_id = v.brand_id, price = v.price, rating = v.rating, availability = v.availability, is_on_sale = v.is_on_sale, created_at = v.created_at
FROM search_product_documents v WHERE d.kind = 'product' AND d.node_id = v.node_id;

UPDATE search_documents d SET name = n.name FROM (
    SELECT 'category' AS kind, id, name FROM categories UNION ALL SELECT 'brand', id, name FROM brands
    UNION ALL SELECT 'supplier', id, name FROM suppliers) n
WHERE d.kind = n.kind AND d.node_id = n.id;
ALTER TABLE search_documents ALTER COLUMN name SET NOT NULL;
-- Without the old versions of the rows.
CLUSTER search_documents USING search_documents_pkey;

-- The best-selling of the hits of a frequent word are found by their tier. The list of pending entries, which makes bulk
-- inserts faster, is short, because each search reads it: 128 kB take less than 0.1 ms, the default of 4 MB takes 2 ms.
CREATE INDEX search_documents_document_idx ON search_documents USING gin (document, keys, sales_tier) WITH (gin_pending_list_limit = 128);

-- Returns whether a word is complete: it is in a name, and is not the beginning of a longer word in a name. Then a search for
-- all words that begin with it would only find the same more slowly. Not in German, which writes umlauts in two ways.
CREATE FUNCTION search_is_complete(language text, text text) RETURNS boolean LANGUAGE sql STABLE STRICT AS $$
    SELECT language <> 'de' AND EXISTS (SELECT FROM search_words w WHERE w.word = t.word)
        AND NOT EXISTS (SELECT FROM search_words w WHERE w.word > t.word AND w.word < t.word || chr(1114111))
    FROM (SELECT btrim(unaccent(search_plain('other', text)), ' ' || chr(2)) COLLATE "C" AS word) t
$$;

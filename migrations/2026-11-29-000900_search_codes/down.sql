CREATE OR REPLACE FUNCTION search_part(language text, weight "char", VARIADIC texts text[]) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(to_tsvector(('souk_' || language)::regconfig, translate(array_to_string(texts, ' '), '/', ' ')), weight)
$$;
CREATE OR REPLACE FUNCTION search_product(language text, name text, sku text, barcode text, brand text, category text, variant text,
                               description text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_part(language, 'A', name, sku, barcode) || search_part(language, 'B', brand, category, variant)
        || search_part(language, 'C', description)
$$;
CREATE OR REPLACE FUNCTION search_key(language text, text text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT language || ':' || q::text
    FROM phraseto_tsquery(('souk_' || language)::regconfig, translate(text, '/', ' ')) q WHERE numnode(q) > 0
$$;
CREATE OR REPLACE FUNCTION search_words_of(text text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT w FROM unnest(tsvector_to_array(to_tsvector('souk_words', translate(text, '/', ' ')))) w
    WHERE char_length(w) BETWEEN 3 AND 40 AND w !~ '[0-9@/.:_&+-]'
$$;
DROP FUNCTION search_is_stop_word(text, text);
DROP FUNCTION search_query(text, text, boolean, text);
DROP FUNCTION search_run_query(text, text);
DROP FUNCTION search_lexeme(text, boolean, text);
DROP FUNCTION search_pairs(text);
DROP FUNCTION search_joined_parts(text);
DROP FUNCTION search_parts(text);
DROP FUNCTION search_plain(text, text);
DROP FUNCTION search_plain_unicode(text);
DROP COLLATION lower_case;
DO $$
DECLARE
    code text;
BEGIN
    FOREACH code IN ARRAY ARRAY['ar', 'hy', 'eu', 'ca', 'da', 'nl', 'en', 'fi', 'fr', 'de', 'el', 'hi', 'hu', 'id', 'ga', 'it', 'lt',
                                'ne', 'no', 'pt', 'ro', 'ru', 'sr', 'es', 'sv', 'ta', 'tr', 'yi'] LOOP
        EXECUTE format('DROP TEXT SEARCH CONFIGURATION souk_all_%s', code);
        EXECUTE format('DROP TEXT SEARCH DICTIONARY souk_stem_%s', code);
    END LOOP;
END $$;
DROP TEXT SEARCH CONFIGURATION souk_all_other;

SELECT search_put_products((SELECT array_agg(id) FROM products));
SELECT search_put_common();
UPDATE search_rules SET words = words;

-- The SKU is a code as a whole, whatever its signs are: `SR 1001` is also `sr-1001`, and 16.07 is not only a decimal.
CREATE OR REPLACE FUNCTION search_product(language text, name text, sku text, barcode text, brand text, category text, variant text,
                                          description text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_part(language, 'A', name, sku, CASE WHEN sku ~ '[., ]' THEN translate(sku, '., ', '---') END, barcode)
        || search_part(language, 'B', brand, category, variant) || search_part(language, 'C', description)
$$;

-- Returns the query of a word or, for several words, of a phrase; null if the text has no word. With `is_prefix` the last
-- word may be incomplete. A weight restricts the fields: A for names.
CREATE OR REPLACE FUNCTION search_query(language text, text text, is_prefix boolean DEFAULT false, weight text DEFAULT '') RETURNS tsquery
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    all_words regconfig := ('souk_all_' || language)::regconfig;
    no_stop_words regconfig := ('souk_' || language)::regconfig;
    word text;
    words text[] := '{}';
    parts text[];
    sequence text;
    terms text;
    joined text;
    whole tsquery;
    query tsquery;
    runs tsquery;
BEGIN
    FOREACH word IN ARRAY string_to_array(search_plain(language, text), ' ') LOOP
        IF starts_with(word, chr(2)) THEN
            runs := coalesce(runs && search_run_query(substr(word, 2), weight), search_run_query(substr(word, 2), weight));
        ELSIF word ~ '[^-'']' THEN
            words := words || word;
        END IF;
    END LOOP;
    parts := search_parts(array_to_string(words, '-'));
    IF cardinality(parts) > 1 THEN
        -- Neighbors, except for words as in `rope-fender` and `men's`. Very short beginnings would match a large part of the
        -- index; the joined parts below have them, too.
        sequence := CASE WHEN cardinality(words) = 1 AND (words[1] ~ '\w''\w' OR words[1] ~ '^[^-0-9]{3,}(-[^-0-9]{3,})*-?$')
                    THEN ' & ' ELSE ' <-> ' END;
        SELECT string_agg(search_lexeme(part, is_prefix AND i = cardinality(parts) AND char_length(part) > 2, weight), sequence ORDER BY i) INTO terms
            FROM unnest(parts) WITH ORDINALITY p (part, i);
        query := to_tsquery(CASE WHEN (cardinality(words) = 1 AND sequence = ' <-> ') OR to_tsvector(no_stop_words, array_to_string(parts, ' ')) = ''
                            THEN all_words ELSE no_stop_words END, terms);
    END IF;
    IF cardinality(words) = 1 THEN
        joined := unaccent(array_to_string(parts, ''));
        -- A complete word comes twice, as a word and as a prefix, so that it ranks above longer words.
        terms := search_lexeme(joined, false, weight) || CASE WHEN is_prefix THEN ' | ' || search_lexeme(joined, true, weight) ELSE '' END;
        whole := CASE WHEN joined ~ '[0-9]' THEN terms::tsquery ELSE to_tsquery(all_words, terms) END;
        query := coalesce(whole || query, whole);
    END IF;
    RETURN coalesce(query && runs, query, runs);
END $$;

DROP FUNCTION search_joined_words(text);
DROP FUNCTION search_dashed(text, boolean);

SELECT search_put_products((SELECT array_agg(id) FROM products));
UPDATE search_rules SET words = words;

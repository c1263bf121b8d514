-- Codes are found in more spellings: with another sign for a point or comma (`HAT3320.8T` for `HAT3320-8T`), and without the
-- spaces and brackets between their words (`gsr18v55` for `GSR 18V-55`).

-- Returns a text with dashes for the points and commas in numbers that may separate the parts of a code: points between at
-- least four digits or in numbers with several, and points and commas after a letter or another number of the same word.
-- Texts are stricter than queries: 12.50 and 3G2.5 are measures, 906.02 and LM2937-2.5 may be codes.
CREATE FUNCTION search_dashed(text text, is_query boolean DEFAULT false) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    word text;
    words text[] := '{}';
BEGIN
    IF text !~ '[0-9][.,][0-9]' THEN
        RETURN text;
    END IF;
    FOREACH word IN ARRAY string_to_array(text, ' ') LOOP
        words := words || CASE
            WHEN is_query OR word ~ '[0-9.,]{6}|[A-Za-z].*[0-9][^0-9.,]+[0-9]+[.,][0-9]' THEN
                regexp_replace(word, '(?<=(?:[A-Za-z]|[0-9][-/_+]).*[0-9])[.,](?=[0-9])|(?<=[0-9]{3})\.(?=[0-9])|(?<=[0-9]{2})\.(?=[0-9]{2})|(?<=[0-9])\.(?=[0-9]{3})|(?<=[0-9])\.(?=[0-9]+\.[0-9])|(?<=\.[0-9]+)\.(?=[0-9])',
                               '-', 'g')
            ELSE word END;
    END LOOP;
    RETURN array_to_string(words, ' ');
END $$;

-- Returns up to four neighboring words joined, if one of them has a digit. Decimals at the beginning keep their point.
CREATE FUNCTION search_joined_words(plain text) RETURNS tsvector LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    word text;
    words text[] := '{}';
    joined text;
    codes text := '';
    position integer := 0;
BEGIN
    IF plain !~ '[0-9]' THEN
        RETURN '';
    END IF;
    FOREACH word IN ARRAY string_to_array(plain, ' ') LOOP
        word := replace(replace(word, '-', ''), '''', '');
        IF word <> '' AND NOT starts_with(word, chr(2)) THEN
            words := words || word;
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(words) - 1 LOOP
        joined := words[i];
        FOR j IN i + 1 .. least(cardinality(words), i + 3) LOOP
            joined := joined || words[j];
            CONTINUE WHEN joined !~ '[0-9]' OR octet_length(joined) > 200;
            position := position + 1;
            codes := codes || ' ''' || CASE WHEN joined ~ '^[0-9]+\.' THEN joined ELSE replace(joined, '.', '') END || ''':' || position;
        END LOOP;
    END LOOP;
    RETURN setweight(unaccent(codes)::tsvector, 'A');
END $$;

-- The SKU is a code as a whole, whatever its signs are: `SR 1001` is also `sr-1001`, and 16.07 is not only a decimal. In a
-- name it is not known where a code begins and ends.
CREATE OR REPLACE FUNCTION search_product(language text, name text, sku text, barcode text, brand text, category text, variant text,
                                          description text)
RETURNS tsvector LANGUAGE plpgsql STABLE AS $$
DECLARE
    signs CONSTANT text := '[\s!"$%()*,.;<=>?[\\\]^`{|}~]+';
    dashed text := search_dashed(name);
    codes text;
BEGIN
    IF dashed <> name THEN
        codes := (SELECT string_agg(new, ' ') FROM unnest(string_to_array(name, ' '), string_to_array(dashed, ' ')) words (old, new) WHERE new <> old);
    END IF;
    RETURN search_part(language, 'A', name, codes, sku, CASE WHEN sku ~ signs THEN regexp_replace(sku, signs, '-', 'g') END, barcode)
        || search_joined_words(search_plain(language, dashed))
        || search_part(language, 'B', brand, category, variant) || search_part(language, 'C', description);
END $$;

-- Returns the query of a word or, for several words, of a phrase; null if the text has no word. With `is_prefix` the last
-- word may be incomplete. A weight restricts the fields: A for names. Codes are also searched with dashes for their points.
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
    dashed text := search_dashed(text, true);
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
    query := coalesce(query && runs, query, runs);
    -- Each time fewer points are left, so this ends.
    RETURN CASE WHEN dashed = text THEN query ELSE query || search_query(language, dashed, is_prefix, weight) END;
END $$;

SELECT search_put_products((SELECT array_agg(id) FROM products));
UPDATE search_rules SET words = words;

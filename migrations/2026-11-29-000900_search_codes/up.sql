-- Texts are taken apart by Souk, in the same way when they are indexed and when they are searched: PostgreSQL's parser
-- reads `-1001` as a signed number, `a/b` as a path, and a sentence without spaces as one word. docs/guides/search.md
-- describes the rules.

-- Configurations that keep stop words, for names: a shop may sell records of The Who.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('ar', 'arabic'), ('hy', 'armenian'), ('eu', 'basque'), ('ca', 'catalan'), ('da', 'danish'), ('nl', 'dutch'),
        ('en', 'english'), ('fi', 'finnish'), ('fr', 'french'), ('de', 'german'), ('el', 'greek'), ('hi', 'hindi'),
        ('hu', 'hungarian'), ('id', 'indonesian'), ('ga', 'irish'), ('it', 'italian'), ('lt', 'lithuanian'),
        ('ne', 'nepali'), ('no', 'norwegian'), ('pt', 'portuguese'), ('ro', 'romanian'), ('ru', 'russian'),
        ('sr', 'serbian'), ('es', 'spanish'), ('sv', 'swedish'), ('ta', 'tamil'), ('tr', 'turkish'), ('yi', 'yiddish'))
        AS languages (code, name)
    LOOP
        EXECUTE format('CREATE TEXT SEARCH DICTIONARY souk_stem_%s (TEMPLATE = snowball, LANGUAGE = %s)', one.code, one.name);
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION souk_all_%s (COPY = pg_catalog.simple)', one.code);
        EXECUTE format('ALTER TEXT SEARCH CONFIGURATION souk_all_%s ALTER MAPPING FOR asciiword, hword, hword_part, word
                        WITH unaccent, souk_stem_%s', one.code, one.code);
    END LOOP;
END $$;
CREATE TEXT SEARCH CONFIGURATION souk_all_other (COPY = souk_other);

-- The collation for lower case in all scripts: that of ICU, or the next best if PostgreSQL is built without it.
DO $$
DECLARE
    best name;
BEGIN
    SELECT c.collname INTO STRICT best
    FROM unnest(ARRAY['und-x-icu', 'pg_c_utf8', 'C.utf8', 'C.UTF-8', 'C']) WITH ORDINALITY AS known (name, rank)
    JOIN pg_collation c ON c.collname = known.name AND c.collencoding IN (-1, pg_char_to_encoding('UTF8'))
    ORDER BY known.rank LIMIT 1;
    EXECUTE format('CREATE COLLATION lower_case FROM pg_catalog.%I', best);
END $$;

-- Compatible characters become one (full-width letters, half-width katakana, ligatures, Arabic and Thai digits), vowel
-- marks and invisible characters are removed, and signs become ASCII or spaces. A run of a script without spaces is
-- marked by chr(2). The ranges are explicit, because character classes depend on the locale of the database.
CREATE FUNCTION search_plain_unicode(text text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    t text := regexp_replace(regexp_replace(text, '[″“”„]', '"', 'g'), '[′‘’‚ʼ´]', '''', 'g');
BEGIN
    -- Not `TM`, which is what the normalization makes of it.
    t := regexp_replace(replace(replace(t, '×', 'x'), '°', '-'), '[™℠]', ' ', 'g');
    t := lower(normalize(t, NFKC) COLLATE lower_case);
    t := regexp_replace(t, '[\u00AD\u0307\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u200C-\u200F\u2060-\u2064\uFE00-\uFE0F\uFEFF]', '', 'g');
    IF t ~ '[٠-٩۰-۹๐-๙٫٬]' THEN
        t := translate(t, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹๐๑๒๓๔๕๖๗๘๙٫٬', '012345678901234567890123456789.,');
    END IF;
    t := regexp_replace(t, '[‐-―−·]', '-', 'g');
    t := regexp_replace(t, '[\u0080-\u00A9\u00AB-\u00B4\u00B6-\u00B9\u00BB-\u00BF\u00D7\u00F7\u05BE\u05C0\u05C3\u05F3\u05F4\u060C\u061B\u061F\u066A-\u066D\u06D4\u0964\u0965\u0E3F\u0E4F\u0E5A\u0E5B\u104A-\u104F\u17D4-\u17D6\u17D8-\u17DB\u2000-\u206F\u20A0-\u20CF\u2190-\u2BFF\u3000-\u3004\u3008-\u3020\u3030\u303D-\u303F\u30A0\u30FB\uE000-\uF8FF\uFE10-\uFE6F\uFFF0-\uFFFF\U0001F000-\U0001FAFF\U000E0000-\U000E0FFF]', ' ', 'g');
    RETURN regexp_replace(t, '[\u0E01-\u0E3A\u0E40-\u0E4E\u0E81-\u0ECF\u0EDC-\u0EDF\u1000-\u103F\u1050-\u109F\u1100-\u11FF\u1780-\u17D3\u17D7\u17DC\u17DD\u3005-\u3007\u3021-\u302F\u3031-\u303C\u3041-\u309F\u30A1-\u30FA\u30FC-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uA960-\uA97F\uA9E0-\uA9FE\uAA60-\uAA7F\uAC00-\uD7FF\uF900-\uFAFF\U00020000-\U0003FFFF]+',
                          ' ' || chr(2) || '\& ', 'g');
END $$;

-- Returns a text in lower case and without signs: spaces separate words, and `-` (for an apostrophe `'`) separates the
-- parts of a word, which are runs of letters and numbers: `DS-7604NI` is `ds-7604-ni`. A point is left in decimals only.
CREATE FUNCTION search_plain(language text, text text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    t text := CASE WHEN octet_length(text) = char_length(text) THEN lower(text) ELSE search_plain_unicode(text) END;
BEGIN
    IF strpos(t, '<') > 0 THEN
        t := regexp_replace(t, '</?[a-z][^<>]*>|<!--.*?-->', ' ', 'g');
    END IF;
    IF strpos(t, '&') > 0 THEN
        t := regexp_replace(t, '&#?[a-z0-9]+;', ' ', 'g');
    END IF;
    IF t ~ '[+#]' THEN
        -- Not found by a search for `c`.
        t := regexp_replace(regexp_replace(t, '\m([a-z])\+\+(?![a-z])', 'plusplus\1 ', 'g'), '\m([a-z])#(?![a-z])', 'sharp\1 ', 'g');
    END IF;
    IF language = 'de' THEN
        -- In `neue`, `Bauer` and `Quelle` the letters are no umlaut.
        t := regexp_replace(replace(replace(t, 'ae', 'ä'), 'oe', 'ö'), '(?<![aäeoöq])ue', 'ü', 'g');
        t := regexp_replace(t, '\mzoll\M', 'inch', 'g');
    END IF;
    IF t ~ '[0-9]' THEN
        IF t ~ '[0-9]["'']' THEN
            t := regexp_replace(t, '([0-9])(?:"|'''')', '\1 inch ', 'g');
        END IF;
        IF t ~ '[0-9][.,''][0-9]' THEN
            -- 1,000,000 and 1'000 are numbers without signs; 2,5 is 2.5.
            t := regexp_replace(t, '(?<![0-9.,])([1-9][0-9]{0,2})[.,'']([0-9]{3})[.,'']([0-9]{3})(?![0-9]|[.,][0-9])', '\1\2\3', 'g');
            t := regexp_replace(t, '(?<![0-9.,])([1-9][0-9]{0,2})[.,'']([0-9]{3})(?![0-9]|[.,][0-9]{3})', '\1\2', 'g');
            t := regexp_replace(t, '(?<![0-9.,])([0-9]+)[.,]([0-9]+)(?![0-9]|[.,][0-9])', '\1' || chr(1) || '\2', 'g');
        END IF;
    END IF;
    -- regexp_replace is many times faster than translate.
    t := regexp_replace(regexp_replace(t, '[/_&+:#@.]', '-', 'g'), '[\t-\r!"$%()*,;<=>?[\\\]^`{|}~]', ' ', 'g');
    t := replace(t, chr(1), '.');
    IF t ~ '[0-9]' THEN
        t := regexp_replace(regexp_replace(t, '([0-9])(?=[^-''. 0-9])', '\1-', 'g'), '([^-''. 0-9])(?=[0-9])', '\1-', 'g');
    END IF;
    RETURN t;
END $$;

-- Returns the parts of a word.
CREATE FUNCTION search_parts(word text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_remove(string_to_array(replace(word, '''', '-'), '-'), '')
$$;

-- Returns the parts of words joined: up to six neighbors, and all from the first one. Loops, because PostgreSQL would
-- compile the plan of a set-returning function for each product.
CREATE FUNCTION search_joined_parts(plain text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    word text;
    parts text[];
    number integer;
    joined text;
    result text[] := '{}';
BEGIN
    IF plain !~ '[^ ][-''][^ ]' THEN
        RETURN result;
    END IF;
    FOREACH word IN ARRAY ARRAY(SELECT code[1] FROM regexp_matches(plain, '[^ ]+[-''][^ ]+', 'g') code) LOOP
        parts := (search_parts(word))[1:30];
        number := cardinality(parts);
        FOR i IN 1 .. number - 1 LOOP
            joined := parts[i];
            FOR j IN i + 1 .. CASE WHEN i = 1 THEN number ELSE least(number, i + 5) END LOOP
                joined := joined || parts[j];
                result := result || joined;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN result;
END $$;

-- Returns the pairs of characters of runs without spaces, and the last character of each, as a text for tsvector.
CREATE FUNCTION search_pairs(plain text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_agg('''' || pair || ''':' || position, ' ') FROM (
        SELECT c || coalesce(lead(c) OVER (PARTITION BY run ORDER BY i), '') AS pair, run + row_number() OVER (ORDER BY run, i) AS position
        FROM unnest(string_to_array(plain, ' ')) WITH ORDINALITY words (word, run), unnest(string_to_array(substr(word, 2), NULL)) WITH ORDINALITY characters (c, i)
        WHERE starts_with(word, chr(2))) pairs
$$;

CREATE OR REPLACE FUNCTION search_part(language text, weight "char", VARIADIC texts text[]) RETURNS tsvector
LANGUAGE plpgsql STABLE AS $$
DECLARE
    plain text := search_plain(language, array_to_string(texts, ' '));
    pairs text := '';
    words text := '';
    codes text := '';
    joined text;
    position integer := 0;
BEGIN
    IF strpos(plain, chr(2)) > 0 THEN
        pairs := search_pairs(plain);
        plain := regexp_replace(plain, '\x02[^ ]+', ' ', 'g');
    END IF;
    FOREACH joined IN ARRAY search_joined_parts(plain) LOOP
        -- A lexeme has at most 2,046 bytes.
        CONTINUE WHEN octet_length(joined) > 2000;
        IF joined ~ '[0-9]' THEN
            position := position + 1;
            codes := codes || ' ''' || joined || ''':' || position;
        ELSE
            words := words || ' ' || joined;
        END IF;
    END LOOP;
    -- Stop words of descriptions are left out: they are too many.
    RETURN setweight(
        to_tsvector((CASE WHEN weight = 'C' THEN 'souk_' ELSE 'souk_all_' END || language)::regconfig, replace(replace(plain, '-', ' '), '''', ' ') || words)
        || unaccent(codes)::tsvector || pairs::tsvector, weight);
END $$;

-- The SKU is a code as a whole, whatever its signs are: `SR 1001` is also `sr-1001`, and 16.07 is not only a decimal.
CREATE OR REPLACE FUNCTION search_product(language text, name text, sku text, barcode text, brand text, category text, variant text,
                                          description text)
RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_part(language, 'A', name, sku, CASE WHEN sku ~ '[., ]' THEN translate(sku, '., ', '---') END, barcode)
        || search_part(language, 'B', brand, category, variant) || search_part(language, 'C', description)
$$;

-- Returns a word as a text for tsquery.
CREATE FUNCTION search_lexeme(word text, is_prefix boolean, weight text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '''' || word || '''' || CASE WHEN is_prefix THEN ':*' ELSE ':' END || weight
$$;

-- Returns the query of a run of a script without spaces: its pairs of characters in this order, or a single character
-- as the beginning of a pair. A Korean word is also found without its particle.
CREATE FUNCTION search_run_query(run text, weight text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    stem text := substring(run FROM '^([\uAC00-\uD7A3]{2,}?)(?:에서|으로|까지|부터|에게|한테|보다|처럼|하고|이나|이랑|은|는|이|가|을|를|의|에|로|과|와|도|만|랑)$');
    pairs text;
BEGIN
    IF char_length(run) = 1 THEN
        RETURN search_lexeme(run, true, weight)::tsquery;
    END IF;
    SELECT string_agg(search_lexeme(substr(run, i, 2), false, weight), ' <-> ' ORDER BY i) INTO pairs
        FROM generate_series(1, char_length(run) - 1) i;
    RETURN CASE WHEN stem IS NULL THEN pairs::tsquery ELSE pairs::tsquery || search_run_query(stem, weight) END;
END $$;

-- Returns the query of a word or, for several words, of a phrase; null if the text has no word. With `is_prefix` the last
-- word may be incomplete. A weight restricts the fields: A for names.
CREATE FUNCTION search_query(language text, text text, is_prefix boolean DEFAULT false, weight text DEFAULT '') RETURNS tsquery
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

-- Returns whether a word is left out of a query while other words remain.
CREATE FUNCTION search_is_stop_word(language text, text text) RETURNS boolean LANGUAGE sql STABLE STRICT AS $$
    SELECT plain ~ '^ *[^-'' \x02]+[-'' ]*$' AND to_tsvector(('souk_' || language)::regconfig, plain) = ''
    FROM search_plain(language, text) plain
$$;

-- Returns the normalized words of a search rule in order, with their language; null if it has no word or is a stop word,
-- which queries leave out.
CREATE OR REPLACE FUNCTION search_key(language text, text text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT language || ':' || q::text FROM search_query(language, text) q
    WHERE numnode(q) > 0 AND NOT search_is_stop_word(language, text)
$$;

CREATE OR REPLACE FUNCTION search_words_of(text text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT w FROM unnest(tsvector_to_array(to_tsvector('souk_words', translate(search_plain('other', text), chr(2) || '-''', '   ')))) w
    WHERE char_length(w) BETWEEN 3 AND 40 AND w !~ '[0-9@/.:_&+-]|^(plusplus|sharp).$'
$$;

SELECT search_put_products((SELECT array_agg(id) FROM products));
SELECT search_put_common();
UPDATE search_rules SET words = words;

DROP FUNCTION search_indexed_word(text);
-- Returns whether a word is complete: it is in a name, and is not the beginning of a longer word in a name. Then a search for
-- all words that begin with it would only find the same more slowly. Not in German, which writes umlauts in two ways.
CREATE FUNCTION search_is_complete(language text, text text) RETURNS boolean LANGUAGE sql STABLE STRICT AS $$
    SELECT language <> 'de' AND EXISTS (SELECT FROM search_words w WHERE w.word = t.word)
        AND NOT EXISTS (SELECT FROM search_words w WHERE w.word > t.word AND w.word < t.word || chr(1114111))
    FROM (SELECT btrim(unaccent(search_plain('other', text)), ' ' || chr(2)) COLLATE "C" AS word) t
$$;

-- The orders of names in languages that have their own: å after z in Swedish, ñ after n in Spanish, Cyrillic before Latin
-- in Russian. The other languages of websites share `name_order`. A PostgreSQL without ICU orders names by code points.
DO $$
DECLARE
    code text;
BEGIN
    FOREACH code IN ARRAY ARRAY['ar', 'da', 'el', 'es', 'fi', 'hi', 'hu', 'hy', 'lt', 'ne', 'no', 'ro', 'ru', 'sr', 'sv', 'ta', 'tr', 'yi'] LOOP
        IF EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') THEN
            EXECUTE format('CREATE COLLATION name_order_%s (provider = icu, locale = %L)', code, code || '-u-kn-true');
        ELSE
            EXECUTE format('CREATE COLLATION name_order_%s FROM "C"', code);
        END IF;
    END LOOP;
END $$;

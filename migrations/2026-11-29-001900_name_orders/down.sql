-- With the indexes that the server created in these orders.
DO $$
DECLARE
    code text;
BEGIN
    FOREACH code IN ARRAY ARRAY['ar', 'da', 'el', 'es', 'fi', 'hi', 'hu', 'hy', 'lt', 'ne', 'no', 'ro', 'ru', 'sr', 'sv', 'ta', 'tr', 'yi'] LOOP
        EXECUTE format('DROP INDEX IF EXISTS products_name_idx_%s', code);
        EXECUTE format('DROP COLLATION name_order_%s', code);
    END LOOP;
END $$;

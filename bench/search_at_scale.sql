-- Data of search_at_scale.sh, identical in every run: inserts products `first` to `last`; earlier ones must exist already.
-- Names have 2 to 5 words and descriptions 6, from a vocabulary of 20,000 words generated from md5 hashes with a
-- Zipf-like distribution: the most frequent word is in 1 of 25 names, half of the words are in fewer than 1 of 10,000.
-- In addition, every tenth name starts with "classic". 4 websites (70, 20, 7 and 3 %), 10 x 10 x 5 categories, 500 brands,
-- 50 suppliers; every tenth product is in a group of five (size and color), every fifth is rated, 1 in 30 is inactive.
-- Requires a database with all migrations applied; it must be empty if `first` is 1.
\set ON_ERROR_STOP on
SELECT :first = 1 AS is_start \gset
\if :is_start
CREATE SCHEMA bench;

-- Returns a deterministic number in [0, 1) for n and k.
CREATE FUNCTION bench.draw(n bigint, k integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS
    'SELECT (hashint8extended(n, k) & 1073741823) / 1073741824.0::double precision';

-- Words of two or three syllables; each syllable is derived from three bytes of the md5 hash of the rank.
CREATE TABLE bench.words AS
    SELECT rank::integer, string_agg(
        ('{b,bl,br,c,ch,cl,d,dr,f,fl,g,gr,h,j,k,l,m,n,p,pl,pr,r,s,sh,sl,st,t,th,tr,v,w,gl}'::text[])[1 + get_byte(hash, 3 * at) % 32]
        || ('{a,a,a,e,e,e,e,i,i,i,o,o,o,u,ea,oo}'::text[])[1 + get_byte(hash, 3 * at + 1) % 16]
        || ('{"","","","","","","","",n,r,l,t,m,ck,nd,st}'::text[])[1 + get_byte(hash, 3 * at + 2) % 16], '' ORDER BY at) AS word
    FROM (SELECT rank, decode(md5(rank::text), 'hex') AS hash FROM generate_series(1, 20000) rank) hashes, generate_series(0, 2) at
    WHERE at < 2 + get_byte(hash, 15) % 2
    GROUP BY rank;
ALTER TABLE bench.words ADD PRIMARY KEY (rank);
ANALYZE bench.words;

INSERT INTO websites (code, name, base_url, currency)
    SELECT 'bench-' || n, 'Bench ' || n, 'https://bench.example', 'EUR' FROM generate_series(1, 4) n ORDER BY n;
-- Ids 1 to 10 are roots, 11 to 110 their children, 111 to 610 their grandchildren.
INSERT INTO categories (parent_id, name, slug, path)
    SELECT parent, initcap(word), 'category-' || n,
        CASE WHEN n <= 10 THEN ARRAY[n] WHEN n <= 110 THEN ARRAY[parent, n] ELSE ARRAY[1 + (parent - 11) / 10, parent, n] END
    FROM (SELECT n, CASE WHEN n <= 10 THEN NULL WHEN n <= 110 THEN 1 + (n - 11) / 10 ELSE 11 + (n - 111) / 5 END AS parent
          FROM generate_series(1, 610) n) tree JOIN bench.words ON rank = 3000 + n ORDER BY n;
INSERT INTO brands (name, slug)
    SELECT initcap(word) || ' ' || n, 'brand-' || n FROM generate_series(1, 500) n JOIN bench.words ON rank = 5000 + n ORDER BY n;
INSERT INTO suppliers (name) SELECT 'Supplier ' || n FROM generate_series(1, 50) n ORDER BY n;
\endif

INSERT INTO product_groups (id, source_website_id, name, slug, varies_by)
    SELECT n, 1, 'Group ' || n, 'group-' || n, '{Size,Colour}' FROM generate_series(:first / 50 + 1, :last / 50) n ORDER BY n;

-- Disables what search does not use: audit log, price history, stock movements. Triggers that maintain search data stay on.
SET souk.audit = off;
ALTER TABLE products DISABLE TRIGGER products_price_insert;
ALTER TABLE products DISABLE TRIGGER products_stock_insert;
-- This trigger rejects ratings that do not come from reviews.
ALTER TABLE products DISABLE TRIGGER products_rating_insert;

CREATE PROCEDURE bench.put(first bigint, last bigint) LANGUAGE sql AS $$
    -- The products of a group share the name of the first. Words 1 to 5 are the name, 6 to 11 the description.
    WITH numbers AS (
        SELECT n, g, CASE WHEN g THEN n - n % 50 ELSE n END AS of_name
        FROM (SELECT n, n % 50 < 5 AND n >= 50 AS g FROM generate_series(first, last) n) n
    ), texts AS (
        SELECT n, g, of_name,
            string_agg(CASE WHEN k = 1 AND bench.draw(of_name, 20) < 0.1 THEN 'classic' ELSE word END, ' ' ORDER BY k)
                FILTER (WHERE k <= 5) AS name,
            string_agg(word, ' ' ORDER BY k) FILTER (WHERE k > 5) AS description
        FROM numbers CROSS JOIN generate_series(1, 11) k
            JOIN bench.words ON rank = least(20000, floor(10 * 2001 ^ bench.draw(of_name, k)) - 9)::integer
        WHERE k <= 2 + floor(4 * bench.draw(of_name, 0)) OR k > 5
        GROUP BY n, g, of_name
    )
    INSERT INTO products (source_website_id, category_id, brand_id, supplier_id, name, slug, sku, barcode, description, price, stock,
                          is_active, rating_count, rating_average, group_id, option_values, created_at)
    SELECT CASE WHEN g THEN 1 ELSE (ARRAY[1, 2, 3, 4])[1 + (draw >= 0.7)::integer + (draw >= 0.9)::integer + (draw >= 0.97)::integer] END,
        111 + floor(500 * bench.draw(of_name, 31) ^ 2), 1 + floor(500 * bench.draw(of_name, 32) ^ 2), 1 + floor(50 * bench.draw(n, 33)),
        initcap(name), 'product-' || n, 'SKU-' || lpad(n::text, 7, '0'), '40' || lpad(n::text, 11, '0'), description,
        round((1 + 500 * bench.draw(of_name, 34) ^ 3)::numeric, 2),
        CASE WHEN bench.draw(n, 35) < 0.05 THEN 0 WHEN bench.draw(n, 35) < 0.1 THEN 3 ELSE 6 + floor(500 * bench.draw(n, 36)) END,
        n % 30 <> 7,
        CASE WHEN n % 5 = 0 THEN 1 + floor(40 * bench.draw(n, 37)) ELSE 0 END,
        CASE WHEN n % 5 = 0 THEN round((1 + 4 * bench.draw(n, 38))::numeric, 2) ELSE 0 END,
        CASE WHEN g THEN n / 50 END,
        CASE WHEN g THEN ARRAY[('{S,M,L,XL,XXL}'::text[])[1 + n % 50],
            ('{Red,Green,Blue,Black,White,Grey,Pink,Brown}'::text[])[1 + floor(8 * bench.draw(n, 39))::integer]] ELSE '{}' END,
        timestamptz '2024-01-01 00:00:00+00' + n * interval '1 minute'
    FROM (SELECT *, bench.draw(n, 30) AS draw FROM texts) drawn ORDER BY n
$$;

SELECT set_config('bench.first', :'first', false), set_config('bench.last', :'last', false) \gset
DO $$ BEGIN
    FOR batch IN current_setting('bench.first')::bigint .. current_setting('bench.last')::bigint BY 10000 LOOP
        CALL bench.put(batch, least(batch + 9999, current_setting('bench.last')::bigint));
        COMMIT;
    END LOOP;
END $$;
DROP PROCEDURE bench.put;

ALTER TABLE products ENABLE TRIGGER products_price_insert;
ALTER TABLE products ENABLE TRIGGER products_stock_insert;
ALTER TABLE products ENABLE TRIGGER products_rating_insert;
VACUUM (ANALYZE);
CHECKPOINT;

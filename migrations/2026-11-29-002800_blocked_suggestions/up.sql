-- Rules that keep queries with their words from being suggested.
ALTER TABLE search_rules ADD COLUMN blocks_suggestions boolean NOT NULL DEFAULT false;
ALTER TABLE search_rules DROP CONSTRAINT search_rules_one_target;
ALTER TABLE search_rules DROP CONSTRAINT search_rules_same_words;
ALTER TABLE search_rules ADD CONSTRAINT search_rules_one_target
    CHECK (num_nonnulls(category_id, brand_id, product_id, url) + blocks_suggestions::integer <= 1);
ALTER TABLE search_rules ADD CONSTRAINT search_rules_same_words
    CHECK (num_nonnulls(category_id, brand_id, product_id, url) = 1 OR blocks_suggestions OR cardinality(words) >= 2);

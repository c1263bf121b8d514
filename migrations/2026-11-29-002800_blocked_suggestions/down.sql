DELETE FROM search_rules WHERE blocks_suggestions;
ALTER TABLE search_rules DROP CONSTRAINT search_rules_one_target;
ALTER TABLE search_rules DROP CONSTRAINT search_rules_same_words;
ALTER TABLE search_rules DROP COLUMN blocks_suggestions;
ALTER TABLE search_rules ADD CONSTRAINT search_rules_one_target
    CHECK (num_nonnulls(category_id, brand_id, product_id, url) <= 1);
ALTER TABLE search_rules ADD CONSTRAINT search_rules_same_words
    CHECK (num_nonnulls(category_id, brand_id, product_id, url) = 1 OR cardinality(words) >= 2);

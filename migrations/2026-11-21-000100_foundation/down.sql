DROP FUNCTION touch_updated_at();
DROP EXTENSION citext;
DROP EXTENSION unaccent;
DROP EXTENSION btree_gin;
DROP EXTENSION pg_trgm;

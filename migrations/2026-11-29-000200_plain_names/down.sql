-- Restores the previous names.

ALTER TABLE audit_log RENAME COLUMN resource_type TO noun;
ALTER TABLE audit_log RENAME COLUMN resource_id TO noun_id;
ALTER TABLE audit_log RENAME CONSTRAINT audit_log_resource_type_known TO audit_log_noun_known;
ALTER INDEX audit_log_resource_type_at_idx RENAME TO audit_log_noun_at_idx;
ALTER INDEX audit_log_resource_id_at_idx RENAME TO audit_log_noun_id_at_idx;

ALTER TABLE sources RENAME COLUMN resource_type TO noun;
ALTER TABLE sources RENAME COLUMN resource_id TO noun_id;
ALTER TABLE sources RENAME CONSTRAINT sources_resource_type_known TO sources_noun_known;
ALTER TABLE sources RENAME CONSTRAINT sources_resource_type_website_id_external_id_key TO sources_noun_website_id_external_id_key;

ALTER TABLE transfers RENAME COLUMN resource TO noun;
ALTER TABLE transfers RENAME CONSTRAINT transfers_resource_length TO transfers_noun_length;

-- Function bodies are text and not affected by renamed columns. Parameters cannot be renamed in place.
DROP FUNCTION audit_put(text, text, bigint, bigint, jsonb, jsonb);
CREATE FUNCTION audit_put(change text, noun text, noun_id bigint, website_id bigint, old_row jsonb, new_row jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := coalesce(nullif(current_setting('souk.actor', true), ''), '{"via": "system"}');
    before jsonb := audit_side(old_row, new_row);
    after jsonb := audit_side(new_row, old_row);
BEGIN
    IF before IS NULL AND after IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO audit_log (user_id, via, session_id, api_key_id, address, request_id, noun, noun_id, website_id,
                           change, before, after)
    VALUES ((actor ->> 'user')::bigint, actor ->> 'via', (actor ->> 'session')::bigint, (actor ->> 'api_key')::bigint,
            actor ->> 'address', actor ->> 'request_id', noun, noun_id, website_id, change, before, after);
END $$;
DO $$
DECLARE
    definition text;
BEGIN
    FOR definition IN
        SELECT pg_get_functiondef(oid) FROM pg_proc
            WHERE pronamespace = current_schema()::regnamespace AND prosrc ~ '\mresource_(type|id)\M'
    LOOP
        EXECUTE regexp_replace(regexp_replace(definition, '\mresource_id\M', 'noun_id', 'g'), '\mresource_type\M', 'noun', 'g');
    END LOOP;
END $$;

DROP TRIGGER sources_audit ON sources;
DROP TRIGGER sources_audit_delete ON sources;
CREATE TRIGGER sources_audit AFTER INSERT OR UPDATE ON sources
    FOR EACH ROW WHEN (NEW.noun = 'User' AND audit_is_on())
    EXECUTE FUNCTION audit_row('User', 'noun_id', 'website_id', 'noun', 'noun_id', 'first_seen', 'last_seen', 'last_transfer_id');
CREATE TRIGGER sources_audit_delete AFTER DELETE ON sources
    FOR EACH ROW WHEN (OLD.noun = 'User' AND audit_is_on())
    EXECUTE FUNCTION audit_row('User', 'noun_id', 'website_id', 'noun', 'noun_id', 'first_seen', 'last_seen', 'last_transfer_id');

ALTER TABLE products RENAME COLUMN low_stock_threshold TO low_stock_at;
ALTER TABLE products RENAME CONSTRAINT products_low_stock_threshold_range TO products_low_stock_at_range;
ALTER TABLE products DROP COLUMN availability,
    ADD COLUMN availability text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN stock - reserved <= 0 THEN 'out' WHEN stock - reserved <= low_stock_at THEN 'low' ELSE 'in_stock' END) STORED;

ALTER TABLE reviews RENAME COLUMN is_verified_purchase TO is_buyer;

UPDATE jobs SET kind = CASE kind
        WHEN 'cleanup_carts' THEN 'tidy_carts' WHEN 'cleanup_access' THEN 'tidy_access'
        WHEN 'cleanup_files' THEN 'sweep_files' WHEN 'cleanup_transfers' THEN 'sweep_transfers'
        WHEN 'refresh_search_popularity' THEN 'tend_search' WHEN 'refresh_analytics' THEN 'tend_analytics'
        WHEN 'reindex_search' THEN 'index_search' END
    WHERE kind IN ('cleanup_carts', 'cleanup_access', 'cleanup_files', 'cleanup_transfers', 'refresh_search_popularity', 'refresh_analytics', 'reindex_search');

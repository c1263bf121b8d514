-- Columns, values and kinds of jobs get the names that the API uses: resource type, low-stock threshold.

ALTER TABLE audit_log RENAME COLUMN noun TO resource_type;
ALTER TABLE audit_log RENAME COLUMN noun_id TO resource_id;
ALTER TABLE audit_log RENAME CONSTRAINT audit_log_noun_known TO audit_log_resource_type_known;
ALTER INDEX audit_log_noun_at_idx RENAME TO audit_log_resource_type_at_idx;
ALTER INDEX audit_log_noun_id_at_idx RENAME TO audit_log_resource_id_at_idx;

ALTER TABLE sources RENAME COLUMN noun TO resource_type;
ALTER TABLE sources RENAME COLUMN noun_id TO resource_id;
ALTER TABLE sources RENAME CONSTRAINT sources_noun_known TO sources_resource_type_known;
ALTER TABLE sources RENAME CONSTRAINT sources_noun_website_id_external_id_key TO sources_resource_type_website_id_external_id_key;

ALTER TABLE transfers RENAME COLUMN noun TO resource;
ALTER TABLE transfers RENAME CONSTRAINT transfers_noun_length TO transfers_resource_length;

-- Function bodies are text and not affected by renamed columns. Parameters cannot be renamed in place.
DROP FUNCTION audit_put(text, text, bigint, bigint, jsonb, jsonb);
CREATE FUNCTION audit_put(change text, resource_type text, resource_id bigint, website_id bigint, old_row jsonb, new_row jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := coalesce(nullif(current_setting('souk.actor', true), ''), '{"via": "system"}');
    before jsonb := audit_side(old_row, new_row);
    after jsonb := audit_side(new_row, old_row);
BEGIN
    IF before IS NULL AND after IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO audit_log (user_id, via, session_id, api_key_id, address, request_id, resource_type, resource_id, website_id,
                           change, before, after)
    VALUES ((actor ->> 'user')::bigint, actor ->> 'via', (actor ->> 'session')::bigint, (actor ->> 'api_key')::bigint,
            actor ->> 'address', actor ->> 'request_id', resource_type, resource_id, website_id, change, before, after);
END $$;
DO $$
DECLARE
    definition text;
BEGIN
    FOR definition IN
        SELECT pg_get_functiondef(oid) FROM pg_proc
            WHERE pronamespace = current_schema()::regnamespace AND prosrc ~ '\mnoun(_id)?\M'
    LOOP
        EXECUTE regexp_replace(regexp_replace(definition, '\mnoun_id\M', 'resource_id', 'g'), '\mnoun\M', 'resource_type', 'g');
    END LOOP;
END $$;

DROP TRIGGER sources_audit ON sources;
DROP TRIGGER sources_audit_delete ON sources;
CREATE TRIGGER sources_audit AFTER INSERT OR UPDATE ON sources
    FOR EACH ROW WHEN (NEW.resource_type = 'User' AND audit_is_on())
    EXECUTE FUNCTION audit_row('User', 'resource_id', 'website_id', 'resource_type', 'resource_id', 'first_seen', 'last_seen', 'last_transfer_id');
CREATE TRIGGER sources_audit_delete AFTER DELETE ON sources
    FOR EACH ROW WHEN (OLD.resource_type = 'User' AND audit_is_on())
    EXECUTE FUNCTION audit_row('User', 'resource_id', 'website_id', 'resource_type', 'resource_id', 'first_seen', 'last_seen', 'last_transfer_id');

ALTER TABLE products RENAME COLUMN low_stock_at TO low_stock_threshold;
ALTER TABLE products RENAME CONSTRAINT products_low_stock_at_range TO products_low_stock_threshold_range;
ALTER TABLE products DROP COLUMN availability,
    ADD COLUMN availability text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN stock - reserved <= 0 THEN 'out_of_stock' WHEN stock - reserved <= low_stock_threshold THEN 'low_stock'
             ELSE 'in_stock' END) STORED;

ALTER TABLE reviews RENAME COLUMN is_buyer TO is_verified_purchase;

UPDATE jobs SET kind = CASE kind
        WHEN 'tidy_carts' THEN 'cleanup_carts' WHEN 'tidy_access' THEN 'cleanup_access'
        WHEN 'sweep_files' THEN 'cleanup_files' WHEN 'sweep_transfers' THEN 'cleanup_transfers'
        WHEN 'tend_search' THEN 'refresh_search_popularity' WHEN 'tend_analytics' THEN 'refresh_analytics'
        WHEN 'index_search' THEN 'reindex_search' END
    WHERE kind IN ('tidy_carts', 'tidy_access', 'sweep_files', 'sweep_transfers', 'tend_search', 'tend_analytics', 'index_search');

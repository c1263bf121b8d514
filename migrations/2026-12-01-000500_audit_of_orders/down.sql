ALTER TABLE products RESET (fillfactor);
CREATE OR REPLACE FUNCTION audit_order(placed orders) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_put('created', 'Order', placed.id, placed.source_website_id, NULL, to_jsonb(placed)
            - '{id,updated_at,cart_token_hash,payment_status,paid_amount,refunded_amount}'::text[]);
END $$;
CREATE OR REPLACE FUNCTION audit_put(
    change text, resource_type text, resource_id bigint, website_id bigint, old_row jsonb, new_row jsonb
) RETURNS void LANGUAGE plpgsql AS $$
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
DROP FUNCTION audit_insert(text, text, bigint, bigint, jsonb, jsonb);

DELETE FROM role_permissions WHERE permission = 'MANAGE_PAYMENTS';
DELETE FROM permissions WHERE code = 'MANAGE_PAYMENTS';
DROP INDEX idempotency_keys_created_at_idx;
DELETE FROM idempotency_keys WHERE user_id IS NULL;
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_cart_token_hash_operation_key_key,
    DROP CONSTRAINT idempotency_keys_user_id_operation_key_key,
    DROP CONSTRAINT idempotency_keys_one_owner,
    DROP COLUMN cart_token_hash,
    DROP COLUMN id,
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, operation, key);

-- Tokens in the confirmations of orders with an unverified email address: the owner of the address confirms with it that the
-- order is theirs. Later orders of the same user or guest with this address are trusted.
CREATE TABLE order_email_confirmations (
    order_id bigint CONSTRAINT order_email_confirmations_pkey PRIMARY KEY
        CONSTRAINT order_email_confirmations_order_id_fkey REFERENCES orders ON DELETE CASCADE,
    -- SHA-256 of the token; null once it is used.
    token_hash bytea CONSTRAINT order_email_confirmations_token_hash_key UNIQUE
        CONSTRAINT order_email_confirmations_token_hash_length CHECK (octet_length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_email_confirmations_used_once CHECK ((token_hash IS NULL) = (confirmed_at IS NOT NULL))
);
-- Those that were never used, for the cleanup.
CREATE INDEX order_email_confirmations_expires_at_idx ON order_email_confirmations (expires_at) WHERE confirmed_at IS NULL;

-- Orders whose confirmation email is sent when the order is paid or confirmed, because nobody has proved yet that the
-- email address is theirs.
CREATE TABLE deferred_confirmations (
    order_id bigint CONSTRAINT deferred_confirmations_pkey PRIMARY KEY
        CONSTRAINT deferred_confirmations_order_id_fkey REFERENCES orders ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);

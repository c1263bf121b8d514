-- Orders that wait for payment: when they expire, and the user and the network that placed them. An order leaves the table
-- when it is paid or confirmed; a canceled one stays for a day, so that its client cannot start over at once. Networks
-- are stored as a SHA-256 only. Orders from before this migration never expire.
CREATE TABLE unpaid_orders (
    order_id bigint CONSTRAINT unpaid_orders_pkey PRIMARY KEY
        CONSTRAINT unpaid_orders_order_id_fkey REFERENCES orders ON DELETE CASCADE,
    -- The same as that of the order, so that the orders of a user or a network are found in one table.
    user_id bigint CONSTRAINT unpaid_orders_user_id_fkey REFERENCES users,
    network bytea CONSTRAINT unpaid_orders_network_length CHECK (octet_length(network) = 32),
    -- Null for an order that never expires.
    expires_at timestamptz,
    -- When the order was canceled without having been paid.
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX unpaid_orders_user_id_idx ON unpaid_orders (user_id);
CREATE INDEX unpaid_orders_network_idx ON unpaid_orders (network);
CREATE INDEX unpaid_orders_expires_at_idx ON unpaid_orders (expires_at) WHERE ended_at IS NULL;
CREATE INDEX unpaid_orders_ended_at_idx ON unpaid_orders (ended_at) WHERE ended_at IS NOT NULL;

-- An authorized card is as good as paid. A bank transfer or cash on delivery is authorized when the customer chooses it,
-- so the order waits until the shop captures the money or confirms the order.
CREATE FUNCTION unpaid_orders_settle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'cancelled' THEN
        UPDATE unpaid_orders SET ended_at = now() WHERE order_id = NEW.id AND ended_at IS NULL;
    ELSIF NEW.status <> 'pending' OR NEW.payment_status <> 'authorized' OR NOT EXISTS (
        SELECT FROM payments WHERE order_id = NEW.id AND status = 'authorized' AND method IN ('bank_transfer', 'cash_on_delivery')
    ) THEN
        DELETE FROM unpaid_orders WHERE order_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_unpaid_settle AFTER UPDATE OF status, payment_status ON orders
    FOR EACH ROW WHEN (NEW.status <> 'pending' OR NEW.payment_status NOT IN ('none', 'pending'))
    EXECUTE FUNCTION unpaid_orders_settle();

-- The network that a reservation was made from, as a SHA-256.
ALTER TABLE cart_reservations ADD COLUMN network bytea
    CONSTRAINT cart_reservations_network_length CHECK (octet_length(network) = 32);
CREATE INDEX cart_reservations_network_idx ON cart_reservations (network);

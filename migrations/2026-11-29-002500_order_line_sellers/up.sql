-- The seller of an order line is the seller of its product when it was ordered, whoever sells the product later. Sellers
-- see and fulfill their own lines only. Existing lines get the current seller of their product.
ALTER TABLE order_details ADD COLUMN seller_id bigint CONSTRAINT order_details_seller_id_fkey REFERENCES users;

-- The lines are not changed for their customers: no history, audit log entry or new updated_at.
ALTER TABLE order_details DISABLE TRIGGER USER;
UPDATE order_details d SET seller_id = p.seller_id FROM products p WHERE p.id = d.product_id AND p.seller_id IS NOT NULL;
ALTER TABLE order_details ENABLE TRIGGER USER;

CREATE INDEX order_details_seller_id_idx ON order_details (seller_id, order_id);

CREATE FUNCTION order_details_set_seller() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.seller_id := (SELECT seller_id FROM products WHERE id = NEW.product_id);
    RETURN NEW;
END $$;
CREATE TRIGGER order_details_seller BEFORE INSERT ON order_details
    FOR EACH ROW EXECUTE FUNCTION order_details_set_seller();

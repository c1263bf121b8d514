ALTER TABLE order_email_confirmations DROP COLUMN user_id;

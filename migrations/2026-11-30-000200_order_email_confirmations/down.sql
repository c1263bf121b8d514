DROP TABLE order_email_confirmations;

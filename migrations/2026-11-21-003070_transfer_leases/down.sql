DROP INDEX transfers_input_hash_idx;
ALTER TABLE transfers DROP COLUMN run, DROP COLUMN locked_until;

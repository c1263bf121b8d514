-- One import of a noun and website at a time: who runs it holds it until then, and says so with each batch. `run` tells a
-- runner that somebody else has gone on meanwhile.
ALTER TABLE transfers
    ADD COLUMN locked_until timestamptz,
    ADD COLUMN run integer NOT NULL DEFAULT 0;
CREATE INDEX transfers_input_hash_idx ON transfers (input_hash) WHERE status IN ('queued', 'running', 'failed');

-- One import at a time per resource and website. The running import holds a lease and renews it with each batch. `run`
-- tells an importer that another one has taken over.
ALTER TABLE transfers
    ADD COLUMN locked_until timestamptz,
    ADD COLUMN run integer NOT NULL DEFAULT 0;
CREATE INDEX transfers_input_hash_idx ON transfers (input_hash) WHERE status IN ('queued', 'running', 'failed');

-- Imports and exports started through the API are audited when they are requested; the command line audits its imports.
CREATE TRIGGER transfers_audit AFTER INSERT ON transfers
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND audit_is_on())
    EXECUTE FUNCTION audit_row('Transfer', 'id', 'website_id', 'options', 'status', 'input_hash', 'input_key', 'output_key',
        'rejects_key', 'checkpoint', 'total', 'processed', 'created', 'updated', 'unchanged', 'rejected', 'errors', 'failure',
        'started_at', 'finished_at', 'locked_until', 'run');
-- Transfers that still have files, oldest first.
CREATE INDEX transfers_finished_at_idx ON transfers (finished_at)
    WHERE output_key IS NOT NULL OR rejects_key IS NOT NULL;

-- Staff sees jobs, runs dead ones again and deletes them.
INSERT INTO permissions (code, description) VALUES
    ('MANAGE_JOBS', 'See background jobs, run dead ones again, and delete them.');
INSERT INTO role_permissions (role_id, permission)
    SELECT id, 'MANAGE_JOBS' FROM roles WHERE code IN ('admin', 'manager');
-- Who claims jobs looks for those of each kind apart: there may be many of a kind that nobody runs, and many that are dead.
DROP INDEX jobs_state_run_at_idx;
CREATE INDEX jobs_due_idx ON jobs (kind, run_at, id) WHERE state = 'queued';
-- None by `run_at` alone: whoever claims jobs would take it, and pass all the dead ones each time.
CREATE INDEX jobs_created_at_idx ON jobs (created_at, id);

-- A recurring job is one row of its kind, which waits for its next time instead of being deleted, and never dies.
ALTER TABLE jobs
    ADD COLUMN is_recurring boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT jobs_recurring_never_dead CHECK (NOT is_recurring OR state <> 'dead');
CREATE UNIQUE INDEX jobs_recurring_kind_key ON jobs (kind) WHERE is_recurring;

-- The log tells what becomes of the dead: the rest of a job is the program's own doing. Its payload and its error are not
-- told: they may hold somebody's data, and nobody could take that out of the log again.
ALTER TABLE audit_log
    DROP CONSTRAINT audit_log_noun_known,
    ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order', 'OrderDetail',
        'StockMovement', 'Website', 'Category', 'Brand', 'Supplier', 'Job'));
CREATE TRIGGER jobs_audit_update AFTER UPDATE ON jobs
    FOR EACH ROW WHEN (OLD.state = 'dead' AND NEW.state = 'queued' AND audit_is_on())
    EXECUTE FUNCTION audit_row('Job', 'id', '', 'payload', 'user_id', 'last_error', 'run_at');
CREATE TRIGGER jobs_audit_delete AFTER DELETE ON jobs
    FOR EACH ROW WHEN (OLD.state = 'dead' AND audit_is_on())
    EXECUTE FUNCTION audit_row('Job', 'id', '', 'payload', 'user_id', 'last_error', 'run_at');

-- Staff can list jobs, retry dead ones and delete them.
INSERT INTO permissions (code, description) VALUES
    ('MANAGE_JOBS', 'See background jobs, run dead ones again, and delete them.');
INSERT INTO role_permissions (role_id, permission)
    SELECT id, 'MANAGE_JOBS' FROM roles WHERE code IN ('admin', 'manager');
-- Workers look up waiting jobs per kind: there may be many of a kind that no worker runs, and many dead ones.
DROP INDEX jobs_state_run_at_idx;
CREATE INDEX jobs_due_idx ON jobs (kind, run_at, id) WHERE state = 'queued';
-- No index on `run_at` alone: the planner would use it to claim jobs and scan all dead ones each time.
CREATE INDEX jobs_created_at_idx ON jobs (created_at, id);

-- A recurring job is one row of its kind that is rescheduled instead of deleted and never becomes dead.
ALTER TABLE jobs
    ADD COLUMN is_recurring boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT jobs_recurring_never_dead CHECK (NOT is_recurring OR state <> 'dead');
CREATE UNIQUE INDEX jobs_recurring_kind_key ON jobs (kind) WHERE is_recurring;

-- Only retries and deletions of dead jobs are audited; all other changes are made by the system itself. Payload and
-- error are left out: they may contain personal data, which could not be removed from the log.
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

DROP INDEX jobs_due_idx;
CREATE INDEX jobs_state_run_at_idx ON jobs (state, run_at, id);
DROP TRIGGER jobs_audit_delete ON jobs;
DROP TRIGGER jobs_audit_update ON jobs;
-- Entries in the audit log stay.
ALTER TABLE audit_log
    DROP CONSTRAINT audit_log_noun_known,
    ADD CONSTRAINT audit_log_noun_known CHECK (noun IN ('User', 'Role', 'ApiKey', 'Product', 'Order', 'OrderDetail',
        'StockMovement', 'Website', 'Category', 'Brand', 'Supplier')) NOT VALID;
DELETE FROM jobs WHERE is_recurring;
DROP INDEX jobs_recurring_kind_key;
ALTER TABLE jobs DROP CONSTRAINT jobs_recurring_never_dead, DROP COLUMN is_recurring;
DROP INDEX jobs_created_at_idx;
DELETE FROM role_permissions WHERE permission = 'MANAGE_JOBS';
DELETE FROM permissions WHERE code = 'MANAGE_JOBS';

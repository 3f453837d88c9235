-- +goose Up
-- The audit page finds by one thing at a time, newest first.
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_actor ON audit (lower(actor), at, id);
CREATE INDEX audit_action ON audit (action, at, id);
CREATE INDEX audit_kind ON audit (subject, at, id);
CREATE INDEX audit_name ON audit (lower(name), at, id);
CREATE INDEX audit_batch ON audit (batch_id, at, id) WHERE batch_id IS NOT NULL;

-- INSERT OR REPLACE removes a row without asking the trigger on deletes. An id that nobody gave is not known before the
-- insert (it shows as -1), so that a row may not have such a one after it either.
-- +goose StatementBegin
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_positive_id AFTER INSERT ON audit WHEN NEW.id < 1
BEGIN SELECT RAISE(ABORT, 'the audit is append-only: ids begin at 1'); END;
-- +goose StatementEnd

-- owner_id is the user who made the batch, also when their LAN ID is another one by now; 0 where the system did.
ALTER TABLE batches ADD COLUMN owner_id INTEGER NOT NULL DEFAULT 0;
UPDATE batches SET owner_id = coalesce((SELECT u.id FROM users u WHERE u.lan_id = batches.owner), 0) WHERE by_system = 0;
-- guard: how many existing users the batch would change, where that is so many that the number has to be typed in, and
-- 0 where it is not; guard_of: how many there were; confirmed: the number that was typed in.
ALTER TABLE batches ADD COLUMN guard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN guard_of INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;
-- Approval: who asked for it and when; who decided, when, how ('approved', 'rejected') and with what comment.
ALTER TABLE batches ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN asked_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN verdict TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN verdict_by TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN verdict_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN comment TEXT NOT NULL DEFAULT '';
CREATE INDEX batches_awaiting ON batches (id) WHERE state = 'awaiting';

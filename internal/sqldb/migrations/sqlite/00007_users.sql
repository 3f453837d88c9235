-- +goose Up
-- Whom an entry with the subject 'user' is about, also after a LAN ID has changed; and the version that the user had after
-- the change.
ALTER TABLE audit ADD COLUMN subject_id INTEGER;
ALTER TABLE audit ADD COLUMN subject_version INTEGER;
DROP TRIGGER audit_no_update;
-- Until now nobody could be renamed or, once in the audit, deleted.
UPDATE audit SET subject_id = (SELECT u.id FROM users u WHERE u.lan_id = audit.name) WHERE subject = 'user';
CREATE INDEX audit_subject_id ON audit (subject_id, id) WHERE subject_id IS NOT NULL;

-- Users who are gone, and whose personal data is gone from the audit. Ids of users are not given out twice.
CREATE TABLE erasures (
    user_id INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER erasures_no_update BEFORE UPDATE ON erasures BEGIN SELECT RAISE(ABORT, 'erasures are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER erasures_no_delete BEFORE DELETE ON erasures BEGIN SELECT RAISE(ABORT, 'erasures are append-only'); END;
-- +goose StatementEnd

-- The audit is append-only, but for what is said of an erased user: it becomes a mark. When something was done, by whom,
-- and what kind of thing it was stay.
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
WHEN NOT coalesce(OLD.subject = 'user' AND OLD.action <> 'erase'
    AND EXISTS (SELECT 1 FROM erasures e WHERE e.user_id = OLD.subject_id)
    AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = OLD.subject_id)
    AND NEW.name = 'erased'
    AND NEW.before = CASE OLD.before WHEN '' THEN '' ELSE '{"erased":true}' END
    AND NEW.after = CASE OLD.after WHEN '' THEN '' ELSE '{"erased":true}' END
    AND NEW.reason = CASE OLD.reason WHEN '' THEN '' ELSE 'erased' END
    AND NEW.id IS OLD.id AND NEW.at IS OLD.at AND NEW.actor IS OLD.actor AND NEW.source IS OLD.source AND NEW.action IS OLD.action
    AND NEW.subject IS OLD.subject AND NEW.batch_id IS OLD.batch_id AND NEW.subject_id IS OLD.subject_id
    AND NEW.subject_version IS OLD.subject_version, 0)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd

-- When the user was last barred: sessions from before stay over, also once the user may sign in again.
ALTER TABLE credentials ADD COLUMN barred_at INTEGER NOT NULL DEFAULT 0;

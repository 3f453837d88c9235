-- +goose Up
-- Whom an entry with the subject 'user' is about, also after a LAN ID has changed; and the version that the user had after
-- the change.
ALTER TABLE audit ADD COLUMN subject_id BIGINT;
ALTER TABLE audit ADD COLUMN subject_version BIGINT;
DROP TRIGGER audit_append_only ON audit;
-- Until now nobody could be renamed or, once in the audit, deleted.
UPDATE audit SET subject_id = (SELECT u.id FROM users u WHERE u.lan_id = audit.name) WHERE subject = 'user';
CREATE INDEX audit_subject_id ON audit (subject_id, id) WHERE subject_id IS NOT NULL;

-- Users who are gone, and whose personal data is gone from the audit. Ids of users are not given out twice.
CREATE TABLE erasures (
    user_id BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE FUNCTION erasures_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'erasures are append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasures
    FOR EACH STATEMENT EXECUTE FUNCTION erasures_append_only();

-- The audit is append-only, but for what is said of an erased user: it becomes a mark. When something was done, by whom,
-- and what kind of thing it was stay.
-- +goose StatementBegin
CREATE FUNCTION audit_erase_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.subject = 'user' AND OLD.action <> 'erase'
        AND EXISTS (SELECT 1 FROM erasures e WHERE e.user_id = OLD.subject_id)
        AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = OLD.subject_id)
        AND NEW.name = 'erased'
        AND NEW.before = (CASE OLD.before WHEN '' THEN '' ELSE '{"erased":true}' END)
        AND NEW.after = (CASE OLD.after WHEN '' THEN '' ELSE '{"erased":true}' END)
        AND NEW.reason = (CASE OLD.reason WHEN '' THEN '' ELSE 'erased' END)
        AND (NEW.id, NEW.at, NEW.actor, NEW.source, NEW.action, NEW.subject, NEW.batch_id, NEW.subject_id, NEW.subject_version)
            IS NOT DISTINCT FROM
            (OLD.id, OLD.at, OLD.actor, OLD.source, OLD.action, OLD.subject, OLD.batch_id, OLD.subject_id, OLD.subject_version)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_append_only BEFORE DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_erase_only BEFORE UPDATE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_erase_only();

-- When the user was last barred: sessions from before stay over, also once the user may sign in again.
ALTER TABLE credentials ADD COLUMN barred_at BIGINT NOT NULL DEFAULT 0;

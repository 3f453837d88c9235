-- +goose Up
-- What bulk actions changed of users that were there already: a row is written by the very transaction that changed the
-- user, and an undo goes by it. what is the kind of value (role, access-role, crm-name, greeting-template); before and
-- after are ids, 0 for none. version is the user's after the change: who has another by now was changed since. undone
-- is 1 once it was taken back.
CREATE TABLE user_changes (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL,
    what     TEXT NOT NULL,
    before   INTEGER NOT NULL,
    after    INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    undone   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (batch_id, user_id, what, before, after)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_changes_user ON user_changes (user_id);

-- The rights, with spaces between them, that whoever made the batch needed, and that whoever decides about it needs.
ALTER TABLE batches ADD COLUMN needs TEXT NOT NULL DEFAULT 'users:add';

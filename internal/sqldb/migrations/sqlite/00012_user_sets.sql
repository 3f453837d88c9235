-- +goose Up
-- Sets of users that somebody froze for a bulk edit to come: the ids, and each user's version, are in the store of files
-- under hash, which batch_uploads keeps meanwhile. owner_id is the maker's id as a user, 0 where it is none. agents is
-- how many of the users are agents, unknown how of what was given are not in it; unknown_ids names some of those, a JSON list.
CREATE TABLE user_sets (
    id          TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    owner_id    INTEGER NOT NULL,
    by_system   INTEGER NOT NULL,
    title       TEXT NOT NULL,
    hash        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    users       INTEGER NOT NULL,
    agents      INTEGER NOT NULL,
    unknown     INTEGER NOT NULL,
    unknown_ids TEXT NOT NULL,
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX user_sets_at ON user_sets (at);

-- What a change took that is no id: the PBX ID that was released.
ALTER TABLE user_changes ADD COLUMN was TEXT;

-- +goose Up
-- Few people change users, and each changes many: the grid goes from one to the next along this index.
CREATE INDEX users_changed_by ON users (changed_by);

-- Which users were inserted, removed or renamed, by ranges of ids: what a process that holds their names and ids in
-- memory has to read again. A load writes one for each piece. What is older than an hour is removed.
CREATE TABLE user_writes (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    first_id INTEGER NOT NULL,
    last_id  INTEGER NOT NULL,
    at       INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)), -- seconds
    tx       INTEGER NOT NULL DEFAULT 0 -- of use on PostgreSQL only: here transactions commit in the order of seq
) STRICT;
CREATE INDEX user_writes_at ON user_writes (at);

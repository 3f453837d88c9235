-- +goose Up
-- For the grid of users. first_key and last_key hold the folded names (see sqldb.FoldText): what is compared without
-- case, and sorted by. Whoever writes a name writes its key.
ALTER TABLE users ADD COLUMN first_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN last_key TEXT NOT NULL DEFAULT '';
UPDATE users SET first_key = muster_fold(first_name), last_key = muster_fold(last_name);

-- Every index here ends with the id: rows with the same value have one order, in which a page can begin anywhere.
CREATE INDEX users_first_key ON users (first_key);
CREATE INDEX users_last_key ON users (last_key);
CREATE INDEX users_changed_at ON users (changed_at);

-- What is rare in a directory, so that these cost next to nothing.
CREATE INDEX users_leading ON users (profile) WHERE profile < 3;
CREATE INDEX users_inactive ON users (id) WHERE active = 0;

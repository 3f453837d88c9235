-- +goose Up
-- Who can sign in, and how: with a password (encoded, argon2id) and, until link_until, with a one-time link, of which only
-- the SHA-256 is here. A user who never was given a link has no row.
CREATE TABLE credentials (
    user_id     INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password    TEXT NOT NULL DEFAULT '',
    password_at INTEGER NOT NULL DEFAULT 0,
    link_hash   BLOB,
    link_until  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX credentials_link ON credentials (link_hash);

-- Only the SHA-256 of the browser's token is here. user_id refers to no table: a session is only worth something
-- together with its user, who is looked up each time, and removing a million users need not look here for each. Ids of
-- users are not given out twice.
CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY,
    token_hash BLOB NOT NULL,
    user_id    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id);

-- Attempts to sign in that did not succeed, or have not yet: one row for each account tried, whether or not there is such
-- a one, and one for each address. key is a SHA-256, as what is typed for a LAN ID may be a password.
CREATE TABLE sign_in_attempts (
    key      BLOB PRIMARY KEY,
    count    INTEGER NOT NULL DEFAULT 0,
    first_at INTEGER NOT NULL DEFAULT 0,
    last_at  INTEGER NOT NULL DEFAULT 0,
    free_at  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);

-- The link with which the first administrator is made: at most one.
CREATE TABLE first_links (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    hash     BLOB NOT NULL,
    until    INTEGER NOT NULL
) STRICT;

-- +goose Up
-- Pictures, once each, whoever has them: hash is that of the stored bytes, by which users.picture names one, source_hash
-- that of the bytes as they were given. large_hash and small_hash are the square derivatives. As long as a row is here, a
-- sweep keeps the three; it removes rows that nobody refers to and that nobody has given since given_at.
CREATE TABLE pictures (
    hash        TEXT NOT NULL PRIMARY KEY,
    source_hash TEXT NOT NULL,
    format      TEXT NOT NULL,
    width       BIGINT NOT NULL,
    height      BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    large_hash  TEXT NOT NULL,
    small_hash  TEXT NOT NULL,
    given_at    BIGINT NOT NULL
);
CREATE INDEX pictures_large ON pictures (large_hash);
CREATE INDEX pictures_small ON pictures (small_hash);
CREATE INDEX users_picture ON users (picture) WHERE picture IS NOT NULL;

-- What batches changed of users' pictures, like user_changes: before and after are hashes, '' for none.
CREATE TABLE picture_changes (
    batch_id BIGINT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    user_id  BIGINT NOT NULL,
    before   TEXT NOT NULL,
    after    TEXT NOT NULL,
    version  BIGINT NOT NULL,
    undone   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (batch_id, user_id)
);
CREATE INDEX picture_changes_user ON picture_changes (user_id, batch_id);
CREATE INDEX picture_changes_before ON picture_changes (before) WHERE undone = 0 AND before <> '';

-- Pictures that a batch shows, whether or not a user has them: from its check until its reports are let go.
CREATE TABLE picture_holds (
    batch_id BIGINT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    hash     TEXT NOT NULL,
    PRIMARY KEY (batch_id, hash)
);
CREATE INDEX picture_holds_hash ON picture_holds (hash);

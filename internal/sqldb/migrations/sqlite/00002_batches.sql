-- +goose Up
-- A batch is its own queue entry: whoever holds its lease runs it. lease_token rises with every claim, and the last
-- statement of each of a batch's transactions demands the token that its process claimed.
CREATE TABLE batches (
    id            INTEGER PRIMARY KEY,
    action        TEXT NOT NULL,
    state         TEXT NOT NULL,
    phase         TEXT NOT NULL DEFAULT '',
    owner         TEXT NOT NULL,
    source        TEXT NOT NULL,
    options       TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    busy_micros   INTEGER NOT NULL DEFAULT 0,
    done          INTEGER NOT NULL DEFAULT 0,
    total         INTEGER NOT NULL DEFAULT 0,
    rows_count    INTEGER NOT NULL DEFAULT 0,
    inserted      INTEGER NOT NULL DEFAULT 0,
    updated       INTEGER NOT NULL DEFAULT 0,
    unchanged     INTEGER NOT NULL DEFAULT 0,
    duplicate     INTEGER NOT NULL DEFAULT 0,
    invalid       INTEGER NOT NULL DEFAULT 0,
    stray         INTEGER NOT NULL DEFAULT 0,
    undone        INTEGER NOT NULL DEFAULT 0,
    file_problems TEXT NOT NULL DEFAULT '[]',
    reason        TEXT NOT NULL DEFAULT '',
    work          TEXT NOT NULL DEFAULT '',
    cancel        INTEGER NOT NULL DEFAULT 0,
    lease_token   INTEGER NOT NULL DEFAULT 0,
    lease_until   INTEGER NOT NULL DEFAULT 0,
    lease_owner   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX batches_live ON batches (id) WHERE state IN ('received', 'checking', 'applying', 'undoing');

-- The frozen input. hash is empty once the retention period has ended and the content was let go.
CREATE TABLE batch_files (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    kind     TEXT NOT NULL DEFAULT '',
    hash     TEXT NOT NULL,
    size     INTEGER NOT NULL,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_files_hash ON batch_files (hash);

-- What is applied (run 'apply') or taken back (run 'undo'): a row is written by the very transaction that did it.
-- members says which of the places first to last it changed, as the operation packs it.
CREATE TABLE batch_chunks (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    run      TEXT NOT NULL,
    part     INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    members  BLOB,
    PRIMARY KEY (batch_id, run, part, first)
) STRICT, WITHOUT ROWID;

-- The report: rows that have something to say, packed in pages (compressed JSON lines) in the order of their
-- numbers. A row of the file that is on no page was inserted without a problem.
CREATE TABLE batch_pages (
    batch_id  INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    run       TEXT NOT NULL,
    page      INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    last_row  INTEGER NOT NULL,
    entries   INTEGER NOT NULL,
    data      BLOB NOT NULL,
    PRIMARY KEY (batch_id, run, page)
) STRICT;
CREATE TABLE batch_page_codes (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    run      TEXT NOT NULL,
    code     TEXT NOT NULL,
    page     INTEGER NOT NULL,
    problems INTEGER NOT NULL,
    PRIMARY KEY (batch_id, run, code, page)
) STRICT, WITHOUT ROWID;

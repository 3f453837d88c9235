-- +goose Up
-- by_system: made by whoever holds the machine, not by a user who happens to be called "system".
ALTER TABLE batches ADD COLUMN by_system INTEGER NOT NULL DEFAULT 0;
-- Until now only the command line made batches.
UPDATE batches SET by_system = 1;
-- Who asked for the undo: it reaches as far as they do.
ALTER TABLE batches ADD COLUMN undo_by TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN undo_source TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN undo_by_system INTEGER NOT NULL DEFAULT 0;
-- Since when the phase goes on in the process that runs it, how much of it was done then, and when done was written:
-- what a rate is made of.
ALTER TABLE batches ADD COLUMN phase_started_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN phase_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN published_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX batches_owner ON batches (owner, id);
-- A page of a report is found by the row that it goes on from.
CREATE INDEX batch_pages_rows ON batch_pages (batch_id, run, last_row, page);

-- What was uploaded and has no batch yet: a sweep leaves it alone for a day.
CREATE TABLE batch_uploads (
    hash TEXT NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What somebody chose for the headings of a file that its template does not have: a column of the template, or '' to
-- set it aside. It is applied to each later file with the same header.
CREATE TABLE column_choices (
    header  TEXT NOT NULL, -- hash of the kind and all headings
    place   INTEGER NOT NULL,
    target  TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (header, place)
) STRICT, WITHOUT ROWID;

-- The choices that a batch uses. They never change, so that its files read alike for ever.
CREATE TABLE import_columns (
    batch_id   INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    file       INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    heading    TEXT NOT NULL,
    target     TEXT NOT NULL,
    by_whom    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    remembered INTEGER NOT NULL, -- 1: chosen for an earlier file
    PRIMARY KEY (batch_id, file, place)
) STRICT, WITHOUT ROWID;

-- Cells of rows that did not get in, corrected. col '' is no cell: the row is run again as it is. run_batch is the
-- batch that the row was run in. stamp is another number after each change, for whoever must know that nothing changed.
CREATE TABLE import_corrections (
    batch_id  INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL,
    row_num   INTEGER NOT NULL,
    col       TEXT NOT NULL,
    old_value TEXT NOT NULL,
    new_value TEXT NOT NULL,
    by_whom   TEXT NOT NULL,
    at        INTEGER NOT NULL,
    stamp     INTEGER NOT NULL,
    run_batch INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (batch_id, kind, row_num, col)
) STRICT, WITHOUT ROWID;

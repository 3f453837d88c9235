-- +goose Up
-- What the check of an import of pictures found when it looked at them, by the chunk: a compressed list, in which first_row
-- to last_row occur, but not all of them. Of two lines about a row, the one of the greater number counts.
CREATE TABLE picture_looks (
    batch_id  INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    number    INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    last_row  INTEGER NOT NULL,
    data      BLOB NOT NULL,
    PRIMARY KEY (batch_id, number)
) STRICT;

-- Pictures that somebody gave to a user by hand, in a preview.
CREATE TABLE picture_choices (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    row_num  INTEGER NOT NULL,
    user_id  INTEGER NOT NULL,
    by_whom  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (batch_id, row_num)
) STRICT, WITHOUT ROWID;

-- Files of an archive that are none of its rows: what file managers put beside.
ALTER TABLE batches ADD COLUMN passed_over INTEGER NOT NULL DEFAULT 0;

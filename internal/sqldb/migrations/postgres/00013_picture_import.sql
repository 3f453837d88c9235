-- +goose Up
-- What the check of an import of pictures found when it looked at them, by the chunk: a compressed list, in which first_row
-- to last_row occur, but not all of them. Of two lines about a row, the one of the greater number counts.
CREATE TABLE picture_looks (
    batch_id  BIGINT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    number    BIGINT NOT NULL,
    first_row BIGINT NOT NULL,
    last_row  BIGINT NOT NULL,
    data      BYTEA NOT NULL,
    PRIMARY KEY (batch_id, number)
);

-- Pictures that somebody gave to a user by hand, in a preview.
CREATE TABLE picture_choices (
    batch_id BIGINT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    row_num  BIGINT NOT NULL,
    user_id  BIGINT NOT NULL,
    by_whom  TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (batch_id, row_num)
);

-- Files of an archive that are none of its rows: what file managers put beside.
ALTER TABLE batches ADD COLUMN passed_over BIGINT NOT NULL DEFAULT 0;

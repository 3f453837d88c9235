-- +goose Up
-- When users were last changed, and by whom, is looked for and put in order in memory, as first names are: every change of
-- a user writes both. Without an index on either, a change that concerns no other index either stays on the page of the
-- user's row and writes none of them, as long as there is room: hence the tenth.
DROP INDEX users_changed_at;
DROP INDEX users_changed_by;
ALTER TABLE users SET (fillfactor = 90);

-- +goose Up
-- When users were last changed, and by whom, is looked for and put in order in memory, as first names are: every change of
-- a user writes both, and two indexes on them at places of their own.
DROP INDEX users_changed_at;
DROP INDEX users_changed_by;

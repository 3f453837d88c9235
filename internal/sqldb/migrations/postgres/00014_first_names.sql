-- +goose Up
-- First names are looked for, and put in order, in the memory of a process, which has them there for the search anyway:
-- an index that every import writes at a place of its own for each user would cost it a twentieth of its speed.
DROP INDEX users_first_key;
